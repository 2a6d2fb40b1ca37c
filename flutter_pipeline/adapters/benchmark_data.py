"""Readers of the folder of benchmark data: labelled flits, judged pairs, corpora, likes in order.

The folder holds public research sets, each under its own name and in its own format; README.md
beside them says where they come from. What is measured on them is not known here.
"""

import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.errors import ContractError

IntArray = NDArray[np.int64]

LabelledSet = Literal["emotion", "offensive"]
PairSet = Literal["wordsim353", "simlex999"]
CorpusName = Literal["tweets_100k", "text8_prefix"]

FLIT_WORDS = 1000
"""The encyclopaedia has no flits; it is cut into runs of so many words."""

PAIR_FILES: dict[PairSet, str] = {
    "wordsim353": "EN-WS-353-ALL.txt",
    "simlex999": "EN-SIMLEX-999.txt",
}


@dataclass(frozen=True)
class Split:
    """Texts, and the class of each, counted from 0."""

    texts: tuple[str, ...]
    labels: IntArray


@dataclass(frozen=True)
class Labelled:
    """A classification task of TweetEval with its fixed splits."""

    train: Split
    val: Split
    test: Split


@dataclass(frozen=True)
class Pairs:
    """Pairs of sentences or words, and how alike people found them; three of one length."""

    left: tuple[str, ...]
    right: tuple[str, ...]
    told: NDArray[np.float64]


@dataclass(frozen=True)
class Beauty:
    """Product titles as flits, and what each bird engaged with, in order of time."""

    titles: tuple[str, ...]
    """A flit's code is its place."""
    flits: IntArray
    """Codes of all birds' flits, laid end to end."""
    starts: IntArray
    """Bird ``i`` has ``flits[starts[i]:starts[i + 1]]``."""


@dataclass(frozen=True)
class Gowalla:
    """What each bird engaged with, in no order; LightGCN's split."""

    train: list[IntArray]
    """Codes of each bird's flits; every bird has some."""
    test: list[IntArray]
    """For the same birds, those that are to be found."""
    n_flits: int


def read_labelled(root: Path, name: LabelledSet) -> Labelled:
    """One task of ``tweeteval/``. Raises ContractError where it is not there, or incomplete."""
    folder = root / "tweeteval" / name
    return Labelled(*(_split(root, folder, part) for part in ("train", "val", "test")))


def read_sts(root: Path) -> Pairs:
    """The dev set of the STS benchmark: sentences, told 0 to 5. Raises ContractError."""
    path = root / "stsb" / "en-dev.csv.gz"
    return _pairs(path, list(csv.reader(_lines(root, path))))


def read_word_pairs(root: Path, name: PairSet) -> Pairs:
    """Word pairs in lower case, told 0 to 10. Raises ContractError."""
    path = root / "word_similarity" / PAIR_FILES[name]
    return _pairs(path, [line.lower().split("\t") for line in _lines(root, path)])


def read_corpus(root: Path, name: CorpusName) -> list[str]:
    """Texts to train on: a tweet each, or runs of the encyclopaedia. Raises ContractError."""
    lines = _lines(root, root / "corpora" / f"{name}.txt.gz")
    if name == "tweets_100k":
        return [line.strip() for line in lines]
    words = " ".join(lines).split()
    return [" ".join(words[i : i + FLIT_WORDS]) for i in range(0, len(words), FLIT_WORDS)]


def read_beauty(root: Path) -> Beauty:
    """The Beauty 5-core file with its titles. Raises ContractError."""
    folder = root / "amazon_beauty"
    titled = [line.split("\t", 1) for line in _lines(root, folder / "titles.tsv.gz")[1:]]
    numbers = np.array([int(row[0]) for row in titled], dtype=np.int64)
    if not np.array_equal(np.sort(numbers), np.arange(1, len(titled) + 1)):
        raise ContractError(
            f"{folder / 'titles.tsv.gz'}: found {len(titled)} titles whose numbers are not 1 to "
            f"{len(titled)}, each once; get the file again"
        )
    titles = np.array([row[-1] for row in titled], dtype=object)[np.argsort(numbers)]
    path = folder / "sequences.txt.gz"
    sequences = [line.split()[1:] for line in _lines(root, path)]
    codes = np.array([flit for flits in sequences for flit in flits], dtype=np.int64) - 1
    if len(codes) and not 0 <= codes.min() <= codes.max() < len(titles):
        raise ContractError(
            f"{path}: found flit {codes.max() + 1}, there are titles for 1 to {len(titles)}; "
            "get both files again"
        )
    starts = np.cumsum([0, *map(len, sequences)])
    return Beauty(tuple(titles), codes, starts.astype(np.int64))


def read_gowalla(root: Path) -> Gowalla:
    """LightGCN's split of Gowalla. Raises ContractError where it is not there, or not whole."""
    parts = []
    for name in ("train", "test"):
        path = root / "gowalla" / f"{name}.txt.gz"
        lines = [_codes(path, line) for line in _lines(root, path)]
        parts.append({int(line[0]): line[1:] for line in lines})
    train, test = parts
    if sorted(train) != list(range(len(train))) or not set(test) <= set(train):
        raise ContractError(
            f"{root / 'gowalla'}: found {len(train)} birds in train.txt.gz and {len(test)} in "
            "test.txt.gz, expected birds 0, 1, … in the first and some of them in the second; "
            "get both files again"
        )
    none = np.zeros(0, dtype=np.int64)
    rows = [train[bird] for bird in range(len(train))]
    wanted = [test.get(bird, none) for bird in range(len(train))]
    return Gowalla(rows, wanted, 1 + max(int(row.max(initial=0)) for row in [*rows, *wanted]))


def _codes(path: Path, line: str) -> IntArray:
    try:
        codes = np.array(line.split(), dtype=np.int64)
    except ValueError as error:
        raise ContractError(f"{path}: {error}, expected numbers; get the file again") from None
    if not len(codes):
        raise ContractError(f"{path}: found an empty line, expected a bird and its flits")
    return codes


def _split(root: Path, folder: Path, part: str) -> Split:
    texts = _lines(root, folder / f"{part}_text.txt")
    labels = _lines(root, folder / f"{part}_labels.txt")
    if len(texts) != len(labels) or not texts:
        raise ContractError(
            f"{folder}: found {len(texts)} lines in {part}_text.txt and {len(labels)} in "
            f"{part}_labels.txt, expected as many of both; get the files again"
        )
    return Split(tuple(texts), _numbers(folder / f"{part}_labels.txt", labels).astype(np.int64))


def _pairs(path: Path, rows: Sequence[Sequence[str]]) -> Pairs:
    strange = [number for number, row in enumerate(rows, 1) if len(row) != 3]
    if strange or not rows:
        where = f"line {strange[0]}" if strange else "an empty file"
        raise ContractError(
            f"{path}: found {where}, expected three columns (left, right, score) in every line; "
            "get the file again"
        )
    left, right, told = zip(*rows, strict=True)
    return Pairs(left, right, _numbers(path, told))


def _numbers(path: Path, texts: Iterable[str]) -> NDArray[np.float64]:
    try:
        return np.array([float(text) for text in texts])
    except ValueError as error:
        raise ContractError(f"{path}: {error}, expected a number; get the file again") from None


def _lines(root: Path, path: Path) -> list[str]:
    """The lines of a file, plain or gzip; they end at line feeds only, for texts hold others."""
    if not path.is_file():
        raise ContractError(
            f"{root} is not a whole folder of benchmark data: there is no {path.relative_to(root)};"
            " name the folder that holds tweeteval/, stsb/, amazon_beauty/, gowalla/ and the others"
        )
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ContractError(f"{path} cannot be read: {error}; get the file again") from None
    return text.removesuffix("\n").split("\n") if text else []
