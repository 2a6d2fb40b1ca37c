"""Files go in, their rows are stored once, and the books balance."""

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.conform import Bounds, conform
from flutter_pipeline.adapters.landing.intake import Intake, take_in
from flutter_pipeline.adapters.landing.ledger import Books, ledger
from flutter_pipeline.adapters.landing.mapping import Mapping, TableRule, TimeColumn
from flutter_pipeline.adapters.landing.plan import Plan
from flutter_pipeline.adapters.landing.store import (
    days_stored,
    quarantined,
    read_days,
    versions_of_days,
)
from flutter_pipeline.contracts.table import PANDAS_DTYPES
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.errors import ConfigError, ContractError

NOW = datetime(2025, 3, 1, tzinfo=UTC)
HEADER = "flit_id,bird_id,text,created_at\n"


def drop(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def take(data: Path, *files: Path, now: datetime = NOW, **config: object) -> Intake:
    return take_in(files, data, IntakeConfig.model_validate(config), now)


def stored(data: Path, table: str = "flits") -> pd.DataFrame:
    return read_days(data, table, days_stored(data, table))


def reasons(data: Path) -> list[tuple[int, str]]:
    rows = quarantined(data)
    return list(zip(rows["line"].tolist(), rows["reason"].tolist(), strict=True))


def test_rows_go_to_the_day_they_belong_to(tmp_path: Path):
    path = drop(
        tmp_path,
        "flits.csv",
        HEADER + "f2,b1,two,2025-01-02T00:00:00Z\nf1,b1,one,2025-01-01T23:59:59.999999Z\n",
    )
    intake = take(tmp_path, path)
    assert intake.books == {"flits": Books(landed=2, stored=2)}
    assert intake.balance
    assert intake.days == {"flits": ("2025-01-01", "2025-01-02")}
    assert days_stored(tmp_path, "flits") == ["2025-01-01", "2025-01-02"]
    assert read_days(tmp_path, "flits", ["2025-01-02"])["flit_id"].tolist() == ["f2"]
    assert stored(tmp_path)["text"].tolist() == ["one", "two"]


def test_an_hourly_cadence_names_days_as_hourly_partitions_are_named(tmp_path: Path):
    path = drop(tmp_path, "a.csv", HEADER + "f1,b1,one,2025-01-01T23:59:59Z\n")
    take(tmp_path, path, cadence="hourly")
    assert days_stored(tmp_path, "flits") == ["2025-01-01-23:00"]
    with pytest.raises(ConfigError, match="is kept hourly, the setting is daily"):
        take(tmp_path, path)


def test_what_is_read_back_has_the_types_of_the_contract(tmp_path: Path):
    files = [
        drop(tmp_path, "a.csv", HEADER + "f1,b1,,2025-01-01\n"),
        drop(
            tmp_path, "b.csv", "bird_id,flit_id,action,occurred_at\nb1,f1,like,2025-01-01T01:00Z\n"
        ),
        drop(tmp_path, "c.csv", "bird_id,geo\nb1,nz\n"),
        drop(tmp_path, "d.csv", "bird_id,follows_id\nb1,b2\n"),
        drop(tmp_path, "e.csv", "bird_id,blocks_id\nb1,b3\n"),
    ]
    take(tmp_path, *files)
    for name, table in LANDED.items():
        frame = stored(tmp_path, name)
        assert len(frame) == 1
        assert frame.dtypes.astype(str).to_dict() == {
            column.name: PANDAS_DTYPES.get(column.dtype, column.dtype) for column in table.columns
        }
        assert frame.dtypes.equals(read_days(tmp_path, name, ["1999-01-01"]).dtypes)
    assert days_stored(tmp_path, "birds") == ["all"]


def test_the_same_content_is_taken_in_once_whatever_it_is_called(tmp_path: Path):
    text = HEADER + "f1,b1,one,2025-01-01\n"
    first = drop(tmp_path, "a.csv", text)
    assert take(tmp_path, first, drop(tmp_path, "b.csv", text)).already_taken == ("b.csv",)
    again = take(tmp_path, first)
    assert (again.taken, again.already_taken, again.days) == ((), ("a.csv",), {})
    assert len(ledger(tmp_path)) == 1


def test_rows_that_were_stored_by_another_file_are_duplicates(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", HEADER + "f1,b1,one,2025-01-01\n"))
    text = HEADER + "f1,b1,one,2025-01-01\nf2,b1,two,2025-01-02\nf2,b1,two,2025-01-02\n"
    intake = take(tmp_path, drop(tmp_path, "b.csv", text))
    assert intake.books == {"flits": Books(landed=3, stored=1, duplicates=2)}
    assert intake.days == {"flits": ("2025-01-02",)}


def test_an_id_that_returns_with_another_text_is_quarantined(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", HEADER + "f1,b1,one,2025-01-01\n"))
    intake = take(tmp_path, drop(tmp_path, "b.csv", HEADER + "f1,b1,other,2025-01-05\n"))
    assert intake.books == {"flits": Books(landed=1, quarantined=1)}
    assert stored(tmp_path)["text"].tolist() == ["one"]
    row = quarantined(tmp_path).iloc[0]
    assert (row["file"], row["line"], row["table"]) == ("b.csv", 2, "flits")
    assert row["reason"] == "a flit of this id is already stored with another text, time or author"
    assert json.loads(row["row"])["text"] == "other"


def test_engagements_repeat_only_if_their_whole_key_does(tmp_path: Path):
    rows = [
        ("b1", "f1", "like", "2025-01-01T00:00:00Z"),
        ("b1", "f1", "like", "2025-01-01T00:00:00Z"),
        ("b1", "f1", "click", "2025-01-01T00:00:00Z"),
        ("b1", "f1", "like", "2025-01-02T00:00:00Z"),
    ]
    text = "bird_id,flit_id,action,occurred_at\n" + "\n".join(map(",".join, rows))
    intake = take(tmp_path, drop(tmp_path, "a.csv", text))
    assert intake.books == {"engagements": Books(landed=4, stored=3, duplicates=1)}


def test_of_birds_the_first_row_stays(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", "bird_id,geo\nb1,nz\nb1,au\n"))
    intake = take(tmp_path, drop(tmp_path, "b.csv", "bird_id,geo\nb1,fr\nb2,\n"))
    assert intake.books == {"birds": Books(landed=2, stored=1, duplicates=1)}
    assert stored(tmp_path, "birds")["geo"].fillna("").tolist() == ["nz", ""]


def test_a_row_of_a_day_that_was_over_arrived_with_the_newest_stored_row(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", HEADER + "f9,b1,x,2025-01-09T12:00:00Z\n"))
    late = "f1,b1,x,2025-01-01T06:00:00Z\nf8,b1,x,2025-01-09T06:00:00Z\n"
    take(tmp_path, drop(tmp_path, "b.csv", HEADER + late))
    arrived = stored(tmp_path).set_index("flit_id")["arrived_at"].astype(str).to_dict()
    assert arrived == {
        "f1": "2025-01-09 12:00:00+00:00",
        "f8": "2025-01-09 06:00:00+00:00",
        "f9": "2025-01-09 12:00:00+00:00",
    }


def test_files_of_one_batch_do_not_make_each_other_late(tmp_path: Path):
    new = drop(tmp_path, "a.csv", HEADER + "f9,b1,x,2025-01-09\n")
    old = drop(tmp_path, "b.csv", HEADER + "f1,b1,x,2025-01-01\n")
    take(tmp_path, new, old)
    frame = stored(tmp_path)
    assert frame["arrived_at"].tolist() == frame["created_at"].tolist()


def test_an_arrival_that_the_file_tells_is_kept_unless_it_precedes_the_event(tmp_path: Path):
    rows = "f1,b1,x,2025-01-01,2025-01-03\nf2,b1,x,2025-01-02,2025-01-01\n"
    take(tmp_path, drop(tmp_path, "a.csv", HEADER.strip() + ",arrived_at\n" + rows))
    assert stored(tmp_path)["arrived_at"].dt.day.tolist() == [3, 2]


def test_a_days_version_changes_when_and_only_when_its_rows_do(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\nf2,b1,x,2025-01-02\n"))
    before = versions_of_days(tmp_path, "flits")
    take(tmp_path, drop(tmp_path, "b.csv", HEADER + "f1,b1,x,2025-01-01\nf3,b1,x,2025-01-02\n"))
    after = versions_of_days(tmp_path, "flits")
    assert before["2025-01-01"] == after["2025-01-01"]
    assert before["2025-01-02"] != after["2025-01-02"]


def rule(unit: str) -> Mapping:
    time = {"created_at": TimeColumn.model_validate({"column": "ms", "unit": unit})}
    return Mapping(table=(TableRule(table="flits", files="a*", time=time),))


def test_a_file_read_by_a_corrected_mapping_replaces_what_it_gave_before(tmp_path: Path):
    path = drop(tmp_path, "a.csv", "flit_id,bird_id,text,ms\nf1,b1,x,1735689600\n")
    assert take(tmp_path, path, mapping=rule("ms")).books["flits"] == Books(1, 0, 0, 1)
    assert take(tmp_path, path, mapping=rule("s")).books["flits"] == Books(1, 1, 0, 0)
    assert (days_stored(tmp_path, "flits"), len(quarantined(tmp_path))) == (["2025-01-01"], 0)
    back = take(tmp_path, path, mapping=rule("ms"))
    assert back.days == {"flits": ("2025-01-01",)}
    assert (days_stored(tmp_path, "flits"), len(quarantined(tmp_path))) == ([], 1)
    assert len(ledger(tmp_path)) == 1
    assert list((tmp_path / "intake" / "flits").rglob("*.parquet")) == []


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
data, *files = map(Path, sys.argv[1:])
first = files[0].stat().st_size
def die(done, total):
    if done > first:
        os._exit(9)
take_in(files, data, IntakeConfig(), datetime(2025, 3, 1, tzinfo=UTC), die)
"""


def test_a_killed_intake_leaves_whole_files_and_is_simply_repeated(tmp_path: Path):
    files = [
        drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n"),
        drop(tmp_path, "b.csv", HEADER + "f2,b1,x,2025-01-02\n,,,\n"),
    ]
    command = [sys.executable, "-c", KILLED, str(tmp_path), *map(str, files)]
    assert subprocess.run(command, check=False).returncode == 9
    assert days_stored(tmp_path, "flits") == ["2025-01-01"]
    again = take(tmp_path, *files)
    assert (again.already_taken, again.days) == (("a.csv",), {"flits": ("2025-01-02",)})
    assert list((tmp_path / "intake" / "scratch").iterdir()) == []


def test_a_part_that_the_ledger_does_not_name_does_not_exist(tmp_path: Path):
    take(tmp_path, drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n"))
    part = next((tmp_path / "intake" / "flits").rglob("*.parquet"))
    stray = part.parent.parent / "2025-01-02" / "stray.parquet"
    stray.parent.mkdir()
    stray.write_bytes(part.read_bytes())
    (part.parent / "stray.parquet").write_bytes(b"half written")
    assert days_stored(tmp_path, "flits") == ["2025-01-01"]
    assert stored(tmp_path)["flit_id"].tolist() == ["f1"]


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_time(tmp_path: Path):
    path = drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n")

    def grow(done: int, total: int) -> None:
        path.write_text(HEADER + "f1,b1,x,2025-01-01\nf2,b1,x,2025-01-02\n")

    intake = take_in([path], tmp_path, IntakeConfig(), NOW, grow)
    assert (intake.taken, intake.changing) == ((), ("a.csv",))
    assert take(tmp_path, path).books["flits"].stored == 2


def refused(data: Path, files: Sequence[Path]) -> str:
    with pytest.raises(ContractError) as raised:
        take(data, *files)
    assert ledger(data) == []
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_files_that_cannot_be_taken_are_refused_before_anything_is_stored(tmp_path: Path):
    good = drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n")
    strange = drop(tmp_path, "b.csv", "x,y\n1,2\n")
    assert "no such file" in refused(tmp_path, [good, tmp_path / "none.csv"])
    assert "unsupported kind" in refused(tmp_path, [good, drop(tmp_path, "c.xlsx", "x")])
    assert "fit no one table" in refused(tmp_path, [good, strange])
    assert "not a whole Parquet" in refused(tmp_path, [good, drop(tmp_path, "d.parquet", "x")])
    assert "found no header" in refused(tmp_path, [good, drop(tmp_path, "e.csv", "")])
    assert "not a file" in refused(tmp_path, [good, tmp_path])


def test_unattended_a_file_that_fits_no_table_is_quarantined_and_the_others_go_on(tmp_path: Path):
    files = [
        drop(tmp_path, "b.csv", "x,y\n1,2\n"),
        drop(tmp_path, "c.parquet", "no parquet"),
        drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n"),
    ]
    intake = take(tmp_path, *files, strict=False)
    assert intake.books == {"flits": Books(1, 1, 0, 0), "unknown": Books(2, 0, 0, 2)}
    assert quarantined(tmp_path)["file"].tolist() == ["b.csv", "c.parquet"]
    assert take(tmp_path, *files, strict=False).taken == ()


def test_every_kind_of_broken_line_is_quarantined_with_its_line(tmp_path: Path):
    good = "f{},b1,x,2025-01-01\n"
    text = (
        (HEADER + good.format(1) + 'f2,b1,"x,2025-01-01\n' + good.format(3)).encode()
        + b"f4,b1,\xff,2025-01-01\n"
        + ("f5,b1,x\n,b1,x,2025-01-01\nf7,b1,x,soon\n" + good.format(8)).encode()
    )
    intake = take(tmp_path, drop(tmp_path, "a.csv", text))
    assert intake.books == {"flits": Books(landed=8, stored=3, quarantined=5)}
    assert [line for line, _ in reasons(tmp_path)] == [3, 5, 6, 7, 8]
    assert stored(tmp_path)["flit_id"].tolist() == ["f1", "f3", "f8"]


def test_a_truncated_gzip_keeps_the_rows_before_the_break(tmp_path: Path):
    rows = "".join(f"f{n},b{n * 7919 % 1000},x,2025-01-01\n" for n in range(20_000))
    packed = gzip.compress((HEADER + rows).encode())
    intake = take(tmp_path, drop(tmp_path, "a.csv.gz", packed[: len(packed) // 2]))
    books = intake.books["flits"]
    assert (books.quarantined, books.landed) == (1, books.stored + 1)
    assert books.stored > 1_000
    assert reasons(tmp_path) == [(books.stored + 2, "the gzip stream breaks off here")]


def test_a_parquet_of_other_types_is_cast_row_by_row(tmp_path: Path):
    path = drop(tmp_path, "flits.parquet", b"")
    pl.DataFrame(
        {
            "flit_id": [1.0, 2.0, None],
            "bird_id": pl.Series(["x", "y", "z"], dtype=pl.Categorical),
            "text": [b"a", b"b", b"c"],
            "created_at": [1735689600000, 5, 1735689600000],
            "sensitive": [1, 0, 0],
        }
    ).write_parquet(path)
    intake = take(tmp_path, path)
    assert intake.books == {"flits": Books(landed=3, stored=1, quarantined=2)}
    assert [line for line, _ in reasons(tmp_path)] == [2, 3]
    assert stored(tmp_path)[["flit_id", "text", "sensitive"]].values.tolist() == [["1", "a", True]]


def test_a_parquet_of_a_type_that_cannot_be_cast_is_quarantined_as_a_whole(tmp_path: Path):
    path = drop(tmp_path, "flits.parquet", b"")
    columns = {"flit_id": [[1], [2]], "bird_id": ["a", "b"], "text": ["x", "y"]}
    pq.write_table(pa.table({**columns, "created_at": ["2025-01-01"] * 2}), path)
    assert take(tmp_path, path).books == {"flits": Books(landed=1, quarantined=1)}
    assert "column flit_id is of type list<" in reasons(tmp_path)[0][1]


def test_mixed_ids_of_two_files_join_as_text(tmp_path: Path):
    lines = [
        {"flit_id": 1, "bird_id": "1", "text": "x", "created_at": "2025-01-01"},
        {"flit_id": "2", "bird_id": 1.0, "text": "x", "created_at": 1735689600},
    ]
    text = "\n".join(map(json.dumps, lines))
    take(tmp_path, drop(tmp_path, "a.jsonl", text))
    assert stored(tmp_path)[["flit_id", "bird_id"]].values.tolist() == [["1", "1"], ["2", "1"]]


def test_one_file_may_feed_several_tables(tmp_path: Path):
    path = drop(tmp_path, "export.csv", "who,land,whom\nb1,nz,b2\nb1,nz,b3\n")
    mapping = Mapping(
        table=(
            TableRule(table="birds", columns={"bird_id": "who", "geo": "land"}),
            TableRule(table="follows", columns={"bird_id": "who", "follows_id": "whom"}),
        )
    )
    intake = take(tmp_path, path, mapping=mapping)
    assert intake.books == {"birds": Books(2, 1, 1, 0), "follows": Books(2, 2, 0, 0)}


def test_progress_ends_with_all_bytes(tmp_path: Path):
    files = [
        drop(tmp_path, "a.csv", HEADER + "f1,b1,x,2025-01-01\n"),
        drop(tmp_path, "b.csv.gz", gzip.compress((HEADER + "f2,b1,x,2025-01-02\n").encode())),
    ]
    seen: list[tuple[int, int]] = []
    take_in(files, tmp_path, IntakeConfig(), NOW, lambda done, total: seen.append((done, total)))
    total = sum(path.stat().st_size for path in files)
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


def test_a_moment_without_a_zone_and_an_unknown_table_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="no time zone"):
        take(tmp_path, now=datetime(2025, 3, 1))
    with pytest.raises(ContractError, match="no table is called 'posts'"):
        read_days(tmp_path, "posts", [])


def test_a_file_that_ends_the_library_that_reads_it_is_refused_and_the_next_goes_in(
    tmp_path: Path, monkeypatch
):
    def panic(raw: pl.DataFrame, plan: Plan, bounds: Bounds) -> pl.DataFrame:
        if "boom" in raw["flit_id"].to_list():
            raise pl.exceptions.PanicException("out of range")
        return conform(raw, plan, bounds)

    monkeypatch.setattr("flutter_pipeline.adapters.landing.taking.conform", panic)
    head = "flit_id,bird_id,text,created_at\n"
    for name in ("boom", "f1"):
        (tmp_path / f"{name}.csv").write_text(f"{head}{name},b,owl,2025-01-02\n")
    files = [tmp_path / "boom.csv", tmp_path / "f1.csv"]
    intake = take_in(files, tmp_path / "data", IntakeConfig(), datetime(2025, 3, 1, tzinfo=UTC))
    assert intake.books["flits"].stored == 1
    assert intake.books["unknown"].quarantined == 1
    (reason,) = quarantined(tmp_path / "data")["reason"]
    assert reason == "the file cannot be read (PanicException: out of range)"
    assert not list((tmp_path / "data" / "intake" / "scratch").iterdir())
