"""What both sequential recommenders are once trained: a vector a history, a vector a flit.

The score is ``exp((cosine - 1) / temperature)``: in proportion to what the softmax of training
gives each flit, above zero, and 1 at most. Histories are read by the network, whoever's they are;
the flits' vectors are kept, and an index can search them. Knows not how anything was learnt.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.sequential.flits import Flits
from flutter_pipeline.sequential.threads import one_thread

if TYPE_CHECKING:
    from flutter_pipeline.sequential.towers import Towers


@dataclass(frozen=True, eq=False)
class TowerScorer:
    """Trained towers and the flits that are scored; :func:`scorer_of` makes it."""

    columns: IntArray
    flit_vectors: Matrix
    """Shape (len(columns), dim): unit rows; zeros for flits that are unknown."""
    flits: Flits
    towers: "Towers"

    @property
    def scale(self) -> float:
        """The inverse of the temperature."""
        return float(self.towers.scale().detach())

    def history_vectors(self, likes: Likes) -> Matrix:
        """Shape (len(likes), dim): unit rows; zeros for histories of which nothing is known."""
        with one_thread():
            return self.towers.history_vectors(self.flits, likes)

    def scores(self, likes: Likes) -> FloatArray:
        """As :class:`~flutter_pipeline.collaborative.scorer.Scorer` says."""
        import torch

        histories = self.history_vectors(likes)
        with one_thread(), torch.no_grad():
            sharp = torch.from_numpy(histories * np.float32(self.scale))
            start = torch.full((1,), -self.scale)
            scores = torch.addmm(start, sharp, torch.from_numpy(self.flit_vectors).T).exp_()
        made: FloatArray = scores.numpy()
        made[~histories.any(axis=1)] = 0
        made[:, ~self.flits.placed[self.columns]] = 0
        return made


def scorer_of(towers: "Towers", flits: Flits, columns: IntArray) -> TowerScorer:
    """Trained ``towers`` as a scorer of the flits ``columns``, ascending codes."""
    placed = flits.placed[columns]
    vectors = np.zeros((len(columns), towers.dim), dtype=np.float32)
    with one_thread():
        vectors[placed] = towers.flit_vectors(flits, columns[placed])
    return TowerScorer(columns, vectors, flits, towers)
