"""Well-formed landing files of every kind, to be mutated; the same seed gives the same bytes."""

import gzip
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[dict[str, object]]
START = datetime(2025, 1, 1, tzinfo=UTC)
TEXTS = (
    "an owl at dawn",
    'she said "fly", and flew',
    "two\nlines, and a comma",
    "ふくろうは 夜に鳴く 🦉",
    "<b>bold</b> & [red]markup[/red]",
    "",
    "nul \x00 and escape \x1b[31m",
)
ACTIONS = ("impression", "click", "like", "share", "reply", "hide", "report", "love")


def rows_of(table: str, rng: random.Random) -> Rows:
    """Between one and forty rows of a table, most of them within the contract."""
    return [_row(table, number, rng) for number in range(rng.randint(1, 40))]


def _row(table: str, number: int, rng: random.Random) -> dict[str, object]:
    bird, flit = f"b{rng.randrange(9)}", f"f{number}"
    time = (START + timedelta(minutes=rng.randrange(4000))).isoformat()
    return {
        "flits": {
            "flit_id": flit, "bird_id": bird, "text": rng.choice(TEXTS), "created_at": time,
            "lang": rng.choice(["en", "ja", None]), "sensitive": rng.choice([True, False, None]),
        },
        "engagements": {
            "bird_id": bird, "flit_id": flit, "action": rng.choice(ACTIONS), "occurred_at": time,
            "position": rng.choice([1, 2, None]),
        },
        "birds": {"bird_id": bird, "geo": "nz", "joined_at": time},
        "follows": {"bird_id": bird, "follows_id": f"b{rng.randrange(9)}"},
        "blocks": {"bird_id": bird, "blocks_id": f"b{rng.randrange(9)}"},
    }[table]  # fmt: skip


def delimited(rows: Rows, separator: str) -> bytes:
    """The rows as CSV or TSV, quoted where they have to be."""
    names = list(rows[0])
    lines = [separator.join(names)]
    for row in rows:
        lines.append(separator.join(_field(row[name], separator) for name in names))
    return ("\n".join(lines) + "\n").encode()


def _field(value: object, separator: str) -> str:
    text = "" if value is None else str(value)
    if any(mark in text for mark in ('"', "\n", "\r", separator)):
        return '"' + text.replace('"', '""') + '"'
    return text


def json_lines(rows: Rows) -> bytes:
    """The rows as JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def parquet(table: pa.Table, rng: random.Random) -> bytes:
    """A table as Parquet, written in one of the many ways in which it may be."""
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression=rng.choice(["none", "snappy", "zstd", "gzip", "brotli", "lz4"]),
        use_dictionary=rng.random() < 0.5,
        row_group_size=rng.choice([1, 3, 10, 1000]),
        data_page_size=rng.choice([1, 64, 1 << 20]),
        data_page_version=rng.choice(["1.0", "2.0"]),
        version=rng.choice(["1.0", "2.4", "2.6"]),
        write_statistics=rng.random() < 0.8,
        write_page_index=rng.random() < 0.3,
        write_page_checksum=rng.random() < 0.2,
        use_deprecated_int96_timestamps=rng.random() < 0.1,
    )
    return sink.getvalue()


def gzipped(content: bytes, rng: random.Random) -> bytes:
    """The content as one gzip member, or as several."""
    if rng.random() < 0.7 or len(content) < 4:
        return gzip.compress(content, mtime=0)
    at = rng.randrange(len(content))
    return gzip.compress(content[:at], mtime=0) + gzip.compress(content[at:], mtime=0)


TEXT_KINDS: dict[str, Callable[[Rows], bytes]] = {
    "csv": lambda rows: delimited(rows, ","),
    "tsv": lambda rows: delimited(rows, "\t"),
    "jsonl": json_lines,
}

MAPPING = b"""
[[table]]
table = "flits"
files = "notes*"
html_escaped = ["text"]
columns = { flit_id = "id", bird_id = "who", text = "note" }
constants = { lang = "en" }
time.created_at = { column = "when", unit = "ms" }

[[table]]
table = "engagements"
files = "*likes*.csv"
quoting = false
separator = ";"
columns = { flit_id = "id", bird_id = "who" }
time.occurred_at = { column = "when", format = "%d/%m/%Y %H:%M" }
actions = [{ action = "like", column = "liked", equals = 1 }, { action = "impression" }]
otherwise = "click"
"""
