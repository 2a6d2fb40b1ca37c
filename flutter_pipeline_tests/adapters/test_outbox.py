"""Letters to MLflow on disk: in order, whole, and never dropped."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.adapters.letter import KeptFile, KeptVersion, Letter
from flutter_pipeline.adapters.outbox import Outbox, oldest_undelivered, undelivered
from flutter_pipeline.errors import VersionError


def names(outbox: Outbox) -> list[str]:
    return [outbox.read(path).name for path in outbox.letters()]


def test_letters_are_kept_in_the_order_in_which_they_were_written(tmp_path: Path):
    outbox = Outbox(tmp_path)
    assert (undelivered(tmp_path), oldest_undelivered(tmp_path)) == (0, None)
    # Their own names sort the other way round.
    paths = [outbox.put(Letter(id=id_, name=name)) for id_, name in [("c", "1"), ("a", "2")]]
    assert names(outbox) == ["1", "2"] and undelivered(tmp_path) == 2
    outbox.done(paths[0])
    outbox.put(Letter(id="0", name="3"))
    assert names(outbox) == ["2", "3"]


def test_the_oldest_letter_says_how_long_the_server_has_been_away(tmp_path: Path):
    outbox = Outbox(tmp_path)
    before = datetime.now(UTC)
    outbox.put(Letter(id="a"))
    outbox.put(Letter(id="b"))
    oldest = oldest_undelivered(tmp_path)
    assert oldest is not None and abs((oldest - before).total_seconds()) < 60


@given(
    value=st.floats(allow_nan=False, allow_infinity=False),
    text=st.text(),
    alias=st.none() | st.text(min_size=1),
)
def test_what_is_read_is_what_was_written(tmp_path_factory, value: float, text: str, alias):
    outbox = Outbox(tmp_path_factory.mktemp("data"))
    letter = Letter(
        id="a",
        name="ranker",
        params={"x": text},
        points=(("loss", value, 1, 2),),
        documents={"a.json": {"b": [value, None, text]}},
        files=(KeptFile(path="x"),),
        versions=(KeptVersion(model="ranker", version="v", path="models/ranker/v"),),
        aliases={"ranker": {"champion": alias}},
    )
    assert outbox.read(outbox.put(letter)) == letter


def test_what_lies_in_the_data_folder_is_pointed_to_and_anything_else_is_copied(tmp_path: Path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (data / "models" / "v1").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "picture.png").write_text("seen")
    outbox = Outbox(data)
    kept = outbox.keep("a", data / "models" / "v1", "model")
    assert kept == KeptFile(path="models/v1", folder="model")
    copied = outbox.keep("a", elsewhere / "picture.png")
    (elsewhere / "picture.png").unlink()
    assert (data / copied.path).read_text() == "seen"
    assert Path(copied.path).name == "picture.png"
    path = outbox.put(Letter(id="a", files=(copied,)))
    outbox.done(path)
    assert not (data / copied.path).exists() and undelivered(data) == 0


def test_copies_of_a_letter_that_waits_are_no_orphans(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("flutter_pipeline.adapters.outbox.ORPHAN_SECONDS", -1.0)
    (tmp_path / "picture.png").write_text("seen")
    outbox = Outbox(tmp_path / "data")
    kept = {name: outbox.keep(name, tmp_path / "picture.png") for name in ("written", "killed")}
    outbox.put(Letter(id="written", files=(kept["written"],)))
    outbox.clear_orphans()
    there = {name: (outbox.data / one.path).exists() for name, one in kept.items()}
    assert there == {"written": True, "killed": False}


def test_a_letter_that_was_refused_is_kept_and_its_aliases_are_old_news(tmp_path: Path):
    outbox = Outbox(tmp_path)
    path = outbox.put(Letter(id="a", name="ranker", aliases={"ranker": {"champion": "v1"}}))
    outbox.refuse(path, "too long")
    assert outbox.letters() == [] and undelivered(tmp_path) == 1
    assert outbox.retry_refused() == 1
    [again] = [outbox.read(path) for path in outbox.letters()]
    assert (again.name, again.aliases, undelivered(tmp_path)) == ("ranker", {}, 1)


@pytest.mark.parametrize("content", ["{", "[]", '{"id": "a", "strange": 1}', "{}"])
def test_a_damaged_letter_is_named(tmp_path: Path, content: str):
    outbox = Outbox(tmp_path)
    path = outbox.put(Letter(id="a"))
    path.write_text(content)
    with pytest.raises(VersionError, match=f"{path.name} is damaged"):
        outbox.read(path)


def test_an_outbox_that_has_grown_large_is_complained_of(tmp_path: Path, monkeypatch):
    outbox = Outbox(tmp_path)
    monkeypatch.setattr("flutter_pipeline.adapters.outbox.MANY_LETTERS", 1)
    outbox.put(Letter(id="a"))
    assert outbox.complaint() == ""
    outbox.put(Letter(id="b"))
    assert outbox.complaint().startswith("2 letters to MLflow")
