"""The steps of fine-tuning: each draws the flits of its pairs together, and the others apart.

A pair is set against the other pairs of its step (in-batch negatives), with two corrections: a
popular flit stands there more often than others and would be pushed away for its popularity, so
the log of its share is taken off its score (Yi et al. 2019, "Sampling-bias-corrected neural
modeling"); and what the bird has liked too is no counter-example. Knows no texts.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.halves import Reading
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import (
    IntArray,
    Liked,
    Pairs,
    shares,
)
from flutter_pipeline.embeddings.bert.fine_tuning.next_like import NextLikes
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

SECTION = 4096
"""Flits whose vectors are asked for at a time where nothing is learnt."""


class School:
    """An upper half in training. It changes with every step, and nobody else sees it."""

    def __init__(
        self, reading: Reading, pairs: Pairs, liked: Liked, config: FineTuneConfig
    ) -> None:
        """Nothing is learnt yet."""
        self.reading = reading
        self.pairs = pairs
        self.liked = liked
        self.config = config
        share = shares(pairs, len(reading.pieces.lengths))
        with np.errstate(divide="ignore"):
            self.log_share = torch.from_numpy(np.log(share).astype(np.float32))
        self.learning = reading.halves.learning()
        self.optimiser = torch.optim.AdamW(
            self.learning.values(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    @property
    def steps(self) -> int:
        """Steps until every pair was seen as often as configured."""
        return max(1, len(self.pairs) // self.config.batch) * self.config.epochs

    def batches(self) -> Iterator[Pairs]:
        """The pairs of each step; those that do not fill the last one of an epoch wait."""
        random = np.random.default_rng(self.config.seed)
        size = min(self.config.batch, len(self.pairs))
        for _ in range(self.config.epochs):
            order = random.permutation(len(self.pairs))
            for start in range(0, len(order) - size + 1, size):
                yield self.pairs.take(order[start : start + size])

    def learn(self, pairs: Pairs, step: int) -> float:
        """One step, the ``step``-th from 1; returns the loss before it."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * self._pace(step)
        flits, places = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
        vectors = functional.normalize(self.reading.vectors(flits), dim=1)
        first, second = vectors[torch.from_numpy(places)].chunk(2)
        loss = self._loss(first, second, pairs)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learning.values(), self.config.max_norm)
        self.optimiser.step()
        return float(loss.detach())

    def gain(self, held_out: NextLikes) -> float:
        """How well the held-out likes are foretold now."""
        rows = []
        for start in range(0, len(held_out.flits), SECTION):
            with torch.inference_mode():
                vectors = self.reading.vectors(held_out.flits[start : start + SECTION])
            rows.append(vectors.cpu().numpy())
        return held_out.gain(unit_rows(np.concatenate(rows)))

    def weights(self) -> dict[str, Matrix]:
        """A copy of the weights that learn, by their names in the whole model."""
        return {
            name: weight.detach().cpu().numpy().copy() for name, weight in self.learning.items()
        }

    def _loss(self, first: Tensor, second: Tensor, pairs: Pairs) -> Tensor:
        scores = first @ second.T / self.config.temperature
        there = self._contrast(scores, pairs.second, pairs.bird)
        back = self._contrast(scores.T, pairs.first, pairs.bird)
        return (there + back) / 2

    def _contrast(self, scores: Tensor, flits: IntArray, birds: IntArray) -> Tensor:
        share = self.config.popularity * self.log_share[torch.from_numpy(flits)]
        liked = torch.from_numpy(self.liked.holds(birds[:, None], flits[None, :]))
        return contrast(scores, share.to(scores.device), liked.to(scores.device))

    def _pace(self, step: int) -> float:
        """The learning rate's share of its highest: up in a line, then down in one."""
        rising = self.config.warm_up * self.steps
        if step < rising:
            return step / rising
        return (self.steps - step + 1) / (self.steps - rising + 1)


def contrast(scores: Tensor, log_share: Tensor, liked: Tensor) -> Tensor:
    """Mean cross-entropy of finding each pair's own flit among those of all pairs of a step.

    Row i of ``scores`` (n, n) is pair i, its own flit in column i; ``log_share`` (n,) is the log of
    how often the flit of each column stands there, taken off its scores. A column that the bird of
    the row ``liked`` (n, n) too is left out of that row.
    """
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    corrected = (scores - log_share).masked_fill(liked & ~own, -torch.inf)
    return functional.cross_entropy(corrected, torch.arange(len(scores), device=scores.device))
