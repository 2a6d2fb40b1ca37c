"""What every collaborative recommender is: something that scores flits for what birds liked.

``train_x(likes, columns, config)`` learns from the likes of all birds; the scorer then takes the
likes of any birds, known to it or not, and scores the flits that are its columns. A bird that came
after the training is so served like any other.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.collaborative.likes import IntArray, Likes

FloatArray = NDArray[np.float32]


class Scorer(Protocol):
    """A trained recommender."""

    @property
    def columns(self) -> IntArray:
        """Codes, ascending, of the flits that are scored."""
        ...

    def scores(self, likes: Likes) -> FloatArray:
        """Shape (len(likes), len(columns)), higher is better.

        Zero or less says that nothing is known: such a flit is never proposed. A row without likes
        is all zeros, and a row's scores depend on that row alone. Flits that the bird has liked
        are scored like any other; whoever asks leaves them out. The array is the caller's to
        change.
        """
        ...
