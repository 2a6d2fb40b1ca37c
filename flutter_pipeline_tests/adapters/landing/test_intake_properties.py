"""What holds for every file, however broken, and for every way of cutting a table into files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.store import days_stored, quarantined, read_days

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FEW = settings(max_examples=30, deadline=None)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


CELLS = st.sampled_from(
    ["f1", "f2", "", '"', '"x"', "a,b", "2025-01-01", "0", "1735689600", "like", "\r", "\xff", "é"]
)
CSV = st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=12).map("\n".join)
JSON = st.lists(
    st.sampled_from(
        [
            '{"flit_id": 1, "bird_id": 2, "text": "x", "created_at": "2025-01-01"}',
            '{"flit_id": 1, "bird_id": 2, "text": "y", "created_at": "2025-01-01"}',
            '{"flit_id": "3", "bird_id": null, "text": NaN, "created_at": 1735689600}',
            '{"flit_id": [3], "bird_id": {"a": 1}, "text": true, "created_at": "soon"}',
            '{"flit_id": 4, "bird_id": 2, "text": "\\ud800", "created_at": 1735689600.5}',
            "{}",
            "[]",
            '{"flit_id": ',
            "",
            "\xff",
        ]
    ),
    max_size=12,
).map("\n".join)
HEADERS = {
    "flits": "flit_id,bird_id,text,created_at",
    "engagements": "bird_id,flit_id,action,occurred_at",
}


def check_books(data: Path, path: Path) -> None:
    intake = take_in([path], data, IntakeConfig(strict=False), NOW)
    (file,) = intake.taken
    for table, taken in file.tables.items():
        books = taken.books
        assert books.landed == books.stored + books.duplicates + books.quarantined
        if table != "unknown":
            assert len(read_days(data, table, days_stored(data, table))) == books.stored
    refused = sum(taken.books.quarantined for taken in file.tables.values())
    assert len(quarantined(data)) == refused


@FEW
@given(st.sampled_from(sorted(HEADERS)), CSV)
def test_the_books_of_any_csv_balance(table: str, rows: str):
    with folder() as data:
        path = data / "a.csv"
        path.write_bytes(f"{HEADERS[table]}\n{rows}".encode("latin-1"))
        check_books(data, path)


@FEW
@given(JSON)
def test_the_books_of_any_json_lines_balance(rows: str):
    with folder() as data:
        path = data / "a.jsonl"
        path.write_bytes(rows.encode("latin-1"))
        check_books(data, path)


@FEW
@given(st.binary(max_size=200), st.sampled_from(["csv", "tsv.gz", "jsonl", "parquet", "csv.gz"]))
def test_the_books_of_any_bytes_balance(content: bytes, suffix: str):
    with folder() as data:
        path = data / f"a.{suffix}"
        path.write_bytes(content)
        check_books(data, path)


ENGAGEMENTS = st.lists(
    st.tuples(
        st.sampled_from(["b1", "b2"]),
        st.sampled_from(["f1", "f2", ""]),
        st.sampled_from(["like", "click", "love"]),
        st.sampled_from(["2025-01-01T10:00:00Z", "2025-01-02T10:00:00Z", "1969-01-01"]),
    ),
    min_size=1,
    max_size=12,
)
COLUMNS = ["bird_id", "flit_id", "action", "occurred_at"]


def write(rows: list[tuple], path: Path) -> Path:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()), orient="row")
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path)
    return path


def stored(data: Path) -> list[tuple]:
    frame = read_days(data, "engagements", days_stored(data, "engagements"))
    return list(frame[COLUMNS].itertuples(index=False, name=None))


@FEW
@given(ENGAGEMENTS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_cut_of_a_table_into_files_in_any_order_stores_the_same_rows(rows, random, pieces):
    with folder() as whole, folder() as cut:
        take_in([write(rows, whole / "a.csv")], whole, IntakeConfig(), NOW)
        shuffled = random.sample(rows, len(rows))
        for piece in range(pieces):
            suffix = random.choice(["csv", "jsonl", "parquet"])
            if shuffled[piece::pieces]:
                path = write(shuffled[piece::pieces], cut / f"{piece}.{suffix}")
                take_in([path], cut, IntakeConfig(), NOW)
        assert stored(cut) == stored(whole)


@FEW
@given(ENGAGEMENTS)
def test_taking_the_same_rows_in_twice_stores_nothing_new(rows):
    with folder() as data:
        first = write(rows, data / "a.csv")
        take_in([first], data, IntakeConfig(), NOW)
        before = stored(data)
        assert take_in([first], data, IntakeConfig(), NOW).taken == ()
        other = write(rows, data / "b.parquet")
        books = take_in([other], data, IntakeConfig(), NOW).books["engagements"]
        assert (books.stored, books.landed) == (0, len(rows))
        assert stored(data) == before


@pytest.mark.parametrize("cadence", ["daily", "hourly"])
def test_the_order_of_rows_does_not_matter(tmp_path: Path, cadence: str):
    rows = [("b1", f"f{n}", "like", f"2025-01-0{n % 3 + 1}T1{n % 5}:00:00Z") for n in range(30)]
    config = IntakeConfig.model_validate({"cadence": cadence})
    for name, order in (("x", rows), ("y", rows[::-1])):
        (tmp_path / name).mkdir()
        take_in([write(order, tmp_path / name / "a.csv")], tmp_path / name, config, NOW)
    assert stored(tmp_path / "x") == stored(tmp_path / "y")
