"""What the encoders that fold word counts into few dimensions share; knows none of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.encoder import Matrix, Reads, unit_rows
from flutter_pipeline.embeddings.vocabulary import Vocabulary, learn_and_count, unpacked
from flutter_pipeline.errors import CorpusError

BATCH = 50_000
"""Flits encoded at a time; bounds the memory."""
Weigh = Callable[[csr_matrix, NDArray[np.float32]], csr_matrix]
"""Gives weights for counts, both of shape (flits, words), and what each word weighs at large."""


class FoldingConfig(BaseModel, frozen=True, extra="forbid"):
    """Which words count, and into how few numbers they are folded."""

    dim: int = Field(default=128, gt=0, description="Length of each flit vector.")
    min_flits: int = Field(default=2, gt=0, description="Drop words seen in fewer flits.")
    max_share: float = Field(
        default=0.5, gt=0, le=1, description="Drop words seen in more than this share of flits."
    )
    seed: int = Field(default=0, ge=0, description="Seeds what is drawn at random.")


@dataclass(frozen=True)
class FoldedEncoder:
    """Weighs words, and turns the weights into their shares of some directions."""

    config: FoldingConfig
    vocabulary: Vocabulary
    rarity: NDArray[np.float32]
    """Shape (words,): what each word weighs at large."""
    directions: Matrix
    """Shape (words, dim)."""
    mean: NDArray[np.float32]
    """Shape (dim,): where the directions are measured from; zeros but for PCA."""
    explained: float
    """Share of the training weights' variance that the directions keep."""
    weigh: Weigh

    reads: ClassVar[Reads] = "tokens"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.config.dim

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        """Unit rows, shape (n, dim); zeros for a flit without known words."""
        return encoded_in_batches(flits, self.dim, self._fold, progress)

    def _fold(self, flits: Sequence[str]) -> Matrix:
        weights = self.weigh(self.vocabulary.count(flits), self.rarity)
        known = np.diff(weights.indptr) > 0
        return weights @ self.directions - known[:, None] * self.mean

    def state(self) -> State:
        """All that it takes to have the same encoder again."""
        return State(
            settings={
                "config": self.config.model_dump(mode="json"),
                "explained": self.explained,
            },
            arrays={
                "words": self.vocabulary.packed(),
                "rarity": self.rarity,
                "directions": self.directions,
                "mean": self.mean,
            },
        )


def loaded(state: State, config: type[FoldingConfig], weigh: Weigh) -> FoldedEncoder:
    """The encoder whose :meth:`FoldedEncoder.state` this is."""
    return FoldedEncoder(
        config=config(**state.settings["config"]),
        vocabulary=unpacked(state.arrays["words"]),
        rarity=state.arrays["rarity"],
        directions=state.arrays["directions"],
        mean=state.arrays["mean"],
        explained=state.settings["explained"],
        weigh=weigh,
    )


def counted(flits: Sequence[str], config: FoldingConfig) -> tuple[Vocabulary, csr_matrix]:
    """The words to fold, and how often each is in each of ``flits``, shape (flits, words).

    Raises CorpusError where there are not more words, and flits, than dimensions.
    """
    vocabulary, counts = learn_and_count(flits, config.min_flits, config.max_share)
    _require_room(len(flits), len(vocabulary), config.dim)
    return vocabulary, counts


def encoded_in_batches(
    flits: Sequence[str], dim: int, rows_of: Callable[[Sequence[str]], Matrix], progress: Progress
) -> Matrix:
    """What ``rows_of`` makes of some flits at a time, scaled to unit rows, shape (n, dim)."""
    rows = np.zeros((len(flits), dim), dtype=np.float32)
    for start in range(0, len(flits), BATCH):
        rows[start : start + BATCH] = unit_rows(rows_of(flits[start : start + BATCH]))
        progress(min(start + BATCH, len(flits)), len(flits))
    return rows


def leading_directions(weights: csr_matrix, dim: int, seed: int) -> tuple[Matrix, float]:
    """The leading right singular vectors, shape (words, dim), and the share of variance they keep.

    Runs on one thread, so that the same seed gives the same bits on any number of cores.
    """
    # Scikit-learn takes more than a second to import; listing the encoders must not wait for it.
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    svd = TruncatedSVD(n_components=dim, random_state=seed)
    with threadpool_limits(limits=1):
        svd.fit(weights)
    directions = np.ascontiguousarray(np.asarray(svd.components_).T, dtype=np.float32)
    return directions, float(svd.explained_variance_ratio_.sum())


def _require_room(n_flits: int, n_words: int, dim: int) -> None:
    if n_words <= dim:
        raise CorpusError(
            f"cannot fold {n_words} words into {dim} dimensions; "
            "lower `dim`, lower `min_flits`, raise `max_share`, or train on more flits"
        )
    if n_flits <= dim:
        raise CorpusError(
            f"cannot find {dim} directions in {n_flits} flits; lower `dim`, or train on more flits"
        )
