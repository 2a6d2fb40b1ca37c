"""Principal components of TF-IDF weights: LSA's fold, measured from the mean flit.

Without the mean the leading direction says how a flit differs from others, not from nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.folding import FoldedEncoder, FoldingConfig, counted, loaded
from flutter_pipeline.embeddings.weighting import smooth_idf, tf_idf


class PcaConfig(FoldingConfig, frozen=True, extra="forbid"):
    """Everything that decides what a PCA encoder will be."""


def train_pca(
    flits: Sequence[str], config: PcaConfig, progress: Progress = no_progress
) -> FoldedEncoder:
    """Learn word weights and components from ``flits``, each a string of spaced words.

    Runs on one thread, so that the same seed gives the same bits on any number of cores. Raises
    CorpusError where there are not more words, and flits, than dimensions.
    """
    # Scikit-learn takes more than a second to import; listing the encoders must not wait for it.
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    vocabulary, counts = counted(flits, config)
    progress(1, 2)
    idf = smooth_idf(counts)
    # This solver subtracts the mean as it multiplies, and leaves the sparse weights sparse.
    pca = PCA(config.dim, svd_solver="arpack", random_state=config.seed)
    with threadpool_limits(limits=1):
        pca.fit(_weights(counts, idf))
    progress(2, 2)
    components = np.asarray(pca.components_, dtype=np.float64)
    return FoldedEncoder(
        config=config,
        vocabulary=vocabulary,
        rarity=idf,
        directions=np.ascontiguousarray(components.T, dtype=np.float32),
        mean=(components @ np.asarray(pca.mean_).ravel()).astype(np.float32),
        explained=float(pca.explained_variance_ratio_.sum()),
        weigh=_weights,
    )


def load_pca(state: State) -> FoldedEncoder:
    """The encoder whose state this is."""
    return loaded(state, PcaConfig, _weights)


def _weights(counts: csr_matrix, idf: NDArray[np.float32]) -> csr_matrix:
    return tf_idf(counts, idf, sublinear=True)
