"""Is a ranker worth using? What it gains over the blend's own order on a moment it has not seen.

A ranker that was learnt from few likes can be worse than no ranker. The last training moment is
held out, both orders are judged on it, and the caller decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import FloatArray, IntArray, Network
from flutter_pipeline.evaluation.past import ndcg_of_orders, sources_of
from flutter_pipeline.ranking.ranker import Ranker
from flutter_pipeline.ranking.training import TrainingSet, training_set


@dataclass(frozen=True)
class HeldOut:
    """Mean NDCG@k on the held-out moment, over the birds that liked a candidate there."""

    blend: float
    ranked: float
    birds: int

    @property
    def worse(self) -> bool:
        """Whether the ranker lost; where nothing was measured it did not."""
        return self.birds > 0 and self.ranked < self.blend


def held_out(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    train: Callable[[TrainingSet], Ranker],
    step: int,
    k: int,
) -> HeldOut:
    """Train on all moments of ``candidates`` (fused) but the last, and judge both orders there.

    Raises CorpusError, from ``train``, where the earlier moments hold too little to learn from.
    """
    *earlier, last = sorted(candidates)
    sources = sources_of(candidates[last])
    ranker = train(training_set(network, {m: candidates[m] for m in earlier}, sources, step))
    rows = training_set(network, {last: candidates[last]}, sources, step)
    frame = candidates[last].assign(liked=rows.labels)
    who = np.unique(frame.loc[frame["liked"], "bird"])
    if not len(who):
        return HeldOut(0.0, 0.0, 0)
    chosen = frame["bird"].isin(who).to_numpy()
    judged = frame[chosen].assign(feed=_numbered(frame.loc[chosen, "bird"].to_numpy()))
    value = ndcg_of_orders(judged, k)
    score: FloatArray = ranker.score(rows.features[chosen])
    return HeldOut(value(judged["fused"].to_numpy()), value(score), len(who))


def _numbered(bird: IntArray) -> IntArray:
    return np.unique(bird, return_inverse=True)[1].astype(np.int64)
