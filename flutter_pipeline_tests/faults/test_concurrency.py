"""Two of anything at once: they wait for each other, and readers see one whole state throughout."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.landing.ledger import ledger
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.errors import FlutterError
from flutter_pipeline_tests.faults import acts
from flutter_pipeline_tests.faults.fault_table import Told
from flutter_pipeline_tests.faults.forge import Forge
from flutter_pipeline_tests.faults.published import (
    Pieces,
    books_balance,
    half_visible,
    pieces_of,
    torn,
)
from flutter_pipeline_tests.faults.worlds import World, copied, rerun, unharmed

Tell = Callable[[Told], None]
ACTS = "flutter_pipeline_tests.faults.acts"


@contextmanager
def watched(look: Callable[[], list[str]]) -> Iterator[list[str]]:
    """What a reader finds wrong, who looks again and again while the block lasts."""
    wrong: list[str] = []
    over = threading.Event()

    def loop() -> None:
        while not over.is_set() and not wrong:
            wrong.extend(look())
            time.sleep(0.02)

    reader = threading.Thread(target=loop)
    reader.start()
    try:
        yield wrong
    finally:
        over.set()
        reader.join()


def feeds_of_one_release(data: Path) -> list[str]:
    """What is wrong with the published feeds: of several rankers or versions of an encoder."""
    tables = TableStore(data / "tables")
    if not tables.parts("ranked_candidates"):
        return []
    feeds = tables.read("ranked_candidates")
    rankers = set(feeds["ranker_version"])
    versions = feeds.dropna(subset=["encoder"]).groupby("encoder")["embedding_version"].nunique()
    mixed = [f"feeds by {len(rankers)} rankers"] if len(rankers) != 1 else []
    return [*mixed, *(f"{name} in several versions" for name in versions.index[versions > 1])]


def whole(data: Path, *states: Pieces) -> Callable[[], list[str]]:
    """A reader who knows what may be there."""

    def look() -> list[str]:
        try:
            return [*half_visible(pieces_of(data), *states), *feeds_of_one_release(data)]
        except (FlutterError, AssertionError) as error:
            return [str(error)]

    return look


@pytest.mark.faults
def test_two_runs_at_once_wait_for_each_other_and_a_reader_sees_whole_states(
    world: World, tmp_path: Path, tell: Tell
):
    data = copied(world.old, tmp_path / "data")
    states = (unharmed(world, "old"), unharmed(world, "new"))
    with watched(whole(data, *states)) as wrong:
        both = [world.forge.start(data, "run") for _ in range(2)]
        ended = [one.wait() for one in both]
    assert [one.code for one in ended] == [0, 0], [one.out[-2000:] for one in ended]
    wrong += torn(pieces_of(data), states[1])
    tell(Told("two runs at once", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong and books_balance(data)


@pytest.mark.faults
@pytest.mark.parametrize("share", [0.15, 0.5, 0.8])
def test_a_run_and_a_rollback_at_once_leave_feeds_of_one_release(
    world: World, tmp_path: Path, tell: Tell, share: float
):
    data = copied(world.old, tmp_path / "data")
    world.forge.succeed(data, f"{ACTS}:second_release", data)
    seconds = json.loads((world.root / "new.json").read_text())["seconds"]
    with watched(lambda: feeds_of_one_release(data)) as wrong:
        running = world.forge.start(data, "run")
        time.sleep(share * seconds)
        back = world.forge.run(data, "versions", "rollback")
        ended = running.wait()
    assert back.code == 0, back.out[-2000:]
    assert ended.clear, ended.out[-2000:]
    world.forge.succeed(data, "run")
    wrong += feeds_of_one_release(data)
    releases = ReleaseStore(data / "releases")
    champion = releases.champion()
    assert champion is not None
    feeds = TableStore(data / "tables").read("ranked_candidates")
    if set(feeds["ranker_version"]) != {champion.ranker}:
        wrong.append("the feeds are not by what serves")
    if champion.id in releases.aliases().withdrawn:
        wrong.append("what was rolled back from serves again")
    wrong += rerun_changes_nothing(world, data)
    tell(Told("a run and a rollback", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong


def rerun_changes_nothing(world: World, data: Path) -> list[str]:
    return rerun(world, data, pieces_of(data))


def test_two_intakes_of_the_same_and_of_other_files_store_every_row_once(
    forge: Forge, tmp_path: Path, tell: Tell
):
    data = tmp_path / "data"
    data.mkdir()
    (data / "flutter.toml").write_text("[intake]\nsettle_seconds = 0\n")
    heads = "flit_id,bird_id,text,created_at\n"
    rows = [
        f"f{n},b{n % 7},hello {n},2026-01-0{1 + n % 3}T00:00:{n % 60:02d}Z\n" for n in range(90)
    ]
    (tmp_path / "a.csv").write_text(heads + "".join(rows[:60]))
    (tmp_path / "b.csv").write_text(heads + "".join(rows[30:]))
    names = (("a.csv", "b.csv"), ("b.csv", "a.csv"), ("a.csv",))
    begun = [forge.start(data, "ingest", *(tmp_path / n for n in some)) for some in names]
    ended = [one.wait() for one in begun]
    assert [one.code for one in ended] == [0, 0, 0], [one.out[-1500:] for one in ended]
    books = [entry.tables["flits"].books for entry in ledger(data)]
    assert sum(one.landed for one in books) == 120
    assert sum(one.stored for one in books) == 90
    assert sum(one.duplicates for one in books) == 30
    assert books_balance(data)
    tell(Told("three intakes at once", identical=1))


def test_appends_and_compactions_at_once_lose_nothing_and_readers_see_whole_vectors(
    forge: Forge, tmp_path: Path, tell: Tell
):
    data = tmp_path / "data"
    data.mkdir()
    forge.succeed(data, f"{ACTS}:create", data)
    steps = [{f"f{n}" for n in range(last)} for last in (90,)]

    def look() -> list[str]:
        found = acts.store_of(data).open(acts.ENCODER, acts.VERSION)
        ids = list(found.ids)
        right = np.array_equal(found.vectors(ids), acts.vectors_of(ids))
        # Each append is seen whole: of its fifty flits all, or none.
        counts = [sum(f"f{n}" in set(ids) for n in range(a, a + 50)) for a in (100, 200, 300)]
        whole_ = right and steps[0] <= set(ids) and set(counts) <= {0, 50}
        return [] if whole_ else [f"{len(ids)} vectors, {counts}"]

    with watched(look) as wrong:
        begun = [
            forge.start(data, f"{ACTS}:append", data, first, first + 50)
            for first in (100, 200, 300)
        ]
        begun += [forge.start(data, f"{ACTS}:compact", data) for _ in range(3)]
        ended = [one.wait() for one in begun]
    assert [one.code for one in ended] == [0] * 6, [one.out[-1500:] for one in ended]
    found = acts.store_of(data).open(acts.ENCODER, acts.VERSION)
    found.verify()
    wrong += [] if len(found) == 240 else [f"{len(found)} vectors"]
    tell(Told("appends and compactions", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong


@pytest.mark.faults
def test_two_ticks_of_the_sensors_at_once_ask_for_the_same_runs(
    world: World, tmp_path: Path, tell: Tell
):
    data = copied(world.old, tmp_path / "data")
    begun = [world.forge.start(data, f"{ACTS}:tick") for _ in range(2)]
    ended = [one.wait() for one in begun]
    assert [one.code for one in ended] == [0, 0], [one.out[-2000:] for one in ended]
    asked = [one.line for one in ended]
    # Dagster starts a run once for each run key, whoever asks for it.
    assert asked[0] == asked[1] and json.loads(asked[0])["landed_files"] is not None
    tell(Told("two sensors' ticks at once", identical=1))
