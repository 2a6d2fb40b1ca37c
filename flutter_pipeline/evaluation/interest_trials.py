"""Encoders put to the backtest by themselves: feeds from the interest source of one at a time.

Vectors of one encoder are held at a time; what it proposed is kept, and in the end all are judged
together, on the same birds and under the same rules, as the backtest judges its sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.candidates.by_interest import train_by_interest
from flutter_pipeline.candidates.merge import fuse, merge
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.candidates.source import Proposals
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.evaluation.backtest import Contest, backtest
from flutter_pipeline.evaluation.split import BacktestConfig, Trial
from flutter_pipeline.filtering.rule import FilterConfig

Proposed = Mapping[int, Proposals]
"""By moment, what one encoder proposed."""


@dataclass(frozen=True)
class TrialRules:
    """What is proposed, under which rules it is shown, and how it is judged."""

    candidates: CandidateConfig
    filters: FilterConfig
    backtest: BacktestConfig


def flits_looked_at(trials: Sequence[Trial]) -> IntArray:
    """Codes, ascending, of the flits that need a vector: all that may be proposed in any trial,
    and all that its birds liked before.
    """
    if not trials:
        return np.zeros(0, dtype=np.int64)
    needed = np.zeros(len(trials[0].pool.history.known), dtype=bool)
    for trial in trials:
        needed[trial.pool.flits] = True
        likes = trial.pool.history.likes
        needed[likes.flit[np.isin(likes.bird, trial.birds)]] = True
    return np.flatnonzero(needed)


def proposed_by(
    name: str, vectors: Matrix, trials: Sequence[Trial], config: CandidateConfig
) -> dict[int, Proposals]:
    """What the interest source of ``vectors``, shape (F, dim), proposes at each trial's moment."""
    return {
        trial.moment: train_by_interest(name, trial.pool, vectors, config.interest).propose(
            trial.birds, config.per_source
        )
        for trial in trials
    }


def judged(
    trials: Sequence[Trial], proposed: Mapping[str, Proposed], rules: TrialRules
) -> pd.DataFrame:
    """The backtest's table per bird, with every name of ``proposed`` as a method.

    Raises CorpusError where no trial has a bird with a target.
    """
    alike = dict.fromkeys(proposed, 1.0)
    tables = {}
    for trial in trials:
        wide = merge({name: of[trial.moment] for name, of in proposed.items()})
        tables[trial.moment] = fuse(wide, alike, max(1, len(wide)))
    contest = Contest(tuple(proposed), rules.filters, rules.backtest)
    return backtest(trials, tables, contest).per_bird
