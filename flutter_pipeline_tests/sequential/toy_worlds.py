"""Small worlds in which what comes next can be told by hand."""

import numpy as np

from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.embeddings.encoder import Matrix

RING = 12
"""Flits in a ring, each followed by the next."""
KINDS = 3
"""Flits are of kind 0, 1, 2, 0, 1, 2, …"""
KIND_FLITS = 30


def round_the_ring(both_ways: bool = False) -> Likes:
    """From each flit five birds go five flits on; or, of ``both_ways``, five more go backwards."""
    ways = (1, -1) if both_ways else (1,)
    sequences = [
        (start + way * np.arange(6)) % RING
        for start in range(RING)
        for way in ways
        for _ in range(5)
    ]
    return likes_of_sequences(sequences, RING)


def likes_by_kind() -> Likes:
    """60 birds like five flits of one kind; the last flit of each kind is liked by nobody."""
    rng = np.random.default_rng(0)
    liked = np.arange(KIND_FLITS - KINDS)
    sequences = [
        rng.choice(liked[liked % KINDS == bird % KINDS], 5, replace=False) for bird in range(60)
    ]
    return likes_of_sequences(sequences, KIND_FLITS)


def kind_content(kinds: IntArray) -> Matrix:
    """One-hot rows by kind, blurred a little."""
    blur = np.random.default_rng(1).normal(0, 0.1, (len(kinds), KINDS))
    return (np.eye(KINDS)[kinds] + blur).astype(np.float32)


def history(flits: list[int], n_flits: int = RING) -> Likes:
    """One bird that liked these, oldest first; places in the ring may be counted from its end."""
    return likes_of_sequences([np.array(flits) % n_flits], n_flits)
