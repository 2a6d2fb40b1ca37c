"""The embedding store beside what one would write by hand: appending, and reading back.

    python benchmarks/bench_store.py --rows 200000 --dim 384

Peers: one ``np.save`` with a dict of rows that is made anew by each reader, and SQLite with one
blob a flit. Every figure is the median of ``--repeats``; the page cache is warm for all of them.
"""

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

BATCH = 8192
SINGLES = 1000


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median time of ``work``."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_store(folder: Path, ids: list[str], vectors: Matrix) -> Callable[[], object]:
    """Append in batches, each time to a new version."""
    store = EmbeddingStore(folder)

    def append() -> None:
        version = f"v{len(store.versions('bench'))}"
        store.create("bench", version, vectors.shape[1], {})
        batches = (
            (ids[first : first + BATCH], vectors[first : first + BATCH])
            for first in range(0, len(ids), BATCH)
        )
        store.append("bench", version, batches)

    return append


def in_numpy(folder: Path, ids: list[str], vectors: Matrix) -> Callable[[], object]:
    """Save everything at once."""

    def save() -> None:
        np.save(folder / "ids.npy", np.array(ids))
        np.save(folder / "vectors.npy", vectors)

    return save


def in_sqlite(folder: Path, ids: list[str], vectors: Matrix) -> Callable[[], object]:
    """Insert row by row in one transaction."""

    def insert() -> None:
        (folder / "vectors.db").unlink(missing_ok=True)
        with closing(sqlite3.connect(folder / "vectors.db")) as database, database:
            database.execute("CREATE TABLE v (id TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID")
            rows = ((name, row.tobytes()) for name, row in zip(ids, vectors, strict=True))
            database.executemany("INSERT INTO v VALUES (?, ?)", rows)

    return insert


def read_numpy(folder: Path, asked: list[str]) -> Matrix:
    """Make the dict anew, as every new process has to, and gather."""
    place = {name: row for row, name in enumerate(np.load(folder / "ids.npy").tolist())}
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    return vectors[[place[name] for name in asked]]


def read_sqlite(folder: Path, asked: list[str]) -> Matrix:
    """Ask for one id after the other."""
    with closing(sqlite3.connect(folder / "vectors.db")) as database:
        select = "SELECT v FROM v WHERE id = ?"
        rows = [database.execute(select, (name,)).fetchone()[0] for name in asked]
    return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(len(asked), -1)


def main() -> None:
    """Write, read, compare, print."""
    arguments = argparse.ArgumentParser(description="The embedding store beside its peers.")
    arguments.add_argument("--rows", type=int, default=200_000)
    arguments.add_argument("--dim", type=int, default=384)
    arguments.add_argument("--repeats", type=int, default=3)
    options = arguments.parse_args()

    rng = np.random.default_rng(0)
    ids = [str(1_500_000_000_000_000_000 + int(i)) for i in rng.permutation(10 * options.rows)]
    ids = ids[: options.rows]
    vectors = unit_rows(rng.standard_normal((options.rows, options.dim), dtype=np.float32))
    asked = [ids[i] for i in rng.permutation(options.rows)]
    singles = asked[:SINGLES]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = {
            "store": seconds(in_store(folder, ids, vectors), options.repeats),
            "numpy + dict": seconds(in_numpy(folder, ids, vectors), options.repeats),
            "sqlite": seconds(in_sqlite(folder, ids, vectors), options.repeats),
        }
        store = EmbeddingStore(folder)
        opened = store.open("bench", "v0")
        open_seconds = seconds(lambda: store.open("bench", "v0"), options.repeats)
        readers: dict[str, Callable[[list[str]], Matrix]] = {
            "store": lambda some: store.open("bench", "v0").vectors(some),
            "numpy + dict": lambda some: read_numpy(folder, some),
            "sqlite": lambda some: read_sqlite(folder, some),
        }
        expected = readers["numpy + dict"](asked)
        assert (readers["store"](asked) == expected).all(), "store gives other vectors"
        assert (readers["sqlite"](singles) == expected[:SINGLES]).all(), "sqlite gives other ones"
        print(f"{options.rows} x {options.dim}, medians of {options.repeats}")
        print(f"{'':14} {'write s':>8} {'rows/s':>9} {'read all s':>10} {'read 1000 ms':>12}")
        for peer, read in readers.items():
            everything = seconds(lambda read=read: read(asked), options.repeats)
            some = 1000 * seconds(lambda read=read: read(singles), options.repeats)
            rate = options.rows / written[peer]
            print(f"{peer:14} {written[peer]:8.2f} {rate:9.0f} {everything:10.2f} {some:12.1f}")
        times = [seconds(lambda one=one: opened.vector(one), 1) for one in singles]
        print(
            f"store: opens in {1000 * open_seconds:.1f} ms; one vector by id "
            f"{1000 * statistics.median(times):.3f} ms median, "
            f"{1000 * statistics.quantiles(times, n=100)[98]:.3f} ms at the 99th percentile; "
            f"verify {seconds(opened.verify, 1):.2f} s; {opened.size_bytes / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
