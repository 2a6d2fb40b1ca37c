"""Each limit refuses what is past it, in words that name its setting; "null" switches it off."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import Intake, take_in
from flutter_pipeline.adapters.landing.limits import LandingLimits
from flutter_pipeline.adapters.landing.parquet_proof import ParquetProof
from flutter_pipeline.adapters.landing.store import quarantined
from flutter_pipeline.errors import ContractError
from flutter_pipeline.settings import Settings

NOW = datetime(2025, 3, 1, tzinfo=UTC)
HEAD = "flit_id,bird_id,text,created_at\n"
ROW = "{},b,owl,2025-01-02\n"


def take(path: Path, strict: bool = False, **limits: int | None) -> Intake:
    config = IntakeConfig(strict=strict, limits=LandingLimits(**limits))
    return take_in([path], path.parent / "data", config, NOW)


def reasons(path: Path) -> list[str]:
    return quarantined(path.parent / "data")["reason"].tolist()


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_a_file_past_its_size_is_refused_before_it_is_read(tmp_path: Path):
    path = written(tmp_path / "a.csv", HEAD + ROW.format("f1"))
    with pytest.raises(ContractError, match=r"52 bytes; allowed are 51 \(`file_bytes`"):
        take(path, file_bytes=51)
    assert take(path, file_bytes=52).books["flits"].stored == 1


def test_a_row_past_its_length_is_refused_and_the_others_stay(tmp_path: Path):
    long = ROW.format("f2").replace("owl", "o" * 100)
    path = written(tmp_path / "a.csv", HEAD + ROW.format("f1") + long + ROW.format("f3"))
    assert take(path, row_bytes=60).books["flits"].stored == 2
    assert reasons(path) == [
        "the row has more than 60 bytes; allowed are 60 (`row_bytes` in [intake.limits])"
    ]


def test_a_row_of_many_lines_is_as_long_as_its_lines_together(tmp_path: Path):
    long = ROW.format("f2").replace("owl", '"' + "owl\n" * 30 + '"')
    path = written(tmp_path / "a.csv", HEAD + long + ROW.format("f3"))
    assert take(path, row_bytes=60).books["flits"].stored == 1
    assert take(path, row_bytes=None).already_taken == ("a.csv",)
    other = written(tmp_path / "b.csv", HEAD + long + ROW.format("f4"))
    assert take(other, row_bytes=None).books["flits"].stored == 2


def test_a_json_line_past_its_length_or_depth_is_refused(tmp_path: Path):
    row = {"flit_id": "f1", "bird_id": "b", "text": "owl", "created_at": "2025-01-02"}
    lines = [row, {**row, "text": "o" * 200}, {**row, "more": [[[[1]]]]}, {**row, "text": "[" * 9}]
    path = written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines)))
    # The last one is a flit of the same id with another text: brackets in a text nest nothing.
    take(path, row_bytes=150, depth=4)
    assert sorted(reasons(path)) == [
        "a flit of this id is already stored with another text, time or author",
        "the row has more than 150 bytes; allowed are 150 (`row_bytes` in [intake.limits])",
        "the values are nested 5 deep; allowed are 4 (`depth` in [intake.limits])",
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_file_of_too_many_columns_fits_no_table(name: str, tmp_path: Path):
    row = {"flit_id": "f", "bird_id": "b", "text": "owl", "created_at": "2025-01-02", "lang": "en"}
    frame, path = pd.DataFrame([row]), tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    take(path, columns=4)
    (reason,) = reasons(path)
    assert reason.endswith("5 columns; allowed are 4 (`columns` in [intake.limits])")


def test_a_long_id_is_refused_with_its_beginning(tmp_path: Path):
    path = written(tmp_path / "a.csv", HEAD + ROW.format("x" * 11) + ROW.format("x" * 10))
    assert take(path, id_characters=10).books["flits"].stored == 1
    assert reasons(path) == [
        f"flit_id is too long, it begins with '{'x' * 11}'; allowed are 10 (`id_characters` in "
        "[intake.limits])"
    ]


def test_a_gzip_bomb_is_cut_off_and_what_came_before_it_stays(tmp_path: Path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(
        gzip.compress((HEAD + ROW.format("f1")).encode()) + gzip.compress(b"\n" * (20 << 20))
    )
    assert take(path).books["flits"].stored == 1
    (reason,) = reasons(path)
    assert "times as many; allowed are 250 (`unpacked_ratio`" in reason
    path.write_bytes(path.read_bytes() + b"\0")
    take(path, unpacked_ratio=None, unpacked_bytes=1_000)
    assert (
        "unpacks to more than 1,000 bytes; allowed are 1,000 (`unpacked_bytes`" in reasons(path)[1]
    )


def test_the_rest_of_a_file_of_broken_rows_is_not_read(tmp_path: Path):
    # A block ends after some 260,000 short lines.
    path = written(tmp_path / "a.csv", HEAD + ROW.format("f1") + "a\n" * 600_000)
    books = take(path, broken_rows=1_000).books["flits"]
    assert books.stored == 1
    assert books.landed == books.quarantined + 1 < 500_000
    assert "rows are broken, so the rest is not read; allowed are 1,000" in reasons(path)[-1]


def parquet_of_long_texts(path: Path, rows: int, as_dictionary: bool = True) -> Path:
    """A small file that becomes large: one text of a megabyte, many times."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * (1 << 20)])
    ids = pa.array([f"f{n}" for n in range(rows)])
    times = pa.array([NOW] * rows)
    table = pa.table({"flit_id": ids, "bird_id": ids, "text": texts, "created_at": times})
    pq.write_table(table, path, compression="zstd", store_schema=as_dictionary)
    return path


@pytest.mark.parametrize("as_dictionary", [True, False])
def test_a_parquet_bomb_is_refused_for_its_ratio(as_dictionary: bool, tmp_path: Path):
    path = parquet_of_long_texts(tmp_path / "a.parquet", 50, as_dictionary)
    take(path)
    assert "allowed are 250 (`unpacked_ratio`" in reasons(path)[0]


def test_a_parquet_bomb_costs_memory_in_a_process_of_its_own(tmp_path: Path):
    path = parquet_of_long_texts(tmp_path / "a.parquet", 2_000, as_dictionary=False)
    assert path.stat().st_size < 100_000
    with ParquetProof(LandingLimits(unpacked_ratio=None, parquet_memory_bytes=1 << 30)) as proof:
        reason, _ = proof.tried(path, ["text"])
        # The next file is read as if nothing had been.
        assert proof.tried(path, ["bird_id"])[0] is None
    assert reason is not None
    assert "`parquet_memory_bytes`" in reason


@pytest.mark.parametrize("as_dictionary", [True, False])
def test_wide_parquet_rows_are_read_few_at_a_time(as_dictionary: bool, tmp_path: Path):
    path = parquet_of_long_texts(tmp_path / "a.parquet", 3, as_dictionary)
    with ParquetProof(LandingLimits(unpacked_ratio=None)) as proof:
        reason, row_bytes = proof.tried(path, ["text"])
    assert reason is None
    assert 1 << 20 <= row_bytes < 2 << 20


def test_a_row_group_past_its_size_fits_no_table(tmp_path: Path):
    path = parquet_of_long_texts(tmp_path / "a.parquet", 2)
    take(path, row_group_bytes=1_000)
    assert reasons(path)[0].endswith("allowed are 1,000 (`row_group_bytes` in [intake.limits])")


def test_null_in_the_settings_switches_a_limit_off(tmp_path: Path):
    sections = {"intake": {"limits": {"row_bytes": "null", "columns": 7}}}
    limits = Settings(tmp_path, sections=sections).config(IntakeConfig, "intake").limits
    assert (limits.row_bytes, limits.columns, limits.depth) == (None, 7, 64)
