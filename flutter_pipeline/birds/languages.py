"""Which languages a bird reads: told by its likes, or else by the next best sign there is.

Signs in order: its own likes, its own flits, the likes of those that it follows, the likes of its
country, everybody's likes. Each sign is drawn towards the next one by a prior, as if the next one
had been seen that many times (Dirichlet smoothing; Zhai and Lafferty 2004, section 3.2); so a few
likes are believed a little, and many likes alone decide. Knows no pool and no source.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.history import FloatArray, History, IntArray
from flutter_pipeline.text.language import UNTOLD

Shares = NDArray[np.float64]


class LanguageConfig(BaseModel, frozen=True, extra="forbid"):
    """How much is believed of which sign."""

    prior: float = Field(
        default=1.0, gt=0, description="Likes that a weaker sign counts for beside a stronger one."
    )


@dataclass(frozen=True)
class Languages:
    """Shares of what is read, by bird and by country."""

    names: NDArray[np.object_]
    """The languages that flits are in, in order of the alphabet."""
    of_flit: IntArray
    """Shape (F,): place in ``names``."""
    of_bird: Shares
    """Shape (B, languages): rows add up to 1, but for the language that cannot be told."""
    country: IntArray
    """Shape (B,): number of the bird's country; birds of no known country share one."""
    of_country: Shares
    """Shape (countries, languages): the shares from which those of its birds start."""

    def match(self, birds: IntArray) -> FloatArray:
        """Shape (len(birds), languages): what each reads of a language as a share of what its
        country does, at most 1.

        1 where nothing is known of the bird, and for flits whose language cannot be told. What a
        bird reads more than its country counts no more: a few likes in a rare language would put
        all of it before everything else.
        """
        usual = self.of_country[self.country[birds]]
        told = np.broadcast_to(self.names != UNTOLD, usual.shape)
        share = np.divide(self.of_bird[birds], usual, out=np.ones(usual.shape), where=told)
        return np.minimum(share, 1).astype(np.float32)


def read_languages(history: History, config: LanguageConfig) -> Languages:
    """What ``history`` tells of the languages that every bird reads."""
    network = history.network
    n_birds = len(network.bird_ids)
    of_flit, names = pd.factorize(network.lang.astype(str), sort=True)
    told = names != UNTOLD
    country = pd.factorize(network.geo.astype(str), sort=True)[0].astype(np.int64)

    def counted(bird: IntArray, flit: IntArray) -> Shares:
        """How often each bird meets each language in these parallel arrays."""
        pair = bird * len(names) + of_flit[flit]
        counts = np.bincount(pair, minlength=n_birds * len(names)).astype(np.float64)
        return counts.reshape(n_birds, len(names)) * told

    likes = history.last_likes
    liked = counted(likes.bird, likes.flit)
    known = np.flatnonzero(history.known)
    everybody = liked.sum(axis=0) + told
    in_country = np.zeros((int(country.max(initial=-1)) + 1, len(names)))
    np.add.at(in_country, country, liked)
    of_country = _drawn(in_country, everybody / max(everybody.sum(), 1), config.prior)
    # Whoever is followed counts once, however much it likes.
    links = np.ones(len(network.follower))
    followed = csr_matrix((links, (network.follower, network.followed)), shape=(n_birds, n_birds))
    of_bird = of_country[country]
    for counts in (followed @ _shares(liked), counted(network.author[known], known), liked):
        of_bird = _drawn(counts, of_bird, config.prior)
    return Languages(names, of_flit.astype(np.int64), of_bird, country, of_country)


def _drawn(counts: Shares, towards: Shares, prior: float) -> Shares:
    """Each row of ``counts`` as shares, with ``prior`` counts that are shared like ``towards``."""
    return (counts + prior * towards) / (counts.sum(axis=1, keepdims=True) + prior)


def _shares(counts: Shares) -> Shares:
    """Rows that add up to 1; a row of zeros stays as it is."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
