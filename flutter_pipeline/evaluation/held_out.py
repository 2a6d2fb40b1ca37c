"""Is a ranker worth using? What it gains over the blend's own order on a moment it has not seen.

A ranker that was learnt from few likes can be worse than no ranker. The last training moment is
held out, both orders are judged on it, and the caller decides. There, too, is told whether the
scores are the chances that they claim to be, and which features the order rests on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import BoolArray, IntArray, Network
from flutter_pipeline.evaluation.calibration import expected_calibration_error
from flutter_pipeline.evaluation.importance import COLUMNS, permutation_importance
from flutter_pipeline.evaluation.past import ndcg_of_orders, sources_of
from flutter_pipeline.ranking.features import feature_groups, signals_of
from flutter_pipeline.ranking.ranker import Ranker
from flutter_pipeline.ranking.training import RowsConfig, TrainingSet, training_set

FEEDS = 100
"""Feeds that the importance of features is told by: so it takes seconds whatever the network."""

SEED = 0
"""Of the shuffles."""


@dataclass(frozen=True)
class HeldOut:
    """Mean NDCG@k on the held-out moment, over the birds that liked a candidate there."""

    blend: float
    ranked: float
    birds: int
    calibration_error: float = float("nan")
    """Expected calibration error of the scores, over all rows of the moment."""
    importance: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    """NDCG@k lost when a feature, or a group of them, is shuffled."""

    @property
    def worse(self) -> bool:
        """Whether the ranker lost; where nothing was measured it did not."""
        return self.birds > 0 and self.ranked < self.blend


@dataclass(frozen=True)
class Rules:
    """How a held-out moment is judged."""

    step: int
    """Microseconds after a moment that judge it."""
    k: int
    rows: RowsConfig = field(default_factory=RowsConfig)
    """What is learnt from; judged is always all that was proposed."""


def held_out(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    train: Callable[[TrainingSet], Ranker],
    rules: Rules,
) -> HeldOut:
    """Train on all moments of ``candidates`` (fused) but the last, and judge both orders there.

    Raises CorpusError, from ``train``, where the earlier moments hold too little to learn from.
    """
    *earlier, last = sorted(candidates)
    sources = sources_of(candidates[last])
    learnt = {moment: candidates[moment] for moment in earlier}
    ranker = train(training_set(network, learnt, sources, rules.step, rules.rows))
    rows = training_set(network, {last: candidates[last]}, sources, rules.step)
    frame = candidates[last].sort_values("bird", kind="stable").assign(liked=rows.labels)
    chosen = of_feeds_with_likes(rows)
    if not chosen.any():
        return HeldOut(0.0, 0.0, 0)
    value = ndcg_of_orders(frame[chosen].assign(feed=_numbered(rows.feed[chosen])), rules.k)
    score = ranker.score(rows.features)
    # Feeds are drawn by their number, evenly: which birds are early in the alphabet says nothing.
    feeds = np.unique(rows.feed[chosen])
    some = np.isin(rows.feed, feeds[:: -(-len(feeds) // FEEDS)])
    groups = feature_groups(sources, signals_of(candidates[last]))
    importance = permutation_importance(
        ranker,
        rows.features[some],
        ndcg_of_orders(frame[some].assign(feed=_numbered(rows.feed[some])), rules.k),
        groups,
        SEED,
    )
    return HeldOut(
        blend=value(frame.loc[chosen, "fused"].to_numpy()),
        ranked=value(score[chosen]),
        birds=len(feeds),
        calibration_error=expected_calibration_error(score, rows.labels),
        importance=importance,
    )


def of_feeds_with_likes(rows: TrainingSet) -> BoolArray:
    """Whether each row's feed holds anything that was liked; other feeds have no say."""
    return np.isin(rows.feed, rows.feed[rows.labels])


def _numbered(feed: IntArray) -> IntArray:
    return np.unique(feed, return_inverse=True)[1].astype(np.int64)
