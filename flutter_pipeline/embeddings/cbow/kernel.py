"""The compiled part of negative sampling: read flits, and move the vectors of their words.

A step tells a word from ``negatives`` noise words by what is around it. With mean h of the vectors
around (or, for a skip-gram, the vector of one of them), target vectors t of the true word (label
1) and of the noise (label 0), and rate r:

    g = label - sigmoid(h . t),   t += r / (1 + r * |h|^2 / 4) * g * h,
    each word around += r * sum(g * t) / words

which is the gradient of the logarithmic loss; a skip-gram's steps for one word are r / words long,
for its loss is the mean over them. word2vec and gensim leave out the division by words,
and so move a word by the size of its company (Irsoy, Benton, Stratos 2021); they learn SimLex-999
less well. The divisor of r is a bound of the loss's curvature: no step passes the place where the
loss is least, so that a corpus as small as to need a high rate does not make the training run away.
Whoever imports this module waits for Numba.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from flutter_pipeline.embeddings.cbow.prefetch import prefetch

AHEAD = 12
"""Running words by which a word's vectors are asked for before it is learnt."""
LIMIT, PER_UNIT = 12, 64
"""The logistic function is looked up between -LIMIT and LIMIT, PER_UNIT places to a unit; read
linearly between places it is right to 2e-6."""
MOST_STEPS = 2
"""Steps that copies of a row took beside one another may be added up to so many in length. The
mean of two loses a fifth of the similarity; the sum of four runs away."""
FRACTION = np.float32(2.0**-24)

F, U = np.float32, np.uint64
FAST = {"contract", "reassoc", "nsz", "arcp"}
"""Sums in any order. Not that there are no infinities: a training that ran away must end well."""


class Lessons(NamedTuple):
    """What is read, the same in all rounds."""

    codes: NDArray[np.int32]
    """The words of all flits, laid end to end."""
    starts: NDArray[np.int64]
    """Flit i is ``codes[starts[i]:starts[i + 1]]``."""
    kept: NDArray[np.float32]
    """How often each word is read where it stands."""
    noise: NDArray[np.int32]
    """Words, each as often as it shall be drawn; a power of two of them."""
    logistic: NDArray[np.float32]
    """What :func:`logistic_table` gives."""


class Tables(NamedTuple):
    """The two vectors of every word, and in which round each was last moved."""

    context: NDArray[np.float32]
    target: NDArray[np.float32]
    context_moved: NDArray[np.int32]
    target_moved: NDArray[np.int32]


class Round(NamedTuple):
    """How flits are read in one round."""

    number: int
    window: int
    negatives: int
    rate: np.float32
    skip_gram: bool


def logistic_table() -> NDArray[np.float32]:
    """Shape (places, 2): sigmoid(x), and the loss log(1 + exp(x)) of a noise word at x."""
    x = np.arange(-LIMIT * PER_UNIT, LIMIT * PER_UNIT + 2) / PER_UNIT
    return np.stack([1.0 / (1.0 + np.exp(-x)), np.logaddexp(0.0, x)], axis=1).astype(np.float32)


@njit(nogil=True, cache=True, fastmath=FAST)
def read_flits(
    order: NDArray[np.int64],
    lessons: Lessons,
    tables: Tables,
    reading: Round,
    random: NDArray[np.uint64],
) -> tuple[float, int]:
    """Learn from the flits ``order``; the sum of losses and how many words it is of.

    ``random`` is the state of a xorshift generator (uint64, not 0), shape (1,), and moves on.
    """
    longest = 1
    for flit in order:
        longest = max(longest, lessons.starts[flit + 1] - lessons.starts[flit])
    words = np.empty(longest, np.int32)
    # The true word and its noise, for this step and for the next.
    rivals = np.empty((2, 1 + reading.negatives), np.int32)
    # What is around, and the way back to it: both of a padded length.
    vectors = np.zeros((2, tables.context.shape[1]), np.float32)
    turn = 0
    _draw_noise(rivals[0], lessons, tables, random)
    lost, learnt = 0.0, 0
    for flit in order:
        n = _thin_out(flit, words, lessons, tables, random)
        for i in range(n):
            # The noise of the next word is on its way while this one is learnt.
            _draw_noise(rivals[1 - turn], lessons, tables, random)
            if i + AHEAD < n:
                _ask_for(words[i + AHEAD], tables)
            reach = 1 + np.int64(_next(random) >> U(33)) % reading.window
            first, end = max(0, i - reach), min(n, i + reach + 1)
            rivals[turn, 0] = words[i]
            lost += _learn_word(
                (words[first:end], i - first),
                rivals[turn],
                vectors,
                (tables, reading, lessons.logistic),
            )
            turn = 1 - turn
            learnt += 1 if end - first > 1 else 0
    return float(lost), learnt


@njit(nogil=True, fastmath=FAST, inline="always")
def _next(random):
    """The next 64 random bits: xorshift64 of Marsaglia (2003)."""
    x = random[0]
    x ^= x << U(13)
    x ^= x >> U(7)
    x ^= x << U(17)
    random[0] = x
    return x


@njit(nogil=True, fastmath=FAST, inline="always")
def _ask_for(word, tables):
    prefetch(tables.context, word)
    prefetch(tables.target, word)


@njit(nogil=True, fastmath=FAST, inline="always")
def _draw_noise(rivals, lessons, tables, random):
    """Fill ``rivals`` with noise, but for its first place, and ask for the rows."""
    within = U(len(lessons.noise) - 1)
    for k in range(1, len(rivals)):
        rivals[k] = lessons.noise[(_next(random) >> U(20)) & within]
        prefetch(tables.target, rivals[k])


@njit(nogil=True, fastmath=FAST, inline="always")
def _thin_out(flit, words, lessons, tables, random):
    """Write the words of a flit to ``words``, common ones not always; returns how many."""
    n = 0
    for place in range(lessons.starts[flit], lessons.starts[flit + 1]):
        word = lessons.codes[place]
        kept = lessons.kept[word]
        if kept >= 1.0 or F(_next(random) >> U(40)) * FRACTION < kept:
            words[n] = word
            if n < AHEAD:
                _ask_for(word, tables)
            n += 1
    return n


@njit(nogil=True, fastmath=FAST, inline="always")
def _learn_word(window, rivals, vectors, knowledge):
    """Learn ``rivals[0]`` from the words of ``window`` (words, place of the true one); its loss."""
    words, middle = window
    tables, reading, logistic = knowledge
    size = len(words) - 1
    # A mean of all words around, or each of them for itself.
    inputs = size if reading.skip_gram else min(size, 1)
    part = F(1.0) / F(max(size, 1))
    share, rate = (F(1.0), part * reading.rate) if reading.skip_gram else (part, reading.rate)
    lost = F(0.0)
    for k in range(inputs):
        first, end = 0, size + 1
        if reading.skip_gram:
            first = k + 1 if k >= middle else k
            end = first + 1
        vectors[:] = F(0.0)
        for j in range(first, end):
            if j != middle:
                _add(vectors[0], tables.context[words[j]], share)
        square = F(0.0)
        for d in range(vectors.shape[1]):
            square += vectors[0, d] * vectors[0, d]
        pace = rate / (F(1.0) + rate * square / F(4.0))
        for rival in range(len(rivals)):
            # A noise word that happens to be the true one says nothing.
            if rival == 0 or rivals[rival] != rivals[0]:
                tables.target_moved[rivals[rival]] = reading.number
                label = F(1.0) if rival == 0 else F(0.0)
                row = tables.target[rivals[rival]]
                lost += _pull(row, vectors, label, pace, logistic)
        for j in range(first, end):
            if j != middle:
                tables.context_moved[words[j]] = reading.number
                _add(tables.context[words[j]], vectors[1], share * rate)
    return lost / F(max(inputs, 1))


@njit(nogil=True, fastmath=FAST, inline="always")
def _add(to, vector, share):
    for d in range(len(to)):
        to[d] += share * vector[d]


@njit(nogil=True, fastmath=FAST, inline="always")
def _pull(row, vectors, label, pace, logistic):
    """Move one target to (label 1) or from (label 0) what is around; the loss before that."""
    around, back = vectors[0], vectors[1]
    score = F(0.0)
    for d in range(len(around)):
        score += around[d] * row[d]
    place = (min(max(score, F(-LIMIT)), F(LIMIT)) + F(LIMIT)) * F(PER_UNIT)
    # What is not a number becomes the smallest integer, and must not be a place.
    i = min(max(np.int64(place), 0), 2 * LIMIT * PER_UNIT)
    between = place - F(i)
    low, high = logistic[i], logistic[i + 1]
    error = label - (low[0] + between * (high[0] - low[0]))
    step = pace * error
    for d in range(len(around)):
        value = row[d]
        back[d] += error * value
        row[d] = value + step * around[d]
    return low[1] + between * (high[1] - low[1]) - label * (place / F(PER_UNIT) - F(LIMIT))


@njit(nogil=True, cache=True)
def agree(
    copies: NDArray[np.float32], moved: NDArray[np.int32], number: int, rows: tuple[int, int]
) -> None:
    """Give the copies of a table, shape (1 + shards, words, dim), one mind about some rows.

    The first copy holds what was agreed before, the others what each shard made of it. Where any
    of them moved a row in round ``number`` (``moved``, shape (shards, words), tells), their steps
    are taken from there, shorter if there are more than MOST_STEPS; elsewhere the copies are alike.
    """
    shards = moved.shape[0]
    agreed = np.empty(copies.shape[2], np.float32)
    for row in range(rows[0], rows[1]):
        movers = 0
        for shard in range(shards):
            movers += moved[shard, row] == number
        if movers == 0:
            continue
        share = min(F(1.0), F(MOST_STEPS) / F(movers))
        agreed[:] = copies[0, row]
        for shard in range(shards):
            if moved[shard, row] == number:
                for d in range(len(agreed)):
                    agreed[d] += share * (copies[1 + shard, row, d] - copies[0, row, d])
        for copy in range(1 + shards):
            copies[copy, row] = agreed
