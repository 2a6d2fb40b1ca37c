"""The embedding store beside what one would write by hand: appending, and reading back.

    python benchmarks/bench_store.py --rows 1000000 --dim 384
    python benchmarks/bench_store.py loss --flits 20000 --cache /tmp/vectors

Peers: one ``np.save`` with a dict of rows that is made anew by each reader, and SQLite with one
blob a flit. Ways take turns, round by round; given are medians by the clock. The page cache is warm
for all of them. ``loss`` says what smaller numbers cost: cosines of vectors with themselves, and
how many of the ten nearest stay the same, on vectors of simulated flits.
"""

import argparse
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from simulated_vectors import machine, peak_mb, simulated_vectors

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.numbers import (
    KNOWN,
    Numbers,
    StoreConfig,
    bytes_of_row,
    packed,
    unpacked,
)
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.index.exact import nearest_rows, recall_of

BATCH = 8192
SINGLES = 1000
QUERIES = 1000
NEIGHBOURS = 10


def seconds(work: Callable[[], object]) -> float:
    """Time of ``work``."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class InStore:
    """The store, with vectors in some numbers; each round makes a new version."""

    def __init__(self, folder: Path, numbers: Numbers) -> None:
        self.name = f"store {numbers}"
        self.store = EmbeddingStore(folder / numbers, config=StoreConfig(numbers=numbers))
        self.made = 0

    def write(self, ids: list[str], vectors: Matrix) -> None:
        """Append in batches."""
        shutil.rmtree(self.store.root / "bench", ignore_errors=True)
        self.made += 1
        self.store.create("bench", self._version, vectors.shape[1], {})
        batches = (
            (ids[first : first + BATCH], vectors[first : first + BATCH])
            for first in range(0, len(ids), BATCH)
        )
        self.store.append("bench", self._version, batches)

    def read(self, asked: list[str]) -> Matrix:
        """Open and gather."""
        return self.store.open("bench", self._version).vectors(asked)

    def read_singly(self, asked: list[str]) -> list[float]:
        """Seconds for each of many, one after the other, of a version that is open."""
        opened = self.store.open("bench", self._version)
        return [seconds(lambda one=one: opened.vector(one)) for one in asked]

    def megabytes(self) -> float:
        """On disk."""
        return self.store.open("bench", self._version).size_bytes / 2**20

    @property
    def _version(self) -> str:
        return f"v{self.made}"


class InNumpy:
    """Two arrays, and a dict that every reader makes anew."""

    name = "numpy + dict"

    def __init__(self, folder: Path) -> None:
        self.files = folder / "ids.npy", folder / "vectors.npy"

    def write(self, ids: list[str], vectors: Matrix) -> None:
        """Save everything at once."""
        np.save(self.files[0], np.array(ids))
        np.save(self.files[1], vectors)

    def read(self, asked: list[str]) -> Matrix:
        """Make the dict, as every new process has to, and gather."""
        place = self._places()
        return np.load(self.files[1], mmap_mode="r")[[place[name] for name in asked]]

    def read_singly(self, asked: list[str]) -> list[float]:
        """Seconds for each of many, one after the other, once the dict is there."""
        place, vectors = self._places(), np.load(self.files[1], mmap_mode="r")
        return [seconds(lambda one=one: np.array(vectors[place[one]])) for one in asked]

    def megabytes(self) -> float:
        """On disk."""
        return sum(path.stat().st_size for path in self.files) / 2**20

    def _places(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(np.load(self.files[0]).tolist())}


class InSqlite:
    """A row a flit, in one table."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "vectors.db"

    def write(self, ids: list[str], vectors: Matrix) -> None:
        """Insert row by row in one transaction."""
        self.path.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute("CREATE TABLE v (id TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
            rows = ((name, row.tobytes()) for name, row in zip(ids, vectors, strict=True))
            database.executemany("INSERT INTO v VALUES (?, ?)", rows)

    def read(self, asked: list[str]) -> Matrix:
        """Ask for one id after the other."""
        with closing(sqlite3.connect(self.path)) as database:
            rows = [self._one(database, name) for name in asked]
        return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(len(asked), -1)

    def read_singly(self, asked: list[str]) -> list[float]:
        """Seconds for each of many, one after the other, of a database that is open."""
        with closing(sqlite3.connect(self.path)) as database:
            return [
                seconds(lambda one=one: np.frombuffer(self._one(database, one), np.float32))
                for one in asked
            ]

    def megabytes(self) -> float:
        """On disk."""
        return self.path.stat().st_size / 2**20

    @staticmethod
    def _one(database: sqlite3.Connection, name: str) -> bytes:
        return database.execute("SELECT v FROM v WHERE id = ?", (name,)).fetchone()[0]


def bench_speed(options: argparse.Namespace) -> None:
    """Write, read, compare, print."""
    rng = np.random.default_rng(0)
    numbers = rng.permutation(10 * options.rows)[: options.rows]
    ids = [str(1_500_000_000_000_000_000 + int(number)) for number in numbers]
    vectors = unit_rows(rng.standard_normal((options.rows, options.dim), dtype=np.float32))
    asked = [ids[row] for row in rng.permutation(options.rows)[: options.rows // 4]]
    singles = asked[:SINGLES]
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        ways = [
            *(InStore(folder, kind) for kind in KNOWN.values()),
            InNumpy(folder),
            InSqlite(folder),
        ]
        took: dict[str, list[list[float]]] = {way.name: [] for way in ways}
        for _ in range(options.rounds):
            for way in ways:
                round_ = [seconds(lambda way=way: way.write(ids, vectors))]
                round_ += [
                    seconds(lambda way=way, s=some: way.read(s)) for some in (asked, singles)
                ]
                each = way.read_singly(singles)
                round_ += [statistics.median(each), statistics.quantiles(each, n=100)[98]]
                took[way.name].append(round_)
        expected = InNumpy(folder).read(asked)
        for way in ways:
            if not np.allclose(way.read(asked), expected, atol=2e-3):
                raise SystemExit(f"{way.name} gives other vectors")
        print(f"{options.rows:,} x {options.dim}, {options.rounds} rounds; {machine()}")
        print(
            f"{'':14} {'write s':>8} {'rows/s':>9} {'read 1/4 s':>10} {'rows/s':>9} "
            f"{'open+1000 ms':>12} {'one ms':>8} {'p99 ms':>8} {'MB':>6}"
        )
        for way in ways:
            write, read, some, one, slow = (
                statistics.median(times) for times in zip(*took[way.name], strict=True)
            )
            print(
                f"{way.name:14} {write:8.2f} {options.rows / write:9,.0f} {read:10.2f} "
                f"{len(asked) / read:9,.0f} {1000 * some:12.1f} {1000 * one:8.3f} "
                f"{1000 * slow:8.3f} {way.megabytes():6,.0f}"
            )
    print(f"peak memory {peak_mb():,.0f} MB")


def bench_loss(options: argparse.Namespace) -> None:
    """What each encoder's vectors lose in smaller numbers."""
    print(f"{options.flits:,} simulated flits and {QUERIES:,} that ask")
    print(
        f"{'':6} {'numbers':8} {'bytes':>6} {'mean cos':>9} {'least cos':>9} {'same 10':>8} "
        f"{'as near':>8}"
    )
    for encoder in options.encoders:
        vectors = simulated_vectors(options.flits + QUERIES, encoder, options.cache)
        known, queries = vectors[:-QUERIES], vectors[-QUERIES:]
        exact_scores, exact_rows = nearest_rows(known, queries, NEIGHBOURS)
        for numbers in KNOWN.values():
            kept, asking = (unpacked(packed(some, numbers), numbers) for some in (known, queries))
            cosines = np.einsum("nd,nd->n", known, kept)
            _, rows = nearest_rows(kept, asking, NEIGHBOURS)
            same = (rows[:, :, None] == exact_rows[:, None, :]).any(axis=2).mean()
            print(
                f"{encoder:6} {numbers:8} {bytes_of_row(numbers, known.shape[1]):6} "
                f"{cosines.mean():9.6f} {cosines.min():9.6f} {same:8.4f} "
                f"{recall_of(known, queries, rows, exact_scores):8.4f}",
                flush=True,
            )
    print("same 10: share of the ten nearest that stay; as near: the same, counting equally near")


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=["speed", "loss"], default="speed")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write; else a temporary folder")
    parser.add_argument("--encoders", nargs="+", default=["tfidf", "cbow", "bert"])
    parser.add_argument("--flits", type=int, default=20_000)
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    options = parser.parse_args()
    if options.what == "speed":
        bench_speed(options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        options.cache = options.cache or Path(temporary)
        bench_loss(options)


if __name__ == "__main__":
    main()
