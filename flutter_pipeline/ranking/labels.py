"""What a ranker learns to foretell: which candidates were liked in the time that followed.

The one module of this stage that looks past a moment, and it is used for training and measuring
only: never while feeds are made.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import LIKED_CODES, BoolArray, IntArray, Network
from flutter_pipeline.ranking.pairs import found_in, pair_keys


def liked_between(
    network: Network, start: int, end: int, known_by: int | None = None
) -> tuple[IntArray, IntArray]:
    """The (bird, flit) pairs liked in [start, end), each once, in order of bird and flit.

    With ``known_by``, only likes that had also arrived before that moment: what could have been
    learnt from by then.
    """
    engagements = network.engagements
    keep = (
        (engagements.occurred_at >= start)
        & (engagements.occurred_at < end)
        & np.isin(engagements.action, LIKED_CODES)
    )
    if known_by is not None:
        keep &= engagements.arrived_at < known_by
    n_flits = len(network.flit_ids)
    keys = np.unique(pair_keys(engagements.bird[keep], engagements.flit[keep], n_flits))
    return keys // n_flits, keys % n_flits


def label(
    candidates: pd.DataFrame, network: Network, window: tuple[int, int], known_by: int | None = None
) -> BoolArray:
    """Whether each candidate was liked by its bird in ``window`` = [start, end)."""
    bird, flit = liked_between(network, *window, known_by)
    n_flits = len(network.flit_ids)
    wanted = pair_keys(
        candidates["bird"].to_numpy(dtype=np.int64),
        candidates["flit"].to_numpy(dtype=np.int64),
        n_flits,
    )
    return found_in(wanted, pair_keys(bird, flit, n_flits))
