"""Mutated files by number: what is in them, what they are called, and what they are."""

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline_tests.faults.fuzzing.binary_mutations import (
    mutated_gzip,
    mutated_parquet,
    odd_table,
)
from flutter_pipeline_tests.faults.fuzzing.text_mutations import mutated_text
from flutter_pipeline_tests.faults.fuzzing.well_formed import (
    MAPPING,
    TEXT_KINDS,
    gzipped,
    parquet,
    rows_of,
)

KINDS = ("csv", "tsv", "jsonl", "parquet", "parquet", "csv.gz", "tsv.gz", "jsonl.gz", "odd file")
TABLES = ("flits", "flits", "engagements", "engagements", "birds", "follows", "blocks")

NAMES = (
    b"plain", b"with space", b"-rf", b"new\nline", b"esc\x1b[31m", b"not-utf8-\xff\xfe", b"'\"",
    b"%s%n", b"$(touch x)", b"..", b"...", b"a" * 200, "ふくろう🦉".encode(), b"\xe2\x80\xaertl",
    b"semi;colon", b"back\\slash", b"[red]", b"a.zip", b"a.csv", b"*", b"?", b"con", b"~", b"{}",
)  # fmt: skip


@dataclass(frozen=True)
class Mutated:
    """One file, by the seed and the number that make it again."""

    seed: int
    number: int
    kind: str
    name: bytes
    content: bytes

    def drop(self, folder: Path) -> None:
        """Put the file into ``folder``, which exists."""
        path = folder / os.fsdecode(self.name)
        if self.kind == "odd file":
            rng = random.Random(f"what {self.seed} {self.number}")
            rng.choice(ODD_FILES)(path, self.content)
        else:
            path.write_bytes(self.content)


def mutated(seed: int, number: int) -> Mutated:
    """The file of that number: the same on every machine."""
    rng = random.Random(f"{seed} {number}")
    kind = KINDS[number % len(KINDS)]
    suffix = kind if kind != "odd file" else rng.choice(KINDS[:-1])
    name = rng.choice(NAMES) if rng.random() < 0.2 else b"file"
    return Mutated(
        seed, number, kind, name + b"-%d." % number + suffix.encode(), _content(kind, rng)
    )


def mutated_mapping(seed: int, number: int) -> bytes:
    """A mapping of that number."""
    return mutated_text(MAPPING, "toml", random.Random(f"mapping {seed} {number}"))


def _content(kind: str, rng: random.Random) -> bytes:
    rows = rows_of(rng.choice(TABLES), rng)
    if kind == "parquet":
        return mutated_parquet(parquet(odd_table(rows, rng), rng), rng)
    text = "csv" if kind == "odd file" else kind.removesuffix(".gz")
    content = TEXT_KINDS[text](rows)
    if kind == "odd file":
        return content
    if not kind.endswith(".gz"):
        return mutated_text(content, text, rng)
    if rng.random() < 0.5:
        content = mutated_text(content, text, rng)
    return mutated_gzip(gzipped(content, rng), rng)


def _link_out(path: Path, content: bytes) -> None:
    outside = path.parents[1] / f"secret of {path.stem[-5:]}.csv"
    outside.write_bytes(content)
    path.symlink_to(outside)


def _link_in(path: Path, content: bytes) -> None:
    target = path.with_name(f"target-{path.name[-90:]}")
    target.write_bytes(content)
    path.symlink_to(target)


def _link_up(path: Path, content: bytes) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


def _folder(path: Path, content: bytes) -> None:
    path.mkdir()
    (path / "inner.csv").write_bytes(content)


def _unreadable(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0)


def _socket(path: Path, content: bytes) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"s-{path.stem[-5:]}.csv")
    os.chdir(here)


def _huge(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.truncate(path, 1 << 42)


ODD_FILES: tuple[Callable[[Path, bytes], None], ...] = (
    _link_out,
    _link_in,
    _link_up,
    _folder,
    _unreadable,
    _socket,
    _huge,
    lambda path, content: path.symlink_to("/dev/zero"),
    lambda path, content: path.symlink_to("/proc/self/environ"),
    lambda path, content: path.symlink_to(path.name),
    lambda path, content: path.symlink_to("nowhere"),
    lambda path, content: os.mkfifo(path),
    lambda path, content: path.touch(),
)
