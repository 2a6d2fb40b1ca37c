"""Ways to break Parquet and gzip: their bytes, their lengths and counts, and what is in them."""

import gzip
import random
import struct
import zlib
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

import pyarrow as pa

from flutter_pipeline_tests.faults.fuzzing.text_mutations import cut, delete, flip_bits, repeat
from flutter_pipeline_tests.faults.fuzzing.well_formed import Rows

COUNT_HEADER = b"\x16"
"""In Thrift's compact protocol: the next field, a 64-bit number. Counts and sizes look so."""


def odd_table(rows: Rows, rng: random.Random) -> pa.Table:
    """The rows as Arrow, most often with columns of types that nobody expects."""
    table = pa.table({name: [_text(row[name]) for row in rows] for name in rows[0]})
    for name in table.column_names:
        if rng.random() < 0.25:
            at = table.column_names.index(name)
            table = table.set_column(at, name, _odd_column(len(rows), rng))
    if rng.random() < 0.05:
        names = list(table.column_names)
        names[rng.randrange(len(names))] = rng.choice(names)
        table = table.rename_columns(names)
    if rng.random() < 0.05:
        table = table.slice(0, 0)
    if rng.random() < 0.02:
        table = pa.table({})
    return table


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _odd_column(height: int, rng: random.Random) -> pa.Array:
    number = [rng.choice([0, 1, -1, 2**31, 2**62, None]) for _ in range(height)]
    day = [date(2025, 1, 1) + timedelta(days=rng.randrange(90)) for _ in range(height)]
    makers: list[Callable[[], pa.Array]] = [
        lambda: pa.array(number, pa.int64()),
        lambda: pa.array([rng.choice([0.5, float("nan"), 1e300, -0.0]) for _ in day], pa.float64()),
        lambda: pa.array([rng.choice([0.5, 1.0, None]) for _ in day], pa.float32()),
        lambda: pa.array([1, 200, 255] * height, pa.uint8()).slice(0, height),
        lambda: pa.array([2**64 - 1] * height, pa.uint64()),
        lambda: pa.array([[1, 2]] * height, pa.list_(pa.int64())),
        lambda: pa.array([{"a": {"b": 1}}] * height),
        lambda: pa.array([[("k", 1)]] * height, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([Decimal("1.23")] * height, pa.decimal128(38, 2)),
        lambda: pa.array([Decimal("1.23")] * height, pa.decimal256(70, 2)),
        lambda: pa.array(day, pa.date32()),
        lambda: pa.array(day, pa.date64()),
        lambda: pa.array([time(1, 2, 3)] * height, pa.time64("us")),
        lambda: pa.array([timedelta(days=1)] * height, pa.duration("us")),
        lambda: pa.array([datetime(2025, 1, 1)] * height, pa.timestamp("ns")),
        lambda: pa.array([2**63 - 1, -(2**63)] * height, pa.timestamp("us")).slice(0, height),
        lambda: pa.array([10**12] * height, pa.timestamp("s", "Asia/Tokyo")),
        lambda: pa.array([1] * height, pa.timestamp("ms", "Mars/Olympus")),
        lambda: pa.array([b"\xff\xfe", b"ok"] * height, pa.binary()).slice(0, height),
        lambda: pa.array([b"abc"] * height, pa.binary(3)),
        lambda: pa.array(["x"] * height, pa.large_string()),
        lambda: pa.array(["x"] * height, pa.string_view()),
        lambda: pa.array(["x", "y"] * height).slice(0, height).dictionary_encode(),
        lambda: pa.array([True, None] * height).slice(0, height),
        lambda: pa.nulls(height),
        lambda: pa.array([1.5] * height, pa.float16()),
        lambda: pa.array(["z" * 300_000] * height),
    ]
    try:
        return rng.choice(makers)()
    except (pa.ArrowException, ValueError):
        return pa.nulls(height)


def mutated_parquet(content: bytes, rng: random.Random) -> bytes:
    """One to four mutations, most of them where Parquet keeps its lengths and counts."""
    kinds = (_footer, _footer, _counts, _counts, _pages, _pages, _length, _magic)
    some = (cut, delete, repeat, flip_bits)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 4])):
        content = rng.choice(kinds if rng.random() < 0.8 else some)(content, rng)
    return content


def _footer_start(content: bytes) -> int:
    if len(content) < 12:
        return 0
    length = struct.unpack("<I", content[-8:-4])[0]
    return max(4, len(content) - 8 - length)


def _footer(content: bytes, rng: random.Random) -> bytes:
    start = _footer_start(content)
    return content[:start] + flip_bits(content[start:-8], rng) + content[-8:]


def _pages(content: bytes, rng: random.Random) -> bytes:
    start = _footer_start(content)
    return content[:4] + flip_bits(content[4:start], rng) + content[start:]


def _counts(content: bytes, rng: random.Random) -> bytes:
    """Another number in place of one of the counts and sizes of the footer."""
    start = _footer_start(content)
    footer = content[start:-8]
    places = [at for at in range(len(footer)) if footer[at : at + 1] == COUNT_HEADER]
    if not places:
        return content
    at = rng.choice(places)
    end = at + 1
    while end < len(footer) and footer[end] & 0x80:
        end += 1
    number = rng.choice([0, 1, -1, 7, 1 << 20, 1 << 31, 1 << 40, (1 << 62), -(1 << 62)])
    changed = footer[: at + 1] + _varint((number << 1) ^ (number >> 63)) + footer[end + 1 :]
    return content[:start] + changed + struct.pack("<I", len(changed)) + content[-4:]


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def _length(content: bytes, rng: random.Random) -> bytes:
    length = rng.choice([0, 1, 2**31, 2**32 - 1, len(content), rng.randrange(5_000)])
    return content[:-8] + struct.pack("<I", length) + content[-4:]


def _magic(content: bytes, rng: random.Random) -> bytes:
    return content[:-4] + rng.choice([b"PARE", b"PAR2", b"\0\0\0\0", b"PK\x03\x04"])


def mutated_gzip(content: bytes, rng: random.Random) -> bytes:
    """The gzipped content with its bytes broken, members added, or swollen."""
    kinds: list[Callable[[], bytes]] = [
        lambda: content,
        lambda: cut(content, rng),
        lambda: flip_bits(content, rng),
        lambda: delete(content, rng),
        lambda: repeat(content, rng),
        lambda: content + content,
        lambda: content + rng.randbytes(rng.choice([1, 100])),
        lambda: content + b"\0" * rng.choice([1, 511, 100_000]) + content,
        lambda: gzip.compress(content, mtime=0),
        lambda: content + gzip.compress(b"", mtime=0) * rng.choice([1, 20_000]),
        lambda: b"\x1f\x8b\x08\x08" + content[4:10] + b"n" * 70_000 + b"\0" + content[10:],
        lambda: zlib.compress(content),
        lambda: b"PK\x03\x04" + content,
        lambda: content + bomb(rng.choice([b"\0", b"x", b"\n", b'"', b"a,b,c,d\n", b"[", b"{}\n"])),
    ]
    weights = [4] * (len(kinds) - 1) + [1]
    return rng.choices(kinds, weights)[0]()


@cache
def bomb(unit: bytes, megabytes: int = 256) -> bytes:
    """A gzip member of a few hundred kilobytes that becomes ``megabytes``."""
    squeezed = zlib.compressobj(9, wbits=31)
    piece = unit * ((1 << 20) // len(unit))
    return b"".join(squeezed.compress(piece) for _ in range(megabytes)) + squeezed.flush()
