"""Many scorers as one: scores of all flits on one scale, added up, or ordered by what was learnt.

Each scorer's scores of a bird are brought to mean 0 and spread 1, and a blend is their weighted
sum. A learnt order looks closer at the head of the blend that counts all alike, the shortlist:
there it knows every scorer's score and place, how popular a flit is and how much the bird liked.
Weights and order are learnt on one task and used on another. Knows no data sets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.scorer import FloatArray, Scorer
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.evaluation.full_ranking import (
    MET,
    Judged,
    Task,
    joined,
    judge,
    without_met,
)
from flutter_pipeline.evaluation.metrics import ideal_gains

Weights = Mapping[str, float]

SMALLEST_SPREAD = 1e-12
"""Scores that spread less than this are all alike, and count nothing."""


@dataclass(frozen=True)
class Method:
    """A recommender and what to call it."""

    name: str
    train: Callable[[Likes], Scorer]
    """Learns from likes; the scorer's columns are all flits."""


@dataclass(frozen=True)
class Logs:
    """A scorer whose scores are exponentials, seen on the scale of its exponents.

    What a softmax makes of a bird's flits is so peaked that, added up as it is, only its first
    few would count.
    """

    scorer: Scorer

    @property
    def columns(self) -> IntArray:
        """Those of the scorer."""
        return self.scorer.columns

    def scores(self, likes: Likes) -> FloatArray:
        """Logarithms of the scores; a score of zero is as low as can be."""
        smallest = np.finfo(np.float32).tiny
        return np.log(np.maximum(self.scorer.scores(likes), smallest))


class ShortlistConfig(BaseModel, frozen=True, extra="forbid"):
    """What a learnt order looks at."""

    length: int = Field(default=200, gt=0, description="Flits of a bird that are looked at.")
    max_birds: int = Field(default=25_000, gt=0, description="Birds to learn from, at most.")
    seed: int = Field(default=0, description="Draws the birds where there are more.")


@dataclass(frozen=True)
class Block:
    """Some birds of a task and what every scorer says of them."""

    likes: Likes
    targets: Likes
    scores: Mapping[str, FloatArray]
    """By method, shape (birds, flits): mean 0 and spread 1, :data:`MET` for what was met."""

    def blend(self, weights: Weights) -> FloatArray:
        """The weighted sum of the scores, shape (birds, flits)."""
        total = np.zeros(next(iter(self.scores.values())).shape, dtype=np.float32)
        for name, weight in weights.items():
            if weight:
                total += np.float32(weight) * self.scores[name]
        # A method that weighs nothing still tells what was met.
        total[self.likes.row, self.likes.flit] = MET
        return total


@dataclass(frozen=True)
class Shortlist:
    """The heads of some birds' blends; a row a bird, best first."""

    flit: IntArray
    """Shape (birds, length)."""
    features: FloatArray
    """Shape (birds, length, features); see :func:`feature_names`."""
    liked: NDArray[np.bool_]
    """Shape (birds, length): the flit is a target."""
    n_targets: IntArray
    """Shape (birds,): targets of each bird, whether they are on the list or not."""

    def __len__(self) -> int:
        return len(self.flit)

    def of(self, birds: IntArray | NDArray[np.bool_]) -> "Shortlist":
        """Only these birds."""
        return Shortlist(
            self.flit[birds], self.features[birds], self.liked[birds], self.n_targets[birds]
        )


def feature_names(methods: Sequence[str]) -> tuple[str, ...]:
    """What the features of a shortlist are called, in order."""
    scores = (f"{name}_score" for name in methods)
    places = (f"{name}_place" for name in methods)
    return (*scores, *places, "blend", "popularity", "history_length")


def standardised(scores: FloatArray) -> FloatArray:
    """Each row less its mean and over its spread; a row of equal scores becomes zeros."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / scores.shape[1])
    known = spread > SMALLEST_SPREAD
    centred *= np.divide(1, spread, out=np.zeros_like(spread), where=known)[:, None]
    return centred


def scored_blocks(
    task: Task, scorers: Mapping[str, Scorer], progress: Progress = no_progress
) -> Iterator[Block]:
    """Every judged bird of ``task``, scored by everybody, a block of birds at a time."""
    done, total = 0, len(task.judged)
    for rows in task.blocks():
        likes = task.likes.of(rows)
        scores = {}
        for name, scorer in scorers.items():
            own = standardised(scorer.scores(likes))
            own[likes.row, likes.flit] = MET
            scores[name] = own
        yield Block(likes, task.targets.of(rows), scores)
        done += len(rows)
        progress(done, total)


def shortlist(block: Block, weights: Weights, popularity: IntArray, length: int) -> Shortlist:
    """The first ``length`` flits of each bird by ``weights``, and what is known of them."""
    blend = block.blend(weights)
    length = min(length, blend.shape[1])
    head = np.argpartition(-blend, length - 1, axis=1)[:, :length]
    # The head in order of flits first, so that equals stand in one order everywhere.
    head = np.sort(head, axis=1)
    own = np.take_along_axis(blend, head, axis=1)
    order = np.argsort(-own, axis=1, kind="stable")
    flit = np.take_along_axis(head, order, axis=1)
    scores = [np.take_along_axis(rows, flit, axis=1) for rows in block.scores.values()]
    columns = [
        *scores,
        *(_log_place(rows) for rows in scores),
        np.take_along_axis(own, order, axis=1),
        np.log1p(popularity[flit]),
        np.broadcast_to(np.log1p(block.likes.lengths)[:, None], flit.shape),
    ]
    features = np.stack([np.nan_to_num(one, neginf=-100) for one in columns], axis=2)
    return Shortlist(
        flit, features.astype(np.float32), _is_target(flit, block.targets), block.targets.lengths
    )


def joined_shortlists(parts: Sequence[Shortlist]) -> Shortlist:
    """Several blocks' lists as one."""
    return Shortlist(
        np.concatenate([part.flit for part in parts]),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.liked for part in parts]),
        np.concatenate([part.n_targets for part in parts]),
    )


def gains(order: FloatArray, lists: Shortlist, k: int) -> NDArray[np.float64]:
    """NDCG@k of each bird, shape (birds,), where ``order`` (birds, length) puts higher first."""
    first = np.argsort(-order, axis=1, kind="stable")[:, :k]
    hit = np.take_along_axis(lists.liked, first, axis=1)
    discount = 1 / np.log2(np.arange(2, first.shape[1] + 2))
    return (hit * discount).sum(axis=1) / ideal_gains(lists.n_targets, k)


def learnt_weights(
    lists: Shortlist, methods: Sequence[str], k: int, rounds: int = 3
) -> dict[str, float]:
    """Weights, adding up to 1, with which the order of ``lists`` is best by NDCG@k.

    Coordinate ascent from all alike: each weight in turn is put to the best of half to double its
    value, or nothing, until a round changes none.
    """
    scores = lists.features[:, :, : len(methods)]
    weights = np.ones(len(methods), dtype=np.float32)
    best = gains(scores @ weights, lists, k).mean()
    for _ in range(rounds):
        before = weights.copy()
        for place in range(len(methods)):
            for factor in (0.0, 0.5, 0.7, 0.85, 1.2, 1.5, 2.0):
                trial = weights.copy()
                trial[place] = (weights[place] or 0.25) * np.float32(factor)
                value = gains(scores @ trial, lists, k).mean() if trial.any() else -1.0
                if value > best:
                    weights, best = trial, value
        if np.array_equal(weights, before):
            break
    return dict(zip(methods, (weights / weights.sum()).tolist(), strict=True))


def judged_order(order: FloatArray, lists: Shortlist, block: Block, k: int) -> Judged:
    """An order of the shortlists, judged; what is not on a list comes after all that is."""
    scores = np.full((len(lists), block.likes.n_flits), MET, dtype=np.float32)
    np.put_along_axis(scores, lists.flit, order.astype(np.float32), axis=1)
    return judge(without_met(scores, block.likes), block.targets, k)


def all_alike(methods: Sequence[str]) -> dict[str, float]:
    """The weights of a blend in which all methods count alike."""
    return {name: 1 / len(methods) for name in methods}


def joined_by_method(parts: Sequence[Mapping[str, Judged]]) -> dict[str, Judged]:
    """The blocks' judgements of each method as one."""
    return {name: joined([part[name] for part in parts]) for name in parts[0]}


def _log_place(scores: FloatArray) -> FloatArray:
    """log of each score's place within its row, from 1."""
    order = np.argsort(-scores, axis=1, kind="stable")
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(scores.shape[1])[None, :], axis=1)
    return np.log1p(place).astype(np.float32)


def _is_target(flit: IntArray, targets: Likes) -> NDArray[np.bool_]:
    keys = np.sort(targets.row * targets.n_flits + targets.flit)
    wanted = np.arange(len(flit))[:, None] * targets.n_flits + flit
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    return keys[place] == wanted if len(keys) else np.zeros(flit.shape, dtype=bool)
