"""Is a ranker worth using? What it gains over the blend's own order on a moment it has not seen.

A ranker that was learnt from few likes can be worse than no ranker. The last training moment is
held out, or the last few where one has too few feeds to tell by, both orders are judged there, and
the caller decides. There, too, is told whether the scores are the chances that they claim to be,
and which features the order rests on.
"""

from collections.abc import Callable, Mapping, Sequence
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

ENOUGH = 50
"""Feeds with a liked candidate that are held out at least, if a third of the moments has them."""

SEED = 0
"""Of the shuffles."""


@dataclass(frozen=True)
class HeldOut:
    """Mean NDCG@k on the held-out moments, over the feeds in which a candidate was liked."""

    blend: float
    ranked: float
    birds: int
    """How many such feeds there are."""
    calibration_error: float = float("nan")
    """Expected calibration error of the scores, over all their rows."""
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
    held, rows = _held(network, candidates, rules)
    sources = sources_of(held)
    earlier = sorted(candidates)[: -len(np.unique(rows.moment))]
    learnt = {moment: candidates[moment] for moment in earlier}
    ranker = train(training_set(network, learnt, sources, rules.step, rules.rows))
    frame = held.assign(liked=rows.labels)
    chosen = of_feeds_with_likes(rows)
    if not chosen.any():
        return HeldOut(0.0, 0.0, 0)
    value = ndcg_of_orders(frame[chosen].assign(feed=_numbered(rows.feed[chosen])), rules.k)
    score = ranker.score(rows.features)
    # Feeds are drawn by their number, evenly: which birds are early in the alphabet says nothing.
    feeds = np.unique(rows.feed[chosen])
    some = np.isin(rows.feed, feeds[:: -(-len(feeds) // FEEDS)])
    groups = feature_groups(sources, signals_of(held))
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


def _held(
    network: Network, candidates: Mapping[int, pd.DataFrame], rules: Rules
) -> tuple[pd.DataFrame, TrainingSet]:
    """The candidates of the last moments, in the order of their rows, and these rows."""
    moments, count = sorted(candidates), 1
    last, rows = _last(network, candidates, moments[-1:], rules)
    while _feeds_with_likes(rows) < ENOUGH and count < len(moments) // 3:
        count += 1
        last, rows = _last(network, candidates, moments[-count:], rules)
    return last, rows


def _last(
    network: Network, candidates: Mapping[int, pd.DataFrame], moments: Sequence[int], rules: Rules
) -> tuple[pd.DataFrame, TrainingSet]:
    chosen = {moment: candidates[moment] for moment in moments}
    rows = training_set(network, chosen, sources_of(candidates[moments[-1]]), rules.step)
    in_order = [frame.sort_values("bird", kind="stable") for frame in chosen.values()]
    return pd.concat(in_order, ignore_index=True), rows


def _feeds_with_likes(rows: TrainingSet) -> int:
    return len(np.unique(rows.feed[rows.labels]))


def of_feeds_with_likes(rows: TrainingSet) -> BoolArray:
    """Whether each row's feed holds anything that was liked; other feeds have no say."""
    return np.isin(rows.feed, rows.feed[rows.labels])


def _numbered(feed: IntArray) -> IntArray:
    return np.unique(feed, return_inverse=True)[1].astype(np.int64)
