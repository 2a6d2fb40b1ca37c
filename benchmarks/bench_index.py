"""Indexes of flit vectors: how many neighbours each finds, how fast, in how much memory.

    python benchmarks/bench_index.py --sizes 100000 --cache /tmp/vectors
    python benchmarks/bench_index.py --sizes 100000 1000000 --cache /tmp/vectors
    python benchmarks/bench_index.py --sizes 1000000 --vectors mixed --kinds flat pq ivf_pq ivf auto

Vectors are those of simulated flits by the packaged model, or by another encoder. Queries are flits
that no index holds. Every approximate index is tuned to the goal of recall@10 on other flits: ours
by themselves, hnswlib by the same search here. Ways are asked in turn, round by round; given are
medians, by the clock and by seconds of cores, which other work on the machine disturbs less.
Encoding a million flits takes most of an hour; with --cache it is done once.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from simulated_vectors import machine, mixed_vectors, peak_mb, simulated_vectors

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.build import Index, build_index
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.index.exact import nearest_rows, recall_of
from flutter_pipeline.index.tune import least
from flutter_pipeline.index.upkeep import brought_up_to, must_rebuild

QUERIES = 1000
SINGLES = 200
LINKS, BUILD_EFFORT = 32, 100
KINDS = ("flat", "pq", "ivf_pq", "ivf", "hnsw", "hnswlib", "auto")
TENTHS = 10

Found = Callable[[Matrix, int], np.ndarray]
"""Rows of the nearest, shape (queries, k)."""


@dataclass(frozen=True)
class Flits:
    """What is indexed, what is asked, and what should be found."""

    vectors: Matrix
    tuning: Matrix
    queries: Matrix
    exact_scores: Matrix

    def recall(self, rows: np.ndarray) -> float:
        """Of the exact neighbours, as many as ``rows`` has columns."""
        scores = self.exact_scores[:, : rows.shape[1]]
        return recall_of(self.vectors, self.queries, rows, scores)


@dataclass
class Way:
    """One index, and what its searches took."""

    name: str
    find: Found
    build_seconds: float
    megabytes: float
    how: str = ""
    batches: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """By k: seconds by the clock and of cores, for each round."""
    singles: list[float] = field(default_factory=list)


def ours(kind: Any, flits: Flits, options: argparse.Namespace) -> Way:
    """One of this project's kinds."""
    config = IndexConfig(kind=kind, goal=options.goal, exact_below=options.exact_below)
    ids = [str(row) for row in range(len(flits.vectors))]
    start = time.perf_counter()
    index = build_index(ids, flits.vectors, config)
    seconds = time.perf_counter() - start
    size = faiss.serialize_index(index.faiss).nbytes / 2**20
    return Way(kind, lambda asked, k: index.search(asked, k)[1], seconds, size, index.why)


def peer(flits: Flits, options: argparse.Namespace) -> Way:
    """hnswlib with as many links, and with as many candidates kept as the goal takes."""
    import hnswlib

    index = hnswlib.Index(space="ip", dim=flits.vectors.shape[1])
    threads = faiss.omp_get_max_threads()
    start = time.perf_counter()
    index.init_index(max_elements=len(flits.vectors), M=LINKS, ef_construction=BUILD_EFFORT)
    index.add_items(flits.vectors, num_threads=threads)
    seconds = time.perf_counter() - start
    scores, _ = nearest_rows(flits.vectors, flits.tuning, 10)

    def found(asked: Matrix, k: int, kept: int) -> np.ndarray:
        index.set_ef(max(kept, k))
        return index.knn_query(asked, k, num_threads=threads)[0].astype(np.int64)

    def recall(kept: int) -> float:
        return recall_of(flits.vectors, flits.tuning, found(flits.tuning, 10, kept), scores)

    kept = least(recall, options.goal, 10, 4096)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        index.save_index(str(path))
        size = path.stat().st_size / 2**20
    # As ours does: for more neighbours more candidates are kept.
    wider = {10: kept, 100: max(kept, 200)}
    how = f"{LINKS} links, keeps {kept} candidates; built by {threads} threads"
    return Way("hnswlib", lambda q, k: found(q, k, wider.get(k, kept)), seconds, size, how)


def measure(ways: list[Way], flits: Flits, rounds: int) -> None:
    """Ask every way in turn, so many rounds."""
    for _ in range(rounds):
        for way in ways:
            for k in (10, 100):
                clock, cores = time.perf_counter(), time.process_time()
                way.find(flits.queries, k)
                took = (time.perf_counter() - clock, time.process_time() - cores)
                way.batches.setdefault(k, []).append(took)
            start = time.perf_counter()
            for row in range(SINGLES):
                way.find(flits.queries[row : row + 1], 10)
            way.singles.append((time.perf_counter() - start) / SINGLES)


def print_table(ways: list[Way], flits: Flits) -> None:
    """One line a way, then how each came to its settings."""
    print(
        f"{'':8} {'r@10':>6} {'r@100':>6} {'batch/s':>8} {'per core':>8} {'k=100/s':>8} "
        f"{'single ms':>9} {'build s':>8} {'MB':>7}"
    )
    for way in ways:
        recalls = [flits.recall(way.find(flits.queries, k)) for k in (10, 100)]
        clock, cores = (statistics.median(took) for took in zip(*way.batches[10], strict=True))
        hundred = statistics.median(took[0] for took in way.batches[100])
        n = len(flits.queries)
        print(
            f"{way.name:8} {recalls[0]:6.3f} {recalls[1]:6.3f} {n / clock:8,.0f} "
            f"{n / cores:8,.0f} {n / hundred:8,.0f} "
            f"{1000 * statistics.median(way.singles):9.2f} {way.build_seconds:8.1f} "
            f"{way.megabytes:7,.0f}",
            flush=True,
        )
    for way in ways:
        print(f"  {way.name}: {way.how}")


def print_decay(flits: Flits, options: argparse.Namespace) -> None:
    """Recall while a tenth of the flits leaves and a tenth comes, day by day, never built anew."""
    half = len(flits.vectors) // 2
    ids = np.array([str(row) for row in range(len(flits.vectors))], dtype=object)
    config = IndexConfig(goal=options.goal, exact_below=0, graph_below=0)
    index = build_index(ids[:half], flits.vectors[:half], config)
    print(f"\n{half:,} flits, of which a tenth is replaced each day; {index.kind}")
    print(f"{'changed':>8} {'r@10':>6} {'per core':>8} {'update s':>8}  the policy says")
    for day in range(TENTHS + 1):
        start = time.perf_counter()
        today = np.arange(day * half // TENTHS, day * half // TENTHS + half)
        index = brought_up_to(index, ids[today], flits.vectors[today])
        seconds = time.perf_counter() - start
        recall, rate = live_recall(index, flits.vectors[today], flits.queries)
        reasons = must_rebuild(index, recall, IndexConfig(goal=options.goal, kind="ivf"))
        changed = (index.n_added + index.n_taken_out) / index.built_of
        said = "build anew: " + "; ".join(reasons) if reasons else "go on"
        print(f"{changed:8.1f} {recall:6.3f} {rate:8,.0f} {seconds:8.2f}  {said}", flush=True)


def live_recall(index: Index, vectors: Matrix, queries: Matrix) -> tuple[float, float]:
    """Recall@10 against ``vectors``, those of the index's ids, and queries a second of a core."""
    exact_scores, _ = nearest_rows(vectors, queries, 10)
    cores = time.process_time()
    _, rows = index.search(queries, 10)
    cores = time.process_time() - cores
    return recall_of(vectors, queries, rows, exact_scores), len(queries) / cores


def flits_of(size: int, vectors: Matrix) -> Flits:
    """The first ``size`` vectors to index; the last ones to tune and to ask."""
    held = vectors[-2 * QUERIES :]
    # Flits of nothing are left out, so that there may be somewhat fewer.
    known = vectors[: min(size, len(vectors) - len(held))]
    queries = np.ascontiguousarray(held[QUERIES:])
    exact_scores, _ = nearest_rows(known, queries, 100)
    return Flits(known, np.ascontiguousarray(held[:QUERIES]), queries, exact_scores)


def main() -> None:
    """Make the vectors, then build, ask and print for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--encoder", default="bert", help="whose vectors")
    parser.add_argument("--vectors", choices=["simulated", "mixed"], default="simulated")
    parser.add_argument("--cache", type=Path, help="folder that keeps the vectors")
    parser.add_argument("--goal", type=float, default=IndexConfig().goal)
    parser.add_argument("--exact-below", type=int, default=IndexConfig().exact_below)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decay", action="store_true", help="only how recall fares over days")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        make = simulated_vectors if options.vectors == "simulated" else mixed_vectors
        cache = options.cache or Path(temporary)
        vectors = make(max(options.sizes) + 2 * QUERIES, options.encoder, cache)
    for size in options.sizes:
        flits = flits_of(size, vectors)
        shape = f"{len(flits.vectors):,} x {vectors.shape[1]}"
        print(
            f"\n{shape} by {options.encoder}, {options.vectors}; goal {options.goal}; {machine()}"
        )
        if options.decay:
            print_decay(flits, options)
            continue
        ways = [
            peer(flits, options) if kind == "hnswlib" else ours(kind, flits, options)
            for kind in options.kinds
        ]
        measure(ways, flits, options.rounds)
        print_table(ways, flits)
    print(f"peak memory {peak_mb():,.0f} MB")


if __name__ == "__main__":
    main()
