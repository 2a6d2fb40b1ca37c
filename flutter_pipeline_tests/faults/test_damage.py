"""Every kind of stored file, with a bit flipped, truncated or gone: found, named, put right.

Who reads a damaged file is told which it is; `verify --repair` makes it again from what is
upstream, and what is published then is what was, or says what a person has to bring back.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.files import read_json
from flutter_pipeline_tests.faults.fault_table import Told
from flutter_pipeline_tests.faults.published import books_balance, pieces_of, torn
from flutter_pipeline_tests.faults.worlds import World, copied, unharmed

Harm = Callable[[Path], None]

PLACES = {
    "rows of a table's day": "tables/raw_flits/*.parquet",
    "cleaned tokens of a day": "tables/cleaned_tokens/*.parquet",
    "feeds": "tables/ranked_candidates/*.parquet",
    "a table's manifest": "tables/candidates/manifest.json",
    "a model's array": "models/tfidf_model/*/array-000.npy",
    "a model's manifest": "models/tfidf_model/*/manifest.json",
    "an index's array": "models/tfidf_index/*/array-000.npy",
    "the ranker's array": "models/ranker/*/array-000.npy",
    "the network's array": "models/network/*/array-000.npy",
    "a version's pointer": "models/tfidf_model/current.json",
    "vectors": "embeddings/tfidf/*/part-*.vectors.npy",
    "ids of vectors": "embeddings/tfidf/*/part-*.ids.arrow",
    "look-up of vectors": "embeddings/tfidf/*/part-*.lookup.npy",
    "a manifest of embeddings": "embeddings/tfidf/*/manifest.json",
    "the pointer of embeddings": "embeddings/tfidf/current.json",
    "landed rows": "intake/flits/*/*.parquet",
    "an entry of the ledger": "intake/ledger/*.json",
    "a release": "releases/*/release.json",
    "the aliases": "releases/aliases.json",
}
"""What is harmed: the last file that fits and is read."""

CHEAP = ("landed rows", "vectors", "feeds")
"""Of the short form: one of each way of repair."""

BY_AGE = {"a manifest of embeddings": ["table embedding_comparison"]}
"""What may be otherwise after a repair: which version came before another is told by their age,
and a version that had to be made anew is the youngest."""


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """Lose the second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path: Path) -> None:
    """Lose all of it."""
    path.unlink()


def harmed(data: Path, place: str) -> Path:
    """The file that is harmed; of the version that is read, where there are several."""
    found = sorted(data.glob(PLACES[place]))
    read = [path for path in found if _is_current(path)]
    return (read or found)[-1]


def _is_current(path: Path) -> bool:
    manifest = path.parent / "manifest.json"
    if path.suffix == ".parquet" and manifest.is_file():
        # A part that no manifest names stays for a day, and nobody reads it.
        return path.name in {part["file"] for part in read_json(manifest)["parts"].values()}
    pointer = path.parents[1] / "current.json"
    return pointer.is_file() and read_json(pointer)["version"] == path.parent.name


def mend(world: World, data: Path, place: str, harm: Harm) -> list[str]:
    """What is wrong after a file was harmed, looked for, and put right."""
    path = harmed(data, place)
    harm(path)
    found = world.forge.run(data, "verify", "--json")
    if found.code != 1:
        return [f"verify ended with {found.code}: {found.out[-1500:]}"]
    told = [one["found"] for one in json.loads(found.out)["damage"]]
    if not any(str(path) in one or str(path.parent) in one for one in told):
        return [f"verify named {told}, not {path}"]
    mended = world.forge.run(data, "verify", "--repair", "--json")
    if mended.code != 0:
        return [f"verify --repair ended with {mended.code}: {mended.out[-3000:]}"]
    differs = torn(pieces_of(data), unharmed(world, "new"))
    wrong = [name for name in differs if name not in BY_AGE.get(place, [])]
    return wrong if books_balance(data) else [*wrong, "the books do not balance"]


@pytest.mark.parametrize("place", CHEAP)
def test_a_flipped_bit_is_found_named_and_put_right(
    world: World, tmp_path: Path, tell: Callable[[Told], None], place: str
):
    data = copied(world.new, tmp_path / "data")
    wrong = mend(world, data, place, flip)
    tell(Told("damaged: one bit flipped", repaired=int(not wrong), identical=int(not wrong)))
    assert not wrong


@pytest.mark.faults
@pytest.mark.parametrize("harm", [flip, truncate, remove])
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_damaged_is_found_named_and_put_right(
    world: World, tmp_path: Path, tell: Callable[[Told], None], place: str, harm: Harm
):
    if harm is remove and ("manifest" in place or "pointer" in place):
        pytest.skip("what has no manifest, or no pointer, was never published; a run makes it anew")
    data = copied(world.new, tmp_path / "data")
    wrong = mend(world, data, place, harm)
    case = {flip: "one bit flipped", truncate: "truncated", remove: "removed"}[harm]
    tell(Told(f"damaged: {case}", repaired=int(not wrong), identical=int(not wrong)))
    assert not wrong


def test_a_reader_of_damaged_feeds_is_told_which_file_and_the_way_out(world: World, tmp_path: Path):
    data = copied(world.new, tmp_path / "data")
    path = harmed(data, "feeds")
    flip(path)
    ended = world.forge.run(data, "feed", "bird_00")
    assert ended.code == 1 and ended.clear
    assert f"{path} is damaged: its checksum differs" in ended.line
    assert f"`flutter-pipeline --data {data} verify --repair` makes it anew" in ended.line


def test_landed_rows_whose_file_is_gone_are_refused_and_the_file_is_named(
    world: World, tmp_path: Path, tell: Callable[[Told], None]
):
    data = copied(world.new, tmp_path / "data")
    before = pieces_of(data)
    path = harmed(data, "landed rows")
    content = path.read_bytes()
    flip(path)
    for landed in data.glob("landing/flits_*.parquet"):
        landed.rename(tmp_path / landed.name)
    ended = world.forge.run(data, "verify", "--repair")
    assert ended.code == 1 and ended.clear
    assert "REFUSED" in ended.out and "land the very same file (SHA-256" in ended.out
    path.write_bytes(content)
    assert torn(pieces_of(data), before) == []
    tell(Told("damaged: nothing to repair it from, refused"))
