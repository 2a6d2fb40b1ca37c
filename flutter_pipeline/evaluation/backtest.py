"""The backtest: the feeds of past moments, by every method side by side, and how good each was.

Methods are each candidate source alone, the blend, the ranked feed, and the baselines; all of
them pass the same rules and are judged by the same targets. Knows no encoders and no training:
candidates and ranker are handed in, made from what was known at each moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.baselines import (
    Preference,
    by_chance,
    by_newest,
    by_popularity,
    by_preference,
)
from flutter_pipeline.evaluation.metrics import (
    ACCURACY,
    Shown,
    Values,
    coverage,
    diversity,
    gini,
    novelty,
    recall,
)
from flutter_pipeline.evaluation.slices import activity, cold, likes_of_flits, tenure
from flutter_pipeline.evaluation.split import BacktestConfig, Trial
from flutter_pipeline.filtering.feed import fill_feeds
from flutter_pipeline.filtering.rules import FilterConfig
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.pairs import found_in, pair_keys
from flutter_pipeline.ranking.ranker import Ranker

BLEND, RANKED = "blend", "ranked"
SLICES = ("tenure", "activity")
"""Columns of the per-bird table that say which slice a bird was in at the moment."""


@dataclass(frozen=True)
class Contest:
    """What is compared, under which rules."""

    sources: tuple[str, ...]
    """Names of the candidate sources; each is a method of its own."""
    filters: FilterConfig
    config: BacktestConfig
    keep: int | None = None
    """How many of a bird's candidates, best fused first, make the blend and are ranked; None: all.
    Sources alone are judged by all that they proposed."""
    ranker: Ranker | None = None
    preference: Preference | None = None
    """True preferences, where a simulation knows them: the method ``oracle``."""
    vectors: Matrix | None = None
    """Flit vectors, row = code, by which diversity within a feed is told."""


@dataclass(frozen=True)
class Backtest:
    """Three tidy tables."""

    per_bird: pd.DataFrame
    """`method, moment, bird, tenure, activity` and a column for each metric."""
    per_method: pd.DataFrame
    """`method, moment, coverage, gini, feeds, mean_length`: what belongs to whole lists."""
    per_moment: pd.DataFrame
    """`moment, birds, targets, liked, in_pool, reachability`."""


def backtest(
    trials: Sequence[Trial],
    candidates: Mapping[int, pd.DataFrame],
    contest: Contest,
    progress: Progress = no_progress,
) -> Backtest:
    """Judge every method at every trial; ``candidates`` maps a trial's moment to its table.

    Raises CorpusError where no trial has a bird with a target.
    """
    if not any(len(trial.birds) for trial in trials):
        raise CorpusError(
            f"none of {len(trials)} test moments has a bird that liked a flit it could have been "
            "shown; expected at least one: raise `test_moments` or `max_age_days`, or land more"
        )
    per_bird, per_method = [], []
    for done, trial in enumerate(trials):
        if len(trial.birds):
            for method, ranking in rankings(trial, candidates[trial.moment], contest).items():
                birds, lists = _judge(trial, ranking, contest)
                per_bird.append(birds.assign(method=method))
                per_method.append({"method": method, "moment": trial.moment, **lists})
        progress(done + 1, len(trials))
    table = pd.concat(per_bird, ignore_index=True)
    keys = ["method", "moment", "bird", *SLICES]
    return Backtest(
        per_bird=table.loc[:, [*keys, *table.columns.drop(keys)]],
        per_method=pd.DataFrame(per_method),
        per_moment=pd.DataFrame([_of_moment(trial) for trial in trials]),
    )


def rankings(trial: Trial, candidates: pd.DataFrame, contest: Contest) -> dict[str, pd.DataFrame]:
    """Each method's ranking before the rules: `bird, flit, score`, higher is better.

    ``candidates`` is in order of bird and, within a bird, best fused first.
    """
    mine = candidates.loc[np.isin(candidates["bird"], trial.birds)]
    pairs = mine.loc[:, ["bird", "flit"]]
    methods: dict[str, pd.DataFrame] = {}
    for source in contest.sources:
        rank = mine[f"rank_{source}"]
        methods[source] = pairs.assign(score=-rank).loc[rank > 0]
    kept = mine if contest.keep is None else mine.groupby("bird", sort=False).head(contest.keep)
    methods[BLEND] = kept.loc[:, ["bird", "flit"]].assign(score=kept["fused"])
    if contest.ranker is not None:
        features = build_features(kept, trial.pool.history, contest.sources)
        score = contest.ranker.score(features)
        methods[RANKED] = kept.loc[:, ["bird", "flit"]].assign(score=score)
    config = contest.config
    listing = trial.pool, trial.birds, config.depth
    methods["random"] = by_chance(*listing, config.seed)
    methods["newest"] = by_newest(*listing)
    methods["popularity"] = by_popularity(*listing)
    if contest.preference is not None:
        methods["oracle"] = by_preference(*listing, contest.preference)
    return methods


def _judge(
    trial: Trial, ranking: pd.DataFrame, contest: Contest
) -> tuple[pd.DataFrame, dict[str, float]]:
    """One method at one moment: the per-bird rows, and the figures of the lists as a whole."""
    config, history = contest.config, trial.pool.history
    feeds = fill_feeds(ranking, history, contest.filters, config.k).rows
    shown = _shown(trial, feeds)
    pool_likes = np.zeros(len(history.known), dtype=np.int64)
    pool_likes[trial.pool.flits] = likes_of_flits(trial.pool.flits, history)
    columns: dict[str, Values] = {
        name: metric(shown, config.k) for name, metric in ACCURACY.items()
    }
    columns["cold_recall"] = _cold_recall(trial, shown, config)
    columns["candidate_recall"] = _candidate_recall(trial, ranking)
    columns["novelty"] = novelty(shown, pool_likes)
    if contest.vectors is not None:
        columns["diversity"] = diversity(shown, contest.vectors)
    birds = pd.DataFrame(
        {
            "moment": trial.moment,
            "bird": trial.birds,
            "tenure": tenure(trial.birds, history, config.new_below_likes),
            "activity": activity(trial.birds, history),
            **columns,
        }
    )
    n_feeds = len(np.unique(shown.bird))
    lists = {
        "coverage": coverage(shown.flit, len(trial.pool.flits)),
        "gini": gini(shown.flit, len(trial.pool.flits)),
        "feeds": n_feeds,
        "mean_length": len(shown.flit) / n_feeds if n_feeds else 0.0,
    }
    return birds, lists


def _shown(trial: Trial, feeds: pd.DataFrame) -> Shown:
    """Feeds (in order of bird and rank) against the trial's targets."""
    bird = feeds["bird"].to_numpy(dtype=np.int64)
    flit = feeds["flit"].to_numpy(dtype=np.int64)
    return Shown(
        bird=np.searchsorted(trial.birds, bird),
        flit=flit,
        rank=feeds["rank"].to_numpy(dtype=np.int64),
        hit=_is_target(trial, bird, flit),
        targets=_targets(trial, np.ones(len(trial.target_bird))),
    )


def _is_target(trial: Trial, bird: IntArray, flit: IntArray) -> np.ndarray:
    n_flits = len(trial.pool.history.known)
    return found_in(
        pair_keys(bird, flit, n_flits), pair_keys(trial.target_bird, trial.target_flit, n_flits)
    )


def _targets(trial: Trial, weights: np.ndarray) -> IntArray:
    """Sum of ``weights`` (one a target) for each bird of the trial."""
    row = np.searchsorted(trial.birds, trial.target_bird)
    return np.bincount(row, weights=weights, minlength=len(trial.birds)).astype(np.int64)


def _cold_recall(trial: Trial, shown: Shown, config: BacktestConfig) -> Values:
    """Recall of the targets that hardly anybody had liked; NaN for a bird without any."""
    history = trial.pool.history
    few = config.new_below_likes
    targets = _targets(trial, cold(trial.target_flit, history, few))
    only = shown.where(cold(shown.flit, history, few))
    return recall(Shown(only.bird, only.flit, only.rank, only.hit, targets), config.k)


def _candidate_recall(trial: Trial, ranking: pd.DataFrame) -> Values:
    """Share of each bird's targets that the method ranked at all, before rules and feed size."""
    bird = ranking["bird"].to_numpy(dtype=np.int64)
    hit = _is_target(trial, bird, ranking["flit"].to_numpy(dtype=np.int64))
    found = np.bincount(np.searchsorted(trial.birds, bird[hit]), minlength=len(trial.birds))
    return found / _targets(trial, np.ones(len(trial.target_bird)))


def _of_moment(trial: Trial) -> dict[str, float]:
    return {
        "moment": trial.moment,
        "birds": len(trial.birds),
        "targets": len(trial.target_bird),
        "liked": trial.liked,
        "in_pool": trial.in_pool,
        "reachability": trial.in_pool / trial.liked if trial.liked else float("nan"),
    }
