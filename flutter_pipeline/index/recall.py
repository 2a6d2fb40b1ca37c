"""How many of the exact neighbours an index finds; the gate that every build has to pass."""

import numpy as np

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError
from flutter_pipeline.index.build import Index
from flutter_pipeline.index.exact import exact_neighbours, recall_of, without_self


def recall_at(
    index: Index, vectors: Matrix, k: int = 10, sample: int = 500, seed: int = 0
) -> float:
    """Share of the ``k`` exact neighbours that the index finds, over ``sample`` of its flits.

    ``vectors`` are those of ``index.ids``, shape (len(index), dim). A flit is not counted as its
    own neighbour; 1.0 where there is nothing to find.
    """
    if vectors.shape != (len(index), index.dim):
        raise VersionError(
            f"the index holds {len(index)} vectors of {index.dim}, these have shape "
            f"{vectors.shape}; measure with the vectors that it was built from"
        )
    there = vectors.any(axis=1)
    known = vectors if there.all() else np.ascontiguousarray(vectors[there])
    if len(known) < 2:
        return 1.0
    # Not the flits that the index was tuned with, which would flatter it.
    rng = np.random.default_rng([seed, 1])
    queries = rng.choice(len(known), min(sample, len(known)), replace=False)
    exact_scores, _ = exact_neighbours(known, queries, k)
    scores, rows = index.search(known[queries], k + 1)
    place = np.cumsum(there) - 1
    _, found = without_self(queries, scores, np.where(rows < 0, -1, place[rows]))
    return recall_of(known, known[queries], found, exact_scores)
