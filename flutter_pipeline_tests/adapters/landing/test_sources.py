"""CSV, JSON Lines and Parquet give their rows with line numbers, and say which are broken."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flutter_pipeline.adapters.landing.delimited import open_delimited
from flutter_pipeline.adapters.landing.formats import kind_of, open_source
from flutter_pipeline.adapters.landing.json_lines import REASON, open_json_lines
from flutter_pipeline.adapters.landing.parquet_rows import open_parquet
from flutter_pipeline.adapters.landing.source import Source
from flutter_pipeline.errors import ContractError


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def all_rows(source: Source, wanted: list[str]) -> list[tuple]:
    return [row for chunk in source.chunks(wanted) for row in chunk.rows.rows()]


def all_broken(source: Source, wanted: list[str]) -> list[tuple[int, str]]:
    found = [broken for chunk in source.chunks(wanted) for broken in chunk.broken]
    return [(broken.line, broken.reason) for broken in found]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", ".csv"),
        ("a.TSV.GZ", ".tsv"),
        ("a.jsonl.gz", ".jsonl"),
        ("a.b.ndjson", ".ndjson"),
        ("a.parquet", ".parquet"),
        ("a.parquet.gz", None),
        ("a.xlsx", None),
        ("gz", None),
    ],
)
def test_the_suffix_says_how_a_file_is_read(name: str, kind: str | None):
    assert kind_of(Path(name)) == kind


def test_the_header_is_line_one_of_a_csv(tmp_path: Path):
    source = open_delimited(written(tmp_path / "a.csv", b"a,b\n1,x\n\n2,\n"), None, True)
    assert source.columns == ("a", "b")
    assert all_rows(source, ["b", "a"]) == [("x", "1", 2), (None, "2", 4)]


def test_the_header_tells_the_separator(tmp_path: Path):
    source = open_delimited(written(tmp_path / "a.csv", b'"a";b\n1;"x;y"\n'), None, True)
    assert all_rows(source, ["a", "b"]) == [("1", "x;y", 2)]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path):
    source = open_delimited(written(tmp_path / "a.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n"), None, True)
    assert source.columns == ("a", "b")
    assert all_rows(source, ["a", "b"]) == [("1", "2", 2)]


def test_a_csv_of_a_header_alone_has_no_rows(tmp_path: Path):
    for content in (b"a,b", b"a,b\n"):
        source = open_delimited(written(tmp_path / "a.csv", content), None, True)
        assert all_rows(source, ["a"]) == []


def test_an_empty_csv_and_one_in_another_encoding_are_refused_in_one_line(tmp_path: Path):
    with pytest.raises(ContractError, match="found no header"):
        open_delimited(written(tmp_path / "a.csv", b""), None, True)
    with pytest.raises(ContractError, match="not UTF-8; convert the file"):
        open_delimited(written(tmp_path / "b.csv", "a,b\n".encode("utf-16")), None, True)


def test_a_truncated_gzip_keeps_its_rows_and_breaks_once(tmp_path: Path):
    text = b"a,b\n" + b"".join(b"%d,%x\n" % (n, n * 7919) for n in range(50_000))
    packed = gzip.compress(text)
    source = open_delimited(written(tmp_path / "a.csv.gz", packed[: len(packed) // 2]), None, True)
    rows, broken = all_rows(source, ["a"]), all_broken(source, ["a"])
    assert rows == [(str(n), n + 2) for n in range(len(rows))]
    assert broken == [(len(rows) + 2, "the gzip stream breaks off here")]


def test_json_cells_become_text_with_all_their_digits(tmp_path: Path):
    lines = [
        {"a": 1352796878438424576, "b": "x"},
        {"a": "2", "b": True},
        {"a": 3.0},
        {"a": None, "b": 1.5, "c": [1]},
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    source = open_json_lines(written(tmp_path / "a.jsonl", content))
    assert source.columns == ("a", "b", "c")
    assert all_rows(source, ["a", "b"]) == [
        ("1352796878438424576", "x", 1),
        ("2", "true", 2),
        ("3", None, 3),
        (None, "1.5", 4),
    ]


def test_what_is_in_objects_of_json_is_named_by_its_way_there(tmp_path: Path):
    lines = [
        b'{"id": 1, "account": {"id": 12345678901234567890, "acct": "wren"}, "a.b": "own"}',
        b'{"id": 2, "account": {"acct": "lark", "$type": "bird"}, "a": {"b": "inner"}}',
        b'{"id": 3, "account": null}',
        b'{"id": 4, "account": "a text"}',
        b'{"id": 5, "account": {"acct": {"deeper": [1, 2]}}}',
    ]
    source = open_json_lines(written(tmp_path / "a.jsonl", b"\n".join(lines)))
    assert source.columns[:4] == ("id", "account", "a.b", "a")
    assert set(source.columns[4:]) == {
        *("account.id", "account.acct", "account.$type", "account.acct.deeper"),
    }
    wanted = ["account.acct", "id", "account.id", "account.$type", "account.acct.deeper", "a.b"]
    assert all_rows(source, wanted) == [
        ("wren", "1", "12345678901234567890", None, None, "own", 1),
        ("lark", "2", None, "bird", None, "inner", 2),
        (None, "3", None, None, None, None, 3),
        (None, "4", None, None, None, None, 4),
        ('{"deeper":[1,2]}', "5", None, None, "[1,2]", None, 5),
    ]


def test_a_line_that_is_no_json_object_is_broken_and_the_others_stay(tmp_path: Path):
    content = b'\xef\xbb\xbf{"a": 1}\n{"a": 1\n\n[1]\n{"a": "\xff"}\n{"a": NaN}\n' + (
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}\n" + b'{"a": 2}\n'
    )
    source = open_json_lines(written(tmp_path / "a.jsonl", content))
    assert all_rows(source, ["a"]) == [("1", 1), (None, 6), ("2", 8)]
    *others, deep = sorted(all_broken(source, ["a"]))
    assert others == [(2, REASON), (4, REASON), (5, REASON)]
    assert deep == (
        7,
        "the values are nested 5,001 deep; allowed are 64 (`depth` in [intake.limits])",
    )


def test_parquet_rows_are_numbered_and_keep_their_types(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2], "b": ["x", None]}).write_parquet(path)
    source = open_parquet(path)
    assert all_rows(source, ["b", "a"]) == [("x", 1, 1), (None, 2, 2)]


def test_a_nested_parquet_column_is_unfit_and_says_its_type(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [[1], [2]], "b": [1, 2]}), path)
    source = open_parquet(path)
    assert "column a is of type list<" in (source.unfit("a") or "")
    assert source.unfit("b") is None


def test_a_truncated_parquet_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": range(1_000)}).write_parquet(path)
    written(path, path.read_bytes()[:-100])
    with pytest.raises(ContractError, match="not a whole Parquet file") as raised:
        open_parquet(path)
    assert "\n" not in str(raised.value)


def test_damaged_parquet_pages_keep_the_rows_before_them(tmp_path: Path):
    path = tmp_path / "a.parquet"
    table = pa.table({"a": range(20_000)})
    pq.write_table(table, path, row_group_size=5_000, compression="snappy", use_dictionary=False)
    start = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + 2_000] = b"\xff" * 2_000
    source = open_parquet(written(path, bytes(content)))
    broken = all_broken(source, ["a"])
    assert len(broken) == 1
    assert broken[0][0] == len(all_rows(source, ["a"])) + 1
    assert "cannot be read from here on" in broken[0][1]


def test_a_file_of_another_kind_is_refused_with_what_is_supported(tmp_path: Path):
    with pytest.raises(ContractError, match=r"expected .parquet, .csv"):
        open_source(tmp_path / "a.xlsx", None)


def parquet_of(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_bytes_that_are_no_text_cost_their_row(tmp_path: Path):
    cells = pa.array([b"owl", b"\xff", None, "é".encode()], pa.binary())
    source = open_parquet(parquet_of(tmp_path / "a.parquet", a=cells))
    assert all_rows(source, ["a"]) == [("owl", 1), (None, 3), ("é", 4)]
    assert all_broken(source, ["a"]) == [(2, "column a is not UTF-8")]


def test_a_text_column_that_is_not_utf8_is_read_up_to_the_batch_that_is_not(tmp_path: Path):
    wrong = pa.StringArray.from_buffers(
        2, pa.py_buffer(np.array([0, 1, 2], np.int32)), pa.py_buffer(b"\xff\xfe")
    )
    source = open_parquet(parquet_of(tmp_path / "a.parquet", a=wrong))
    ((line, reason),) = all_broken(source, ["a"])
    assert line == 1
    assert "cannot be read from here on" in reason


def test_times_that_no_calendar_has_and_zones_that_no_map_has_can_be_told(tmp_path: Path):
    far = pa.array([2**62, -(2**62), 1_735_689_600_000_000], pa.timestamp("us"))
    lost = pa.array([0, 1, 2], pa.timestamp("ms", "Mars/Olympus"))
    source = open_parquet(parquet_of(tmp_path / "a.parquet", far=far, lost=lost))
    (chunk,) = source.chunks(["far", "lost"])
    years = chunk.rows["far"].dt.year().to_list()
    assert years == [9999, 1, 2025]
    assert chunk.rows["far"].cast(pl.String).null_count() == 0
    assert chunk.rows["lost"].dtype == pl.Datetime("ms", "UTC")


@pytest.mark.parametrize("kind", [pa.duration("s"), pa.decimal256(70, 2), pa.list_(pa.int64())])
def test_a_type_that_no_cell_can_be_read_from_is_unfit(kind: pa.DataType, tmp_path: Path):
    source = open_parquet(parquet_of(tmp_path / "a.parquet", a=pa.nulls(1, kind)))
    assert "expected text, a number or a time" in (source.unfit("a") or "")


def test_rows_that_are_announced_and_not_there_are_one_broken_row(tmp_path: Path):
    source = open_parquet(parquet_of(tmp_path / "a.parquet", a=pa.array([1, 2])))
    assert all_broken(replace(source, rows=9), ["a"]) == [
        (3, "the Parquet data cannot be read from here on (9 rows are announced, 2 are there)")
    ]


def test_a_name_that_is_no_text_can_be_read(tmp_path: Path):
    path = tmp_path / os.fsdecode(b"\xff.parquet")
    parquet_of(tmp_path / "a", a=pa.array([1])).rename(path)
    assert all_rows(open_parquet(path), ["a"]) == [(1, 1)]


def test_a_header_that_cannot_be_split_says_so(tmp_path: Path):
    with pytest.raises(ContractError, match="cannot be split into columns"):
        open_delimited(written(tmp_path / "a.csv", b"a\rb,c\n1,2\n"), None, True)
