"""Count-based encoders: TF-IDF beside scikit-learn, sparse search beside sparse_dot_topn, seconds.

    python benchmarks/bench_counts.py tfidf --flits 1000000
    python benchmarks/bench_counts.py neighbours --flits 1000000 --queries 500
    python benchmarks/bench_counts.py encoders --flits 100000

Flits are spliced from tweets of the folder that FLUTTER_BENCHMARK_DATA names: the beginning of one
and the end of another. Every figure is the median of interleaved rounds; seconds are given by the
clock and of cores used, for other work on the machine disturbs the second less.
"""

import argparse
import gzip
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel
from scipy.sparse import csr_matrix

from flutter_pipeline.adapters.measure import measured
from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.encoder import Lessons
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.embeddings.tfidf import TfidfConfig
from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_and_count, learn_vocabulary
from flutter_pipeline.embeddings.weighting import flits_with_each, smooth_idf, tf_idf

ROUNDS = 3
WORDS = 60_000
"""Columns of the weights that are searched."""
BEST = 10


@dataclass(frozen=True)
class Cost:
    """What something took: by the clock, of cores, and at its peak over what was loaded."""

    clock: float
    cores: float
    peak_mb: float


def spliced(n: int, lower: bool = True) -> list[str]:
    """``n`` flits; the same for the same ``n``."""
    data = Path(os.environ["FLUTTER_BENCHMARK_DATA"])
    with gzip.open(data / "corpora" / "tweets_100k.txt.gz", "rt", encoding="utf-8") as file:
        tweets = [(line.lower() if lower else line).split() for line in file]
    draw, flits = random.Random(0), []
    for _ in range(n):
        left, right = draw.choice(tweets), draw.choice(tweets)
        cut = draw.random()
        flits.append(" ".join(left[: round(cut * len(left))] + right[round(cut * len(right)) :]))
    return flits


def cost(work: Callable[[], Any]) -> Cost:
    """What ``work`` takes in this process."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    loaded = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024
    with measured() as measure:
        made = work()
    del made
    return Cost(measure.seconds, measure.cpu_seconds, measure.peak_mb - loaded)


def medians(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median(values) for values in zip(*map(astuple, costs), strict=True)))


def machine() -> str:
    """What the figures depend on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = re.findall(r"model name\s*: (.*)", cpu)[0]
    load = os.getloadavg()[0]
    return f"{name}, {os.cpu_count()} cores, load {load:.1f}, {ROUNDS} interleaved rounds"


def own_weights(flits: list[str]) -> csr_matrix:
    """What this project does."""
    _, counts = learn_and_count(flits, min_flits=2, max_share=0.5)
    return tf_idf(counts, smooth_idf(counts), sublinear=False)


def peer_weights(**settings: Any) -> Callable[[list[str]], csr_matrix]:
    """What scikit-learn does."""

    def weigh(flits: list[str]) -> csr_matrix:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return csr_matrix(TfidfVectorizer(**settings).fit_transform(flits))

    return weigh


SAME_WORDS = {"lowercase": False, "min_df": 2, "max_df": 0.5}
WEIGHTS: dict[str, Callable[[list[str]], csr_matrix]] = {
    "this project": own_weights,
    "TfidfVectorizer(), as it comes": peer_weights(),
    "TfidfVectorizer, same words": peer_weights(token_pattern=r"\S+", **SAME_WORDS),
    "TfidfVectorizer, str.split, float32": peer_weights(
        analyzer=str.split, min_df=2, max_df=0.5, dtype=np.float32
    ),
}


def one_tfidf(way: str, n: int) -> None:
    """In a fresh process: load the texts, have everything imported and compiled, then measure."""
    flits, weigh = spliced(n), WEIGHTS[way]
    weigh(flits[:1000])
    found = cost(lambda: weigh(flits))
    print(*astuple(found))


def bench_tfidf(n: int) -> None:
    """Vocabulary and weights of ``n`` flits, from texts to sparse rows."""
    print(f"TF-IDF of {n:,} flits; {machine()}", flush=True)
    costs: dict[str, list[Cost]] = {way: [] for way in WEIGHTS}
    for _ in range(ROUNDS):
        for way in WEIGHTS:
            command = [sys.executable, __file__, "one-tfidf", "--way", way, "--flits", str(n)]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            costs[way].append(Cost(*map(float, printed.split())))
    own = medians(costs["this project"])
    print(f"{'':36} {'s':>6} {'s of cores':>11} {'peak MB':>8} {'times s of cores':>17}")
    for way, found in costs.items():
        middle = medians(found)
        print(
            f"{way:36} {middle.clock:6.2f} {middle.cores:11.2f} {middle.peak_mb:8.0f} "
            f"{middle.cores / own.cores:17.1f}"
        )
    same(spliced(min(n, 50_000)))


def same(flits: list[str]) -> None:
    """Print how far the weights are from scikit-learn's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = learn_vocabulary(flits, min_flits=2, max_share=0.5).words
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", **SAME_WORDS)
    theirs = csr_matrix(vectorizer.fit_transform(flits))
    names = list(vectorizer.get_feature_names_out())
    code_of = {word: code for code, word in enumerate(words)}
    ours = own_weights(flits)[:, [code_of[name] for name in names]]
    print(
        f"the same {len(names):,} words: {set(names) == set(words)}; "
        f"weights differ by {abs(ours - theirs).max():.1e} at most"
    )


Find = Callable[[csr_matrix], Any]


def ways_to_find(weights: csr_matrix) -> dict[str, Find]:
    """Each looks among ``weights`` for the best of every query."""
    import sparse_dot_topn

    from flutter_pipeline.embeddings.sparse_search import nearest, postings_of

    postings, turned = postings_of(weights), csr_matrix(weights.T)

    def scipy_product(asked: csr_matrix) -> Any:
        return np.argpartition(-csr_matrix(asked @ turned).toarray(), BEST)[:, :BEST]

    def own(threads: int) -> Find:
        return lambda asked: nearest(postings, asked, BEST, threads)

    def peer(threads: int) -> Find:
        return lambda asked: sparse_dot_topn.sp_matmul_topn(
            asked, turned, top_n=BEST, n_threads=threads, sort=True
        )

    return {
        "this project, 1 thread": own(1),
        "this project, 2 threads": own(2),
        "sparse_dot_topn, 1 thread": peer(1),
        "sparse_dot_topn, 2 threads": peer(2),
        "scipy, product and argpartition": scipy_product,
    }


def bench_neighbours(n: int, n_queries: int) -> None:
    """Queries per second for the ten nearest flits in the sparse space."""
    flits = spliced(n)
    counts = Vocabulary(learn_vocabulary(flits).words[:WORDS]).count(flits)
    weights = tf_idf(counts, smooth_idf(counts), sublinear=True)
    queries = weights[np.random.default_rng(0).choice(n, n_queries, replace=False)]
    few = queries[: max(1, n_queries // 20)]
    visited = flits_with_each(counts)[queries.indices].sum() / n_queries
    print(
        f"the {BEST} nearest among {n:,} flits of {weights.get_shape()[1]:,} words, "
        f"{visited:,.0f} entries a query; {machine()}",
        flush=True,
    )
    ways = ways_to_find(weights)
    ways["this project, 1 thread"](few)
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, find in ways.items():
            asked = few if way.startswith("scipy") else queries
            costs[way].append(cost(lambda f=find, a=asked: f(a)))
    print(f"{'':36} {'queries/s':>10} {'per s of cores':>15}")
    for way, found in costs.items():
        middle = medians(found)
        asked = len((few if way.startswith("scipy") else queries).indptr) - 1
        print(f"{way:36} {asked / middle.clock:10.0f} {asked / middle.cores:15.0f}")
    scores, _ = ways["this project, 2 threads"](queries)
    theirs = ways["sparse_dot_topn, 2 threads"](queries)
    gap = abs(np.asarray(theirs.sum(axis=1)).ravel() - scores.sum(axis=1, dtype=np.float64)).max()
    print(f"sums of the {BEST} best scores differ by {gap:.1e} at most")


def bench_encoders(n: int) -> None:
    """Seconds to train on ``n`` flits, and to encode them."""
    flits = spliced(n)
    kinds: list[tuple[str, str, BaseModel]] = [
        ("tfidf", "tfidf", TfidfConfig()),
        ("tfidf, BM25", "tfidf", TfidfConfig(weights="bm25")),
        *((name, name, ENCODERS[name].config()) for name in ("lsa", "pca", "lda")),
    ]
    print(f"{n:,} flits; {machine()}")
    print(f"{'':12} {'dim':>4} {'train s (cores)':>18} {'encode s (cores)':>18} {'flits/s':>9}")
    for title, name, config in kinds:
        kind = ENCODERS[name]
        kind.train(Lessons(flits[:2000]), config, no_progress).encode(flits[:10])
        made: list[Any] = []
        train = cost(
            lambda k=kind, c=config, m=made: m.append(k.train(Lessons(flits), c, no_progress))
        )
        encode = medians([cost(lambda m=made: m[0].encode(flits)) for _ in range(ROUNDS)])
        print(
            f"{title:12} {made[0].dim:4} {train.clock:8.1f} ({train.cores:7.1f}) "
            f"{encode.clock:8.2f} ({encode.cores:7.2f}) {n / encode.clock:9,.0f}",
            flush=True,
        )


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["tfidf", "neighbours", "encoders", "one-tfidf"])
    parser.add_argument("--flits", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--way", choices=list(WEIGHTS), default="this project")
    asked = parser.parse_args()
    if "FLUTTER_BENCHMARK_DATA" not in os.environ:
        parser.error("FLUTTER_BENCHMARK_DATA must name the folder with the benchmark data")
    if asked.what == "tfidf":
        bench_tfidf(asked.flits)
    elif asked.what == "one-tfidf":
        one_tfidf(asked.way, asked.flits)
    elif asked.what == "neighbours":
        bench_neighbours(asked.flits, asked.queries)
    else:
        bench_encoders(asked.flits)


if __name__ == "__main__":
    main()
