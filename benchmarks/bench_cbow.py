"""CBOW beside gensim on the same words: similarity, speed, the curve of both, unknown words.

    python benchmarks/bench_cbow.py                                all parts, an hour
    python benchmarks/bench_cbow.py --part quality --seeds 1 2 3
    python benchmarks/bench_cbow.py --part speed
    python benchmarks/bench_cbow.py --part curve
    python benchmarks/bench_cbow.py --part unknown_words
    python benchmarks/bench_cbow.py --part warm_start

Reads 100 thousand tweets and 1.2 million words of an encyclopaedia from the folder that
FLUTTER_BENCHMARK_DATA names. For all: dim 100, window 5, 5 noise words, subsampling 1e-3, words of
2 flits or more. Similarity is Spearman's correlation with people's scores over the pairs whose
words are both known. Seconds are those of cores, and of the clock. Needs benchmarks/peers.txt.
"""

import argparse
import gzip
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import polars as pl
from gensim.models import FastText, Word2Vec
from scipy.stats import spearmanr

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.alignment import rotation_onto
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder, train_cbow
from flutter_pipeline.embeddings.cbow.negative_sampling import learn_words
from flutter_pipeline.embeddings.cbow.word_vectors import Corpus, first_vectors
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.embeddings.vocabulary import learn_vocabulary
from flutter_pipeline.text.tokenize import tokens_of

FLIT_WORDS = 1000
"""The encyclopaedia has no flits; it is cut into runs of so many words."""
EPOCHS = 10
PAIRS = {"WordSim-353": "EN-WS-353-ALL.txt", "SimLex-999": "EN-SIMLEX-999.txt"}
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
BUCKETS = 2**17

WordsOf = Callable[[Sequence[str]], Matrix]
"""Vectors of words, zeros where one is unknown."""


@dataclass(frozen=True)
class Pair:
    """Two words, and how alike people find them."""

    words: tuple[str, str]
    score: float


@dataclass(frozen=True)
class Made:
    """A training's vectors, and the seconds it took."""

    words_of: WordsOf
    clock: float
    cores: float


def flits_of(data: Path) -> list[str]:
    """Tokens of the tweets and of the runs of the encyclopaedia, spaced."""
    corpora = data / "corpora"
    with gzip.open(corpora / "tweets_100k.txt.gz", "rt", encoding="utf-8") as file:
        tweets = tokens_of(pl.Series([line.strip() for line in file])).list.join(" ").to_list()
    with gzip.open(corpora / "text8_prefix.txt.gz", "rt", encoding="utf-8") as file:
        words = file.read().split()
    runs = [" ".join(words[i : i + FLIT_WORDS]) for i in range(0, len(words), FLIT_WORDS)]
    return tweets + runs


class Bench:
    """The corpus as both sides read it."""

    def __init__(self, data: Path, flits: list[str]) -> None:
        self.data, self.flits = data, flits
        self.vocabulary = learn_vocabulary(flits, min_flits=2)
        coded = self.vocabulary.read(flits)
        self.words = len(coded.codes)
        names = np.array(self.vocabulary.words, dtype=object)[coded.codes]
        self.lists = [list(part) for part in np.split(names, coded.starts[1:-1])]

    def ours(self, **settings: Any) -> Made:
        """Our trainer, codes of the words included."""
        config = CbowConfig(**{"epochs": EPOCHS, **settings})
        clock, cores = time.perf_counter(), time.process_time()
        coded = self.vocabulary.read(self.flits)
        corpus = Corpus(coded, np.bincount(coded.codes, minlength=len(self.vocabulary)))
        first = first_vectors(len(self.vocabulary), config)
        vectors = learn_words(corpus, first, config.epochs, config, no_progress).words.context
        clock, cores = time.perf_counter() - clock, time.process_time() - cores
        known = self.vocabulary.code_of
        return Made(looked_up(known, vectors), clock, cores)

    def gensim(self, kind: type = Word2Vec, **settings: Any) -> Made:
        """gensim's trainer on the same words in lists, its vocabulary made before."""
        chosen = {"epochs": EPOCHS, "workers": 1, "sample": 1e-3, "min_count": 1, **settings}
        model = kind(vector_size=100, window=5, negative=5, **chosen)
        model.build_vocab(self.lists)
        clock, cores = time.perf_counter(), time.process_time()
        model.train(self.lists, total_examples=model.corpus_count, epochs=model.epochs)
        clock, cores = time.perf_counter() - clock, time.process_time() - cores
        if kind is FastText:
            return Made(lambda words: np.stack([model.wv[word] for word in words]), clock, cores)
        return Made(looked_up(model.wv.key_to_index, model.wv.vectors), clock, cores)

    def pairs(self, name: str) -> list[Pair]:
        """The pairs of one list."""
        text = (self.data / "word_similarity" / PAIRS[name]).read_text(encoding="utf-8")
        rows = [line.lower().split("\t") for line in text.splitlines()]
        return [Pair((row[0], row[1]), float(row[2])) for row in rows]

    def similarity(self, words_of: WordsOf, name: str, among: set[str] | None = None) -> float:
        """Spearman's correlation over the pairs that are known, or that have a word ``among``."""
        known = self.vocabulary.code_of.keys() | (among or set())
        pairs = [
            pair
            for pair in self.pairs(name)
            if set(pair.words) <= known and (among is None or among.intersection(pair.words))
        ]
        left, right = (unit_rows(words_of([p.words[side] for p in pairs])) for side in (0, 1))
        found: Any = spearmanr((left * right).sum(axis=1), [p.score for p in pairs])
        return float(found.statistic)


def looked_up(codes: dict[str, int], vectors: Matrix) -> WordsOf:
    """Vectors by word."""
    return lambda words: np.ascontiguousarray(vectors[[codes[word] for word in words]])


def show(bench: Bench, name: str, made: list[Made], epochs: int) -> None:
    """One line: mean similarities, their standard deviation over seeds, speed."""
    figures = []
    for pairs in PAIRS:
        found = [bench.similarity(m.words_of, pairs) for m in made]
        spread = f" ±{statistics.stdev(found):.3f}" if len(found) > 1 else ""
        figures.append(f"{pairs} {statistics.mean(found):.3f}{spread}")
    cores, clock = (statistics.median(getattr(m, s) for m in made) for s in ("cores", "clock"))
    print(
        f"{name:34} {', '.join(figures)}; {epochs} epochs: "
        f"{cores:5.1f} s of cores, {clock:5.1f} s; "
        f"{epochs * bench.words / cores / 1e3:5.0f} k words/s of a core, "
        f"{epochs * bench.words / clock / 1e3:5.0f} k by the clock",
        flush=True,
    )


def quality(bench: Bench, seeds: list[int]) -> None:
    """Similarity over seeds at the same settings."""
    ways: dict[str, Callable[[int], Made]] = {
        "ours": lambda seed: bench.ours(seed=seed),
        "ours, 1 shard": lambda seed: bench.ours(seed=seed, shards=1),
        "gensim, rate .025 (its default)": lambda seed: bench.gensim(seed=seed),
        "gensim, rate .05": lambda seed: bench.gensim(seed=seed, alpha=0.05),
        "ours, skip-gram": lambda s: bench.ours(seed=s, architecture="skip_gram", epochs=5),
        "gensim, skip-gram": lambda s: bench.gensim(seed=s, sg=1, epochs=5),
    }
    for name, make in ways.items():
        epochs = 5 if "skip" in name else EPOCHS
        show(bench, name, [make(seed) for seed in seeds], epochs)


def speed(bench: Bench, seeds: list[int]) -> None:
    """Words a second, the ways taking turns, a round for each seed."""
    ways: dict[str, Callable[[int], Made]] = {
        "ours, 1 shard": lambda seed: bench.ours(epochs=2, shards=1, seed=seed),
        "ours, 2 shards": lambda seed: bench.ours(epochs=2, shards=2, seed=seed),
        "gensim, 1 worker": lambda seed: bench.gensim(epochs=2, seed=seed),
        "gensim, 2 workers": lambda seed: bench.gensim(epochs=2, workers=2, seed=seed),
    }
    bench.ours(epochs=1)  # compiles
    made: dict[str, list[Made]] = {name: [] for name in ways}
    for seed in seeds:
        for name, make in ways.items():
            made[name].append(make(seed))
    for name, all_made in made.items():
        show(bench, name, all_made, 2)


def curve(bench: Bench, seeds: list[int]) -> None:
    """Similarity by seconds of cores."""
    for epochs in (1, 2, 5, 10, 20):
        for rate in (0.15, 0.3):
            made = [bench.ours(seed=s, epochs=epochs, learning_rate=rate) for s in seeds]
            show(bench, f"ours, rate {rate}", made, epochs)
        for rate in (0.025, 0.05):
            made = [bench.gensim(seed=s, epochs=epochs, alpha=rate, workers=2) for s in seeds]
            show(bench, f"gensim, rate {rate}, 2 workers", made, epochs)


def unknown_words(bench: Bench, seeds: list[int]) -> None:
    """Half of the words that people judged are taken out of the corpus, and guessed."""
    judged = sorted({word for name in PAIRS for pair in bench.pairs(name) for word in pair.words})
    for seed in seeds:
        known = [word for word in judged if word in bench.vocabulary.code_of]
        hidden = set(np.random.default_rng(seed).permutation(known)[: len(known) // 2].tolist())
        rest = [" ".join(w for w in flit.split() if w not in hidden) for flit in bench.flits]
        part = Bench(bench.data, rest)
        whole = bench.ours(seed=seed)
        ways: dict[str, WordsOf] = {"their own vectors": whole.words_of}
        start = time.process_time()
        encoder = train_cbow(rest, CbowConfig(seed=seed, buckets=BUCKETS))
        ours = time.process_time() - start
        ways[f"ours, {BUCKETS} buckets, {ours:.0f} s of cores"] = encoder.word_vectors
        peer = part.gensim(FastText, bucket=BUCKETS, seed=seed, alpha=0.05, epochs=5)
        ways[f"gensim's FastText, 5 epochs, {peer.cores:.0f} s of cores"] = peer.words_of
        for name, words_of in ways.items():
            figures = (f"{p} {bench.similarity(words_of, p, hidden):.3f}" for p in PAIRS)
            print(f"seed {seed}, pairs with a hidden word, {name}: {', '.join(figures)}")
        print(f"  nearest: {nearest(encoder, whole, sorted(hidden))}", flush=True)


def nearest(encoder: CbowEncoder, whole: Made, hidden: list[str]) -> str:
    """Where, among all known words, a hidden word's company finds itself by its guess."""
    words = encoder.vocabulary.words
    space, truth = unit_rows(whole.words_of(words)), unit_rows(whole.words_of(hidden))
    # What its own vector is nearest to, in the space that knows it, is what a guess should find.
    meant = np.argsort(-(truth @ space.T), axis=1)[:, :10]
    guess = unit_rows(encoder.word_vectors(hidden))
    order = np.argsort(np.argsort(-(guess @ unit_rows(encoder.vectors).T), axis=1), axis=1)
    ranks = np.take_along_axis(order, meant, axis=1)
    return (
        f"the ten true neighbours have the median rank {np.median(ranks):,.0f} of {len(words):,}; "
        f"{(ranks < 100).mean():.1%} are among the first hundred"
    )


def warm_start(bench: Bench, seeds: list[int]) -> None:
    """A version on 90 % of the flits, then one on all, begun cold or from the first."""
    for seed in seeds:
        keep = np.random.default_rng(seed).random(len(bench.flits)) < 0.9
        some = [flit for flit, kept in zip(bench.flits, keep, strict=True) if kept]
        config = CbowConfig(seed=seed)
        former = train_cbow(some, config)
        for share in (0.0, 0.2, 0.3, 0.5, 1.0):
            chosen = CbowConfig(seed=seed + 100, warm_share=share or 1.0, warm_start=share > 0)
            start = time.process_time()
            later = train_cbow(bench.flits, chosen, previous=former.state())
            cores = time.process_time() - start
            shared = [w for w in later.vocabulary.words if w in former.vocabulary.code_of]
            one, other = (unit_rows(e.word_vectors(shared)) for e in (former, later))
            # A cold start has the orientation of its seed; only what a turn leaves is movement.
            other = other @ rotation_onto(other, one)
            sims = (f"{p} {bench.similarity(later.word_vectors, p):.3f}" for p in PAIRS)
            print(
                f"seed {seed}, {f'warm, {share} of the epochs' if share else 'cold':24} "
                f"{', '.join(sims)}; cosine with the former version "
                f"{(one * other).sum(axis=1).mean():.3f}; {cores:.1f} s of cores",
                flush=True,
            )


def main() -> None:
    """Read the command line and run the parts that it names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parts = {f.__name__: f for f in (quality, speed, curve, unknown_words, warm_start)}
    parser.add_argument("--part", nargs="+", choices=list(parts), default=list(parts))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    asked = parser.parse_args()
    if "FLUTTER_BENCHMARK_DATA" not in os.environ:
        parser.error("FLUTTER_BENCHMARK_DATA must name the folder with the benchmark data")
    data = Path(os.environ["FLUTTER_BENCHMARK_DATA"])
    bench = Bench(data, flits_of(data))
    info = Path("/proc/cpuinfo")
    has = set(info.read_text().split()) if info.exists() else set()
    flags = ", ".join(f"{flag} {'yes' if flag in has else 'no'}" for flag in FLAGS)
    print(
        f"{len(bench.flits):,} flits, {bench.words:,} words, {len(bench.vocabulary):,} different; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, numba {numba.__version__}, "
        f"{flags}"
    )
    for part in asked.part:
        print(f"\n{part}")
        parts[part](bench, asked.seeds)


if __name__ == "__main__":
    main()
