"""The backtest: the feeds of past moments, by every method side by side, and how good each was.

Methods are each candidate source alone, the blend, the ranked feed, and the baselines; all of
them pass the same rules and are judged by the same targets. Knows no encoders and no training:
candidates and ranker are handed in, made from what was known at each moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

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
from flutter_pipeline.evaluation.categories import categories_of
from flutter_pipeline.evaluation.judging import judged_birds, judged_lists, shown_of
from flutter_pipeline.evaluation.split import BacktestConfig, Trial
from flutter_pipeline.evaluation.yardstick import Content, Yardstick
from flutter_pipeline.filtering.diversity import DiversityConfig
from flutter_pipeline.filtering.feed import Extras
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.ranker import Ranker

BLEND, RANKED = "blend", "ranked"


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
    diversity: DiversityConfig = field(default_factory=DiversityConfig)
    """What the ranked feeds are given beside the rules, as the served ones are."""
    vectors: Matrix | None = None
    """Flit vectors, row = code: by them ranked feeds are made diverse, and the diversity of any
    feed and its mix of kinds are told."""

    @property
    def extras(self) -> Extras:
        """What ranked feeds are given; never exploration, which costs hits to learn from."""
        if self.vectors is None:
            return Extras()
        return Extras(diversity=self.diversity, vectors=self.vectors)


@dataclass(frozen=True)
class Backtest:
    """Three tidy tables."""

    per_bird: pd.DataFrame
    """`method, moment, bird`, the slices the bird was in then, and a column for each metric."""
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
    content = None
    if contest.vectors is not None:
        content = Content(contest.vectors, categories_of(contest.vectors))
    per_bird: dict[tuple[str, int], pd.DataFrame] = {}
    per_method = []
    for done, trial in enumerate(trials):
        if len(trial.birds):
            stick = Yardstick(trial, contest.config, content)
            for method, ranking in rankings(trial, candidates[trial.moment], contest).items():
                extras = contest.extras if method == RANKED else None
                shown = shown_of(stick, ranking, contest.filters, extras)
                per_bird[method, trial.moment] = judged_birds(stick, shown, ranking)
                lists = judged_lists(stick, shown)
                per_method.append({"method": method, "moment": trial.moment, **lists})
        progress(done + 1, len(trials))
    judged = pd.concat(per_bird, names=["method", "moment"]).reset_index(["method", "moment"])
    return Backtest(
        per_bird=judged.reset_index(drop=True),
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
    kept = _kept(mine, contest)
    methods[BLEND] = kept.loc[:, ["bird", "flit"]].assign(score=kept["fused"])
    if contest.ranker is not None:
        methods[RANKED] = ranked(trial, candidates, contest)
    config = contest.config
    listing = trial.pool, trial.birds, config.depth
    methods["random"] = by_chance(*listing, config.seed)
    methods["newest"] = by_newest(*listing)
    methods["popularity"] = by_popularity(*listing)
    if contest.preference is not None:
        methods["oracle"] = by_preference(*listing, contest.preference)
    return methods


def ranked(trial: Trial, candidates: pd.DataFrame, contest: Contest) -> pd.DataFrame:
    """The ranker's ranking before the rules, `bird, flit, score`; ``candidates`` as above.

    Raises ValueError where the contest has no ranker.
    """
    if contest.ranker is None:
        raise ValueError("the contest has no ranker")
    kept = _kept(candidates.loc[np.isin(candidates["bird"], trial.birds)], contest)
    features = build_features(kept, trial.pool.history, contest.sources)
    return kept.loc[:, ["bird", "flit"]].assign(score=contest.ranker.score(features))


def _kept(mine: pd.DataFrame, contest: Contest) -> pd.DataFrame:
    """So many of each bird's candidates, best fused first, as are ranked."""
    return mine if contest.keep is None else mine.groupby("bird", sort=False).head(contest.keep)


def _of_moment(trial: Trial) -> dict[str, float]:
    return {
        "moment": trial.moment,
        "birds": len(trial.birds),
        "targets": len(trial.target_bird),
        "liked": trial.liked,
        "in_pool": trial.in_pool,
        "reachability": trial.in_pool / trial.liked if trial.liked else float("nan"),
    }
