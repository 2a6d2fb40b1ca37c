"""What those whom a bird follows wrote and liked, as of a moment. Knows no candidates table."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import History, IntArray


def written_by_followed(history: History) -> IntArray:
    """Of each bird, how many known flits those have written whom it follows, shape (B,).

    Who follows many writers is shown less of each.
    """
    network = history.network
    n_birds = len(network.bird_ids)
    wrote = np.bincount(network.author[history.known], minlength=n_birds)
    sums = np.bincount(network.follower, weights=wrote[network.followed], minlength=n_birds)
    return sums.astype(np.int64)


def likes_of_followed(bird: IntArray, flit: IntArray, history: History) -> NDArray:
    """How many of those whom each bird follows have liked the flit."""
    network = history.network
    birds, row = np.unique(bird, return_inverse=True)
    flits, column = np.unique(flit, return_inverse=True)
    shape = (len(network.bird_ids), len(flits))
    place = np.full(len(history.known), -1, dtype=np.int64)
    place[flits] = np.arange(len(flits))
    likes = history.last_likes
    likes = likes.where(place[likes.flit] >= 0)
    ones = np.ones(len(likes), dtype=np.float32)
    liked = csr_matrix((ones, (likes.bird, place[likes.flit])), shape=shape)
    links = np.ones(len(network.follower), dtype=np.float32)
    follows = csr_matrix((links, (network.follower, network.followed)), shape=(shape[0], shape[0]))
    counts = csr_matrix(follows[birds] @ liked)
    keys = np.repeat(np.arange(len(birds)), np.diff(counts.indptr)) * shape[1] + counts.indices
    order = np.argsort(keys)
    return _looked_up(row * np.int64(shape[1]) + column, keys[order], counts.data[order])


def _looked_up(wanted: IntArray, keys: IntArray, values: NDArray) -> NDArray:
    """The value of each of ``wanted`` among ascending ``keys``; 0 where it is none of them."""
    if len(keys) == 0:
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
