"""Encoders: seconds to train and encode, BERT beside the plain loop, and how alike words come out.

    python benchmarks/bench_encoders.py seconds --flits 5000 50000
    python benchmarks/bench_encoders.py bert --flits 1000
    python benchmarks/bench_encoders.py words --epochs 5

Texts come from the folder that FLUTTER_BENCHMARK_DATA names. Seconds are given by the clock and of
cores used; other work on the machine disturbs the second less.
"""

import argparse
import gzip
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from transformers import AutoModel, AutoTokenizer

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.bert.folder import find_model, quiet_transformers
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder, train_cbow
from flutter_pipeline.embeddings.encoder import Lessons, Matrix, unit_rows
from flutter_pipeline.embeddings.encoders import ENCODERS

ROUNDS = 3
FLIT_WORDS = 1000
"""The encyclopaedia has no flits; it is cut into runs of so many words."""


@dataclass(frozen=True)
class Seconds:
    """What something took."""

    clock: float
    cores: float


def timed(work: Callable[[], Any]) -> tuple[Any, Seconds]:
    """What ``work`` returns, and what it took."""
    clock, cores = time.perf_counter(), time.process_time()
    made = work()
    return made, Seconds(time.perf_counter() - clock, time.process_time() - cores)


def tweets(data: Path, n: int) -> list[str]:
    """The first ``n`` texts, repeated where there are fewer."""
    with gzip.open(data / "corpora" / "tweets_100k.txt.gz", "rt", encoding="utf-8") as file:
        texts = [line.strip() for line in file]
    return (texts * (n // len(texts) + 1))[:n]


def bench_seconds(data: Path, sizes: list[int], names: list[str]) -> None:
    """Seconds to train on, and to encode, so many flits."""
    print("encoder      flits  train s (cores)   encode s (cores)   flits/s")
    for n in sizes:
        texts = tweets(data, n)
        for name in names:
            kind = ENCODERS[name]
            flits = (
                texts
                if kind.reads == "text_clean"
                else [" ".join(t.lower().split()) for t in texts]
            )
            encoder, train = timed(
                lambda k=kind, f=flits: k.train(Lessons(f), k.config(), no_progress)
            )
            _, encode = timed(lambda e=encoder, f=flits: e.encode(f))
            print(
                f"{name:8} {n:9,} {train.clock:8.1f} ({train.cores:6.1f})"
                f" {encode.clock:10.2f} ({encode.cores:6.1f}) {n / encode.clock:9,.0f}",
                flush=True,
            )


def plain_loop(tokenizer: Any, model: Any, texts: list[str]) -> Matrix:
    """What most first versions do: batches of 32 in order of arrival, float32, mean pooling."""
    parts = []
    for start in range(0, len(texts), 32):
        batch = tokenizer(
            texts[start : start + 32], padding=True, truncation=True, max_length=128,
            return_tensors="pt",
        )  # fmt: skip
        with torch.inference_mode():
            pieces = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        parts.append(((pieces * mask).sum(dim=1) / mask.sum(dim=1)).numpy())
    return unit_rows(np.concatenate(parts))


def bench_bert(data: Path, n: int) -> None:
    """The encoder in both number types beside the plain loop, round by round."""
    texts = tweets(data, n)
    with quiet_transformers():
        folder = find_model(BertConfig())
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    exact, quick = (train_bert([], BertConfig(dtype=d)) for d in ("float32", "bfloat16"))
    ways: dict[str, Callable[[], Matrix]] = {
        "plain loop": lambda: plain_loop(tokenizer, model, texts),
        "float32": lambda: exact.encode(texts),
        "bfloat16": lambda: quick.encode(texts),
    }
    rows: dict[str, Matrix] = {}
    spent: dict[str, list[Seconds]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, encode in ways.items():
            rows[name], seconds = timed(encode)
            spent[name].append(seconds)
    print(f"{n} flits, {torch.get_num_threads()} threads, median of {ROUNDS} interleaved rounds")
    for name, all_seconds in spent.items():
        clock, cores = (
            statistics.median(values)
            for values in zip(*((s.clock, s.cores) for s in all_seconds), strict=True)
        )
        cosines = (rows[name] * rows["plain loop"]).sum(axis=1)
        print(
            f"{name:12} {n / clock:7.0f} flits/s by the clock, {n / cores:7.0f} by seconds of "
            f"cores, cosine with the plain loop {cosines.mean():.5f}, at least {cosines.min():.5f}"
        )


def bench_words(data: Path, epochs: int, seeds: list[int]) -> None:
    """Spearman correlation of CBOW's word similarities with what people say."""
    with gzip.open(data / "corpora" / "text8_prefix.txt.gz", "rt", encoding="utf-8") as file:
        words = file.read().split()
    flits = [" ".join(words[i : i + FLIT_WORDS]) for i in range(0, len(words), FLIT_WORDS)]
    for seed in seeds:
        config = CbowConfig(epochs=epochs, words_to_read=0, min_flits=4, seed=seed)
        encoder, seconds = timed(lambda c=config: train_cbow(flits, c))
        figures = ", ".join(
            f"{name} {agreement(encoder, data / 'word_similarity' / file)}"
            for name, file in (
                ("WordSim-353", "EN-WS-353-ALL.txt"),
                ("SimLex-999", "EN-SIMLEX-999.txt"),
            )
        )
        speed = epochs * len(words) / seconds.cores
        print(f"seed {seed}: {figures}; {speed:,.0f} words/s of a core, {seconds.clock:.0f} s")


def agreement(encoder: CbowEncoder, pairs: Path) -> str:
    """Correlation over the pairs whose words are both known, and how many these are."""
    code_of, vectors = encoder.vocabulary.code_of, unit_rows(encoder.vectors)
    told, found = [], []
    lines = pairs.read_text(encoding="utf-8").splitlines()
    for left, right, score in (line.lower().split("\t") for line in lines):
        if left in code_of and right in code_of:
            told.append(float(score))
            found.append(vectors[code_of[left]] @ vectors[code_of[right]])
    return f"{spearmanr(told, found)[0]:.3f} ({len(told)} of {len(lines)} pairs)"


def main() -> None:
    """Read the command line and run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["seconds", "bert", "words"])
    parser.add_argument("--flits", type=int, nargs="+", default=[1000])
    parser.add_argument("--encoders", nargs="+", choices=list(ENCODERS), default=["tfidf", "cbow"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    asked = parser.parse_args()
    if "FLUTTER_BENCHMARK_DATA" not in os.environ:
        parser.error("FLUTTER_BENCHMARK_DATA must name the folder with the benchmark data")
    data = Path(os.environ["FLUTTER_BENCHMARK_DATA"])
    if asked.what == "seconds":
        bench_seconds(data, asked.flits, asked.encoders)
    elif asked.what == "bert":
        bench_bert(data, asked.flits[0])
    else:
        bench_words(data, asked.epochs, asked.seeds)


if __name__ == "__main__":
    main()
