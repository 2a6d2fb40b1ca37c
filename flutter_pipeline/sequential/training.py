"""From likes to a scorer, whatever form the towers have: the same course for all of them.

Torch is loaded when a training begins, and neither its random state nor its threads are left
changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.flits import flits_of
from flutter_pipeline.sequential.scorer import TowerScorer, scorer_of
from flutter_pipeline.sequential.threads import one_thread

if TYPE_CHECKING:
    from flutter_pipeline.sequential.towers import Towers


@dataclass(frozen=True)
class Plan:
    """What is to be learnt, and how."""

    towers: Callable[[int, int], "Towers"]
    """Makes new ones, of how many flits were liked and of the length of content vectors, or 0."""
    learning: LearningConfig


def train_towers(
    likes: Likes, columns: IntArray, content: Matrix | None, plan: Plan, progress: Progress
) -> TowerScorer:
    """Towers that learn from ``likes``, as a scorer of the flits ``columns``.

    Without any bird that liked two flits nothing foretells anything: then nothing is known.
    """
    import torch

    from flutter_pipeline.sequential.learning import learnt_towers

    something = bool((likes.lengths > 1).any())
    flits = flits_of(likes, content) if something else flits_of(likes.of(slice(0)), None)
    content_dim = 0 if content is None else content.shape[1]
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.learning.seed)
        towers = plan.towers(len(flits.learnt), content_dim)
        if something:
            towers = learnt_towers(towers, flits, likes, plan.learning, progress)
    return scorer_of(towers.eval(), flits, np.asarray(columns))
