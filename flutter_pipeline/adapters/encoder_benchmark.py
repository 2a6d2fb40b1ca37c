"""The public tasks by which encoders are compared, read and cleaned; and one variant put to them.

Encoders that learn do so from the tweets, the encyclopaedia's runs of words, and the train texts
of the labelled tasks; no text of a test set is ever learnt from.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.adapters.benchmark_data import (
    LabelledSet,
    Pairs,
    PairSet,
    Split,
    read_corpus,
    read_labelled,
    read_sts,
    read_word_pairs,
)
from flutter_pipeline.adapters.encoder_contest import Bars, cost_of, encoded_in, trained_in
from flutter_pipeline.adapters.encoding import Known
from flutter_pipeline.embeddings.rows import Rows
from flutter_pipeline.embeddings.variants import TrainedVariant, Variant
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.intrinsic import (
    Examples,
    agreement_of_sentences,
    agreement_of_words,
    probe,
)
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

LABELLED: tuple[LabelledSet, ...] = ("emotion", "offensive")
STS = "sts"
WORDS: tuple[PairSet, ...] = ("wordsim353", "simlex999")
TASKS = (*LABELLED, STS, *WORDS)
PARTS = ("train", "val", "test")
ENOUGH_KNOWN = 0.5
"""Share of the word pairs that a correlation needs: with fewer, only easy pairs are known."""

PUBLISHED = (
    {"encoder": "SVM, n-grams *", "emotion": 64.7, "offensive": 52.3},
    {"encoder": "FastText *", "emotion": 65.2, "offensive": 73.4},
    {"encoder": "LSTM *", "emotion": 66.0, "offensive": 71.7},
    {"encoder": "RoBERTa, tuned *", "emotion": 76.1, "offensive": 79.5},
    {"encoder": "BERTweet, tuned *", "emotion": 79.3, "offensive": 79.5},
)
"""Barbieri et al. (2020), TweetEval. Their models learn the task; here vectors stay as they are
and a logistic regression reads them. On the dev set of STS-B nothing is published to set beside."""


class BenchmarkConfig(BaseModel, frozen=True, extra="forbid"):
    """Which tasks, and how much of the data."""

    tasks: tuple[str, ...] = Field(default=TASKS, description="What is measured.")
    corpus_size: int = Field(
        default=100_000,
        gt=0,
        description="Tweets to learn from, and as large a share of the encyclopaedia.",
    )
    labelled: int | None = Field(
        default=None, gt=0, description="Flits of each labelled part, at most; null: all."
    )
    seed: int = Field(default=0, ge=0, description="Seeds the probe's folds.")


@dataclass(frozen=True)
class Cleaned:
    """A task's flits as encoders read them, all parts in one frame, and where each part is."""

    flits: pd.DataFrame
    place: Mapping[tuple[str, str], slice]
    labels: Mapping[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """All that a variant is trained on and put to."""

    corpus: pd.DataFrame
    tasks: Cleaned
    sts: Pairs | None
    words: Mapping[str, Pairs]
    config: BenchmarkConfig


def read_benchmark(root: Path, config: BenchmarkConfig, text: TextConfig) -> Benchmark:
    """Read and clean what ``config`` asks for.

    Raises ConfigError for a task that there is not, ContractError for an incomplete folder.
    """
    strange = [task for task in config.tasks if task not in TASKS]
    if strange or not config.tasks:
        said = f"there is no task '{strange[0]}'" if strange else "no task is named"
        raise ConfigError(f"{said}; use some of {', '.join(TASKS)}")
    splits: dict[tuple[str, str], Split] = {}
    for task in LABELLED:
        read = read_labelled(root, task)
        for part in PARTS:
            splits[task, part] = _at_most(getattr(read, part), config.labelled)
    sts = read_sts(root) if STS in config.tasks else None
    texts = {key: split.texts for key, split in splits.items() if key[0] in config.tasks}
    if sts is not None:
        texts |= {(STS, "left"): sts.left, (STS, "right"): sts.right}
    taught = [text for task in LABELLED for text in splits[task, "train"].texts]
    # Speed is measured on something, also where only words are asked for.
    texts = texts or {("timed", ""): tuple(taught)}
    labels = {key: split.labels for key, split in splits.items()}
    words = {name: read_word_pairs(root, name) for name in WORDS if name in config.tasks}
    corpus = _cleaned([*_corpus(root, config.corpus_size), *taught], text)
    return Benchmark(corpus, _laid_out(texts, labels, text), sts, words, config)


def measure_variant(variant: Variant, benchmark: Benchmark, bars: Bars) -> dict[str, Any]:
    """One row of the table: a figure for each task, times 100, and what the variant costs.

    Raises CorpusError where the corpus is too small for it.
    """
    trained, train_seconds = trained_in(variant, variant.config(), Known(benchmark.corpus), bars)
    rows, encode_seconds = encoded_in(trained, benchmark.tasks.flits, bars)
    measures = _measures(trained, rows, benchmark)
    judging = bars(f"{variant.name} is judged", "tasks")
    figures: dict[str, Any] = {}
    for done, measure in enumerate(measures):
        judging(done, len(measures))
        figures |= measure()
    judging(len(measures), len(measures))
    cost = cost_of(trained, rows, train_seconds, encode_seconds)
    return {"encoder": variant.name, **figures, **asdict(cost)}


def _measures(
    trained: TrainedVariant, rows: Rows, benchmark: Benchmark
) -> list[Callable[[], dict[str, Any]]]:
    """What there is to find out, one task each."""
    asked = [task for task in LABELLED if task in benchmark.config.tasks]
    measures = [partial(_probed, benchmark, rows, task) for task in asked]
    if benchmark.sts is not None:
        measures.append(partial(_sentence_similarity, benchmark, rows, benchmark.sts))
    for name, pairs in benchmark.words.items():
        measures.append(partial(_word_similarity, trained, name, pairs))
    return measures


def _probed(benchmark: Benchmark, rows: Rows, task: str) -> dict[str, Any]:
    train, val, test = (
        Examples(rows[benchmark.tasks.place[task, part]], benchmark.tasks.labels[task, part])
        for part in PARTS
    )
    return {task: 100 * probe(train, val, test, benchmark.config.seed).f1}


def _sentence_similarity(benchmark: Benchmark, rows: Rows, pairs: Pairs) -> dict[str, Any]:
    left, right = (rows[benchmark.tasks.place[STS, side]] for side in ("left", "right"))
    return {STS: 100 * agreement_of_sentences(left, right, pairs.told)}


def _word_similarity(trained: TrainedVariant, name: str, pairs: Pairs) -> dict[str, Any]:
    """The agreement, where enough of the pairs are known, and the share of them that is."""
    left, right = (trained.words(list(side)) for side in (pairs.left, pairs.right))
    if left is None or right is None:
        return {name: None, f"{name}_known": None}
    agreement = agreement_of_words(left, right, pairs.told)
    known = agreement.known / agreement.pairs
    spearman = 100 * agreement.spearman if known >= ENOUGH_KNOWN else None
    return {name: spearman, f"{name}_known": known}


def _corpus(root: Path, size: int) -> list[str]:
    tweets = read_corpus(root, "tweets_100k")
    runs = read_corpus(root, "text8_prefix")
    share = min(1.0, size / max(1, len(tweets)))
    return tweets[:size] + runs[: round(share * len(runs))]


def _at_most(split: Split, n: int | None) -> Split:
    return split if n is None else Split(split.texts[:n], split.labels[:n])


def _laid_out(
    texts: Mapping[tuple[str, str], tuple[str, ...]],
    labels: Mapping[tuple[str, str], NDArray[np.int64]],
    config: TextConfig,
) -> Cleaned:
    """All parts end to end."""
    ends = np.cumsum([len(part) for part in texts.values()]).tolist()
    place = {
        key: slice(end - len(part), end)
        for (key, part), end in zip(texts.items(), ends, strict=True)
    }
    together = [text for part in texts.values() for text in part]
    return Cleaned(_cleaned(together, config), place, labels)


def _cleaned(texts: list[str], config: TextConfig) -> pd.DataFrame:
    """``texts`` as the pipeline cleans flits, all by one bird at one time."""
    flits = pd.DataFrame(
        {
            "flit_id": pd.Series(range(len(texts))).astype("str"),
            "bird_id": "a",
            "text": pd.Series(texts, dtype="str"),
            "created_at": pd.Timestamp(0, tz="UTC"),
        }
    )
    return clean_flits(flits, config)[["text_clean", "tokens"]]
