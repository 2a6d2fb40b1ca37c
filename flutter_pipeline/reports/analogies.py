"""Word analogies: a is to b as c is to whom? Which hold in a vocabulary, and which fail.

Questions are asked as Mikolov et al. (2013), "Efficient estimation of word representations in
vector space", section 4.1: every pair of a relation against every other. Relations are a fixed
list, and pairs by rule; a vocabulary is asked whatever it has the words of, so nothing is picked
for its good looks. Knows words and vectors, not what they were learnt from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

Pair = tuple[str, str]

MOST_WORDS = 30_000
"""The most frequent words take part, as is usual: rarer ones have vectors of chance."""
MOST_PAIRS = 20
"""Pairs of a relation, the most frequent: a relation of m pairs asks m * (m - 1) questions."""
SHORTEST = 3
"""Letters of a word to which a rule is applied; `a` and `as` are no number."""
EPSILON = 1e-3
"""Keeps 3CosMul from dividing by zero (Levy and Goldberg 2014, section 3)."""


def _pairs(text: str) -> tuple[Pair, ...]:
    words = text.split()
    return tuple(zip(words[::2], words[1::2], strict=True))


RELATIONS: dict[str, tuple[Pair, ...]] = {
    "he and she": _pairs(
        "man woman king queen boy girl brother sister father mother dad mom son daughter "
        "husband wife groom bride prince princess uncle aunt nephew niece grandpa grandma he she "
        "his her actor actress men women boys girls"
    ),
    "capital and country": _pairs(
        "london england paris france berlin germany rome italy madrid spain lisbon portugal "
        "vienna austria athens greece dublin ireland oslo norway stockholm sweden moscow russia "
        "tokyo japan beijing china seoul korea delhi india cairo egypt ottawa canada warsaw poland "
        "ankara turkey"
    ),
    "opposites": _pairs(
        "good bad hot cold big small new old happy sad early late up down more less first last "
        "best worst always never win lose buy sell love hate day night open closed rich poor "
        "easy hard fast slow start end before after right wrong"
    ),
    "comparatives": _pairs(
        "good better bad worse big bigger small smaller fast faster slow slower hot hotter cold "
        "colder new newer old older easy easier hard harder long longer late later early earlier "
        "high higher low lower strong stronger young younger great greater"
    ),
    "past tense": _pairs(
        "go went see saw make made take took get got think thought find found tell told say said "
        "know knew give gave come came run ran write wrote eat ate feel felt lose lost win won "
        "learn learned finish finished"
    ),
}
"""After the kinds of the question set of Mikolov et al. (2013), with words that birds use."""
RULES = {"word and word + s": "s", "word and word + ing": "ing"}
"""Relations by rule: a word of the vocabulary, and the same with an ending, both in it."""


@dataclass(frozen=True)
class WordVectors:
    """The frequent words of a vocabulary, and their vectors."""

    words: tuple[str, ...]
    """Most frequent first."""
    vectors: Matrix
    """Shape (words, dim), unit rows."""
    vocabulary: int
    """Words in all, with those that are too rare to take part."""

    @property
    def code_of(self) -> dict[str, int]:
        """By word its row."""
        return {word: code for code, word in enumerate(self.words)}


def word_vectors(words: Sequence[str], vectors: Matrix, most: int = MOST_WORDS) -> WordVectors:
    """The first ``most`` of ``words``, which are in order of frequency, with their vectors."""
    return WordVectors(tuple(words[:most]), unit_rows(vectors[:most]), len(words))


def relations_of(known: WordVectors) -> dict[str, tuple[Pair, ...]]:
    """The pairs of each relation of which both words are known, the more frequent first."""
    codes = known.code_of
    by_rule = {
        name: tuple((word, word + end) for word in known.words if len(word) >= SHORTEST)
        for name, end in RULES.items()
    }
    found = {
        name: [pair for pair in pairs if pair[0] in codes and pair[1] in codes]
        for name, pairs in {**RELATIONS, **by_rule}.items()
    }
    # A pair is as frequent as its rarer word.
    ordered = {
        name: sorted(pairs, key=lambda pair: max(codes[word] for word in pair))
        for name, pairs in found.items()
    }
    return {name: tuple(pairs[:MOST_PAIRS]) for name, pairs in ordered.items()}


def asked(known: WordVectors, relations: Mapping[str, Sequence[Pair]]) -> pd.DataFrame:
    """A row a question `a : b = c : d`: `relation, a, b, c, d`, and what was answered.

    `add` and `mul` are the answers by 3CosAdd and 3CosMul, `alone` is the word nearest to c without
    looking at a and b: an analogy that holds by that, too, tells of neighbours only (Linzen 2016,
    "Issues in evaluating semantic spaces using word analogies"). `place` is d's among 3CosAdd's
    answers, from 1. The three words of a question are no answer to it.
    """
    rows = [
        {"relation": name, **question}
        for name, pairs in relations.items()
        if len(pairs) > 1
        for question in _asked(known, pairs)
    ]
    columns = ["relation", "a", "b", "c", "d", "add", "mul", "alone", "place"]
    return pd.DataFrame(rows, columns=columns)


def _asked(known: WordVectors, pairs: Sequence[Pair]) -> list[dict[str, str | int]]:
    """Every pair against every other one that shares no word with it."""
    codes = known.code_of
    words = sorted({word for pair in pairs for word in pair})
    cosines = dict(
        zip(words, known.vectors[[codes[word] for word in words]] @ known.vectors.T, strict=True)
    )
    rows: list[dict[str, str | int]] = []
    for a, b in pairs:
        for c, d in pairs:
            if len({a, b, c, d}) < len((a, b, c, d)):
                continue
            given = [codes[word] for word in (a, b, c)]
            by_sum = _without(cosines[c] - cosines[a] + cosines[b], given)
            by_product = _without(_product(cosines[a], cosines[b], cosines[c]), given)
            answers = (by_sum, by_product, _without(cosines[c], given))
            add, mul, alone = (known.words[int(scores.argmax())] for scores in answers)
            place = int((by_sum > by_sum[codes[d]]).sum()) + 1
            question = {"a": a, "b": b, "c": c, "d": d}
            rows.append({**question, "add": add, "mul": mul, "alone": alone, "place": place})
    return rows


def _product(a: Matrix, b: Matrix, c: Matrix) -> Matrix:
    """3CosMul, cos(d, b) * cos(d, c) / (cos(d, a) + epsilon), of cosines moved into 0..1.

    Levy and Goldberg (2014), "Linguistic regularities in sparse and explicit word
    representations", section 3; 3CosAdd, the sum, is their equation 3.
    """
    return np.asarray((b + 1) * (c + 1) / 4 / ((a + 1) / 2 + EPSILON), dtype=np.float32)


def _without(scores: Matrix, given: Sequence[int]) -> NDArray[np.float32]:
    left = scores.copy()
    left[list(given)] = -np.inf
    return left
