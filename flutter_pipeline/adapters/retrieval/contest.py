"""Methods of retrieval on one public set: each alone, all blended, and in an order that was learnt.

Everything is chosen on the validation task: weights of the blend and the learnt order. Then every
method learns anew from all that the test task allows, and the test targets are looked at once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from flutter_pipeline.adapters.measure import Measure, measured
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.evaluation.ensemble import (
    Block,
    Method,
    Shortlist,
    ShortlistConfig,
    all_alike,
    feature_names,
    gains,
    joined_by_method,
    joined_shortlists,
    judged_order,
    learnt_weights,
    scored_blocks,
    shortlist,
)
from flutter_pipeline.evaluation.full_ranking import Judged, Task, judge
from flutter_pipeline.evaluation.learnt_order import LearntOrder, OrderConfig, train_order

BLEND, LEARNT = "blend", "learnt order"

Bars = Callable[[str, str], Progress]
"""Makes a progress callback out of a label and a unit."""


@dataclass(frozen=True)
class RetrievalSet:
    """A public set by its published protocol."""

    name: str
    k: int
    validation: Task
    test: Task
    methods: tuple[Method, ...]
    shortlists: ShortlistConfig
    order: OrderConfig


@dataclass(frozen=True)
class Learnt:
    """What the validation task taught."""

    weights: dict[str, float]
    order: LearntOrder
    held_out: float
    """NDCG of the learnt order on the half of the birds that it had not learnt from."""
    blend_held_out: float
    """NDCG of the blend on that same half, with weights learnt on the other."""


@dataclass
class Spent:
    """Seconds that a method took to learn and to score in the last task that it took part in."""

    train: dict[str, float] = field(default_factory=dict)
    score: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """All that a contest found."""

    validation: dict[str, Judged]
    """By method; the blend's weights and the learnt order are judged apart, see ``learnt``."""
    test: dict[str, Judged]
    """By method, :data:`BLEND` and :data:`LEARNT`; nothing where the test was left alone."""
    learnt: Learnt
    spent: Spent
    whole: Measure


class Clocked:
    """A scorer that notes how long it takes."""

    def __init__(self, name: str, scorer: Scorer, spent: Spent) -> None:
        self.name, self.scorer, self.spent = name, scorer, spent

    @property
    def columns(self) -> np.ndarray:
        """All flits."""
        return self.scorer.columns

    def scores(self, likes) -> np.ndarray:
        """The scorer's scores."""
        start = time.perf_counter()
        found = self.scorer.scores(likes)
        self.spent.score[self.name] = (
            self.spent.score.get(self.name, 0.0) + time.perf_counter() - start
        )
        return found


def contest(found: RetrievalSet, bars: Bars, test_too: bool = True) -> Outcome:
    """Learn on the validation task; then, unless it is to be left alone, look at the test, once."""
    spent = Spent()
    with measured() as whole:
        validation, lists = _validated(found, spent, bars)
        learnt = _learnt(lists, found, bars)
        test: dict[str, Judged] = {}
        if test_too:
            spent = Spent()
            test = _tested(found, learnt, spent, bars)
    return Outcome(validation, test, learnt, spent, whole)


def _validated(
    found: RetrievalSet, spent: Spent, bars: Bars
) -> tuple[dict[str, Judged], Shortlist]:
    """Every method judged on the validation task, and the shortlists to learn from."""
    task = _at_most(found.validation, found.shortlists)
    scorers = _trained(found.methods, task, spent, bars)
    names = [method.name for method in found.methods]
    popularity = np.bincount(task.likes.flit, minlength=task.likes.n_flits)
    judged, lists = [], []
    for block in scored_blocks(task, scorers, bars("validation", "birds")):
        judged.append({name: judge(block.scores[name], block.targets, found.k) for name in names})
        lists.append(shortlist(block, all_alike(names), popularity, found.shortlists.length))
    return joined_by_method(judged), joined_shortlists(lists)


def _learnt(lists: Shortlist, found: RetrievalSet, bars: Bars) -> Learnt:
    """Weights and order, and what they were worth on birds that had no say in them."""
    methods = [method.name for method in found.methods]
    names = feature_names(methods)
    half = np.random.default_rng(found.shortlists.seed).random(len(lists)) < 0.5
    told, held = lists.of(half), lists.of(~half)
    weights = learnt_weights(told, methods, found.k)
    order = train_order(told, names, found.order, bars("order, half the birds", "trees"))
    of_blend = held.features[:, :, : len(methods)] @ np.array(list(weights.values()), np.float32)
    return Learnt(
        weights=learnt_weights(lists, methods, found.k),
        order=train_order(lists, names, found.order, bars("order, all birds", "trees")),
        held_out=float(gains(order.scores(held), held, found.k).mean()),
        blend_held_out=float(gains(of_blend, held, found.k).mean()),
    )


def _tested(found: RetrievalSet, learnt: Learnt, spent: Spent, bars: Bars) -> dict[str, Judged]:
    """Every method, the blend and the learnt order on the test task."""
    scorers = _trained(found.methods, found.test, spent, bars)
    popularity = np.bincount(found.test.likes.flit, minlength=found.test.likes.n_flits)
    judged = []
    for block in scored_blocks(found.test, scorers, bars("test", "birds")):
        one = {name: judge(rows, block.targets, found.k) for name, rows in block.scores.items()}
        one[BLEND] = judge(block.blend(learnt.weights), block.targets, found.k)
        one[LEARNT] = _ordered(block, popularity, learnt.order, found)
        judged.append(one)
    return joined_by_method(judged)


def _ordered(
    block: Block, popularity: np.ndarray, order: LearntOrder, found: RetrievalSet
) -> Judged:
    alike = all_alike(list(block.scores))
    lists = shortlist(block, alike, popularity, found.shortlists.length)
    return judged_order(order.scores(lists), lists, block, found.k)


def _trained(
    methods: Sequence[Method], task: Task, spent: Spent, bars: Bars
) -> Mapping[str, Scorer]:
    scorers: dict[str, Scorer] = {}
    progress = bars("methods learn", "methods")
    for done, method in enumerate(methods, 1):
        start = time.perf_counter()
        scorers[method.name] = Clocked(method.name, method.train(task.likes), spent)
        spent.train[method.name] = time.perf_counter() - start
        progress(done, len(methods))
    return scorers


def _at_most(task: Task, config: ShortlistConfig) -> Task:
    """The same task with ``max_birds`` judged, drawn by seed; all are learnt from."""
    judged = task.judged
    if len(judged) <= config.max_birds:
        return task
    drawn = np.random.default_rng(config.seed).choice(judged, config.max_birds, replace=False)
    dropped = np.setdiff1d(judged, drawn)
    return Task(task.likes, task.targets.without(dropped))
