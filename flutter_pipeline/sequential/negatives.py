"""The flits that a next flit is set against in a step, one lot for all that the step foretells.

Where there are few flits, all of them: the loss is then the cross-entropy over the catalogue. Else
they are drawn, popular ones more often, and each counts for as many as it stands for: the log of
how often it was expected is taken off its logit (logQ correction; Bengio & Senécal 2008,
"Adaptive importance sampling", and Yi et al. 2019, "Sampling-bias-corrected neural modeling").
"""

from dataclasses import dataclass

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray
from flutter_pipeline.collaborative.scorer import FloatArray
from flutter_pipeline.sequential.config import LearningConfig


@dataclass(frozen=True)
class Drawn:
    """Parallel arrays; every flit once."""

    number: IntArray
    """Ascending."""
    correction: FloatArray
    """Added to the logits: log(times drawn / times expected)."""


class Negatives:
    """Draws from the flits 0, 1, …, of which ``counts`` says how often each was liked."""

    def __init__(self, counts: IntArray, config: LearningConfig) -> None:
        """Each is drawn in proportion to its count to the power of the configured exponent."""
        shares = np.maximum(counts, 1).astype(np.float64) ** config.negative_exponent
        self.shares = shares / shares.sum()
        self.reached = np.cumsum(self.shares)
        self.size = config.negatives

    def draw(self, random: np.random.Generator) -> Drawn:
        """A new lot."""
        n_flits = len(self.shares)
        if n_flits <= self.size:
            return Drawn(np.arange(n_flits), np.zeros(n_flits, dtype=np.float32))
        places = np.searchsorted(self.reached, random.random(self.size), side="right")
        # The last sum may fall short of 1 by rounding.
        number, times = np.unique(np.minimum(places, n_flits - 1), return_counts=True)
        correction = np.log(times / (self.size * self.shares[number]))
        return Drawn(number, correction.astype(np.float32))
