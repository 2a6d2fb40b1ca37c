import os
import time
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.store.tables import (
    KEEP_UNNAMED_SECONDS,
    WHOLE,
    TableStore,
    conform,
)
from flutter_pipeline.contracts.tables import BIRDS, FOLLOWS
from flutter_pipeline.errors import VersionError

MONDAY, TUESDAY = "2026-01-05", "2026-01-06"


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore(tmp_path / "tables")


def flits(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"flit_id": pd.Series(ids, dtype="str"), "n": range(len(ids))})


def ids_of(frame: pd.DataFrame) -> list[str]:
    return list(frame["flit_id"])


def test_days_come_back_in_order_of_day_with_their_types(store: TableStore):
    store.write("flits", {TUESDAY: flits("c"), MONDAY: flits("a", "b")})
    read = store.read("flits")
    assert ids_of(read) == ["a", "b", "c"]
    assert read["n"].tolist() == [0, 1, 0]
    assert read["flit_id"].dtype == "str" and read["n"].dtype == "int64"


def test_a_day_that_is_written_again_is_replaced_and_the_others_stay(store: TableStore):
    store.write("flits", {MONDAY: flits("a"), TUESDAY: flits("b")}, {MONDAY: "x1", TUESDAY: "y1"})
    store.write("flits", {TUESDAY: flits("b", "c")}, {TUESDAY: "y2"})
    parts = store.parts("flits")
    assert ids_of(store.read("flits")) == ["a", "b", "c"]
    assert {day: (part.rows, part.origin) for day, part in parts.items()} == {
        MONDAY: (1, "x1"),
        TUESDAY: (2, "y2"),
    }


def test_only_the_days_and_columns_that_are_asked_for_are_read(store: TableStore):
    store.write("flits", {MONDAY: flits("a"), TUESDAY: flits("b")})
    read = store.read("flits", [TUESDAY, "2026-01-07"], ["flit_id"])
    assert list(read.columns) == ["flit_id"] and ids_of(read) == ["b"]


def test_days_that_are_not_there_have_no_rows_but_their_columns(store: TableStore):
    store.write("flits", {MONDAY: flits("a")})
    read = store.read("flits", ["2026-01-07"])
    assert len(read) == 0 and list(read.columns) == ["flit_id", "n"]
    assert read["flit_id"].dtype == "str"


def test_a_day_may_be_published_without_rows(store: TableStore):
    store.write("flits", {MONDAY: flits("a")})
    store.write("flits", {MONDAY: flits()}, {MONDAY: "x2"})
    assert store.parts("flits")[MONDAY].rows == 0
    assert len(store.read("flits")) == 0


def test_a_column_that_only_later_days_have_is_null_before(store: TableStore):
    store.write("flits", {MONDAY: flits("a")})
    store.write("flits", {TUESDAY: flits("b").assign(lang="en")})
    assert store.read("flits")["lang"].isna().tolist() == [True, False]


def test_a_table_that_nobody_published_says_so(store: TableStore):
    assert store.parts("flits") == {}
    with pytest.raises(VersionError, match=r"nothing is published of table 'flits' .*run the pip"):
        store.read("flits")


def test_what_the_manifest_does_not_name_does_not_exist(store: TableStore):
    store.write("flits", {MONDAY: flits("a")})
    # An intake that was killed between writing its file and naming it.
    flits("ghost").to_parquet(store.root / "flits" / f"{TUESDAY}.dead.parquet")
    assert ids_of(store.read("flits")) == ["a"]
    assert list(store.parts("flits")) == [MONDAY]


def test_a_reader_that_opened_the_old_part_can_still_read_it_for_a_day(store: TableStore):
    store.write("flits", {WHOLE: flits("old")})
    old = store.root / "flits" / store.parts("flits")[WHOLE].file
    store.write("flits", {WHOLE: flits("new")})
    assert old.is_file()
    long_ago = time.time() - KEEP_UNNAMED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    store.write("flits", {WHOLE: flits("newer")})
    assert not old.exists()
    assert ids_of(store.read("flits")) == ["newer"]


def test_a_frame_that_cannot_be_written_leaves_the_published_one(store: TableStore):
    store.write("flits", {WHOLE: flits("a")}, {WHOLE: "x"})
    before = store.parts("flits")
    with pytest.raises(Exception, match="object"):
        store.write("flits", {WHOLE: pd.DataFrame({"flit_id": [object()]})})
    assert store.parts("flits") == before
    assert before[WHOLE].origin == "x" and before[WHOLE].rows == 1
    assert ids_of(store.read("flits")) == ["a"]


def test_a_frame_conforms_with_the_contracts_columns_in_its_order():
    frame = pd.DataFrame({"extra": [1], "geo": ["CH"], "bird_id": ["b1"]})
    made = conform(frame, BIRDS)
    assert list(made.columns) == ["bird_id", "geo", "joined_at"]
    assert made["joined_at"].isna().tolist() == [True]
    assert conform(FOLLOWS.empty(), FOLLOWS).equals(FOLLOWS.empty())


def test_staged_parts_are_seen_only_when_they_are_published_and_then_are_all_there_is(
    store: TableStore,
):
    store.write("flits", {WHOLE: flits("a")})
    staged = {key: store.stage("flits", key, flits(key)) for key in ("00001", "00000")}
    assert ids_of(store.read("flits")) == ["a"]
    store.publish("flits", staged)
    assert ids_of(store.read("flits")) == ["00000", "00001"]
    assert [ids_of(frame) for frame in store.frames("flits")] == [["00000"], ["00001"]]


def test_parts_that_name_different_ids_are_read_as_one_table(store: TableStore):
    parts = {
        key: store.stage("flits", key, flits(*ids).astype({"flit_id": "category"}))
        for key, ids in (("0", ("b", "a")), ("1", ("c", "b")))
    }
    store.publish("flits", parts)
    assert ids_of(store.read("flits")) == ["b", "a", "c", "b"]


def test_parts_of_a_table_that_is_not_there_say_so(store: TableStore):
    with pytest.raises(VersionError, match="run the pipeline first"):
        list(store.frames("owls"))


def part_file(store: TableStore) -> Path:
    return store.root / "flits" / store.parts("flits")[WHOLE].file


def test_one_flipped_bit_in_a_part_is_found_and_named(store: TableStore):
    store.write("flits", {WHOLE: flits("a", "b")})
    file = part_file(store)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(VersionError, match=rf"{file.name} is damaged: its checksum differs; .*rep"):
        store.read("flits")
    with pytest.raises(VersionError, match="checksum differs"):
        list(store.frames("flits"))
    assert "checksum differs" in store.damage("flits", store.parts("flits")[WHOLE])


@pytest.mark.parametrize("size", [0, 10])
def test_a_truncated_part_is_found_and_named(store: TableStore, size: int):
    store.write("flits", {WHOLE: flits("a")})
    file = part_file(store)
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(VersionError, match=f"{file.name} is damaged"):
        store.read("flits")


def test_a_part_that_is_gone_is_named_and_the_way_out_told(store: TableStore):
    store.write("flits", {WHOLE: flits("a")})
    part_file(store).unlink()
    with pytest.raises(VersionError, match=r"lacks a file that its manifest names; .*repair"):
        store.read("flits")
    assert store.damage("flits", store.parts("flits")[WHOLE]).endswith("is gone")


def test_frames_are_of_one_publication_whatever_is_published_meanwhile(store: TableStore):
    store.write("flits", {"00000": flits("a"), "00001": flits("b")})
    frames = store.frames("flits")
    first = next(frames)
    store.write("flits", {"00000": flits("c"), "00001": flits("d")})
    assert [ids_of(frame) for frame in (first, *frames)] == [["a"], ["b"]]
