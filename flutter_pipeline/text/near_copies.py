"""Near-copies: flits that say the same in almost the same words.

A signature keeps, for each of many hash functions, the least hash of the flit's shingles (runs of
neighbouring tokens). The share of equal places in two signatures estimates the Jaccard similarity
of their shingles (Broder 1997). Only the low 16 bits of each least hash are kept (Li and König
2010): twice as many places in the same room, against 1 chance in 65,536 of a false match.

Signatures depend on the tokens alone, and stay the same from day to day and machine to machine.
"""

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

# Their hashes stay in the cache while every hash function goes over them.
_FLITS_AT_ONCE = 8192
# Odd constants of splitmix64 (Steele, Lea and Flood 2014), which spread bits evenly.
_STIR = np.uint64(0xBF58476D1CE4E5B9)
_STIR_AGAIN = np.uint64(0x94D049BB133111EB)


class NearCopyConfig(BaseModel, frozen=True, extra="forbid"):
    """How signatures are made, and how alike two of them have to be."""

    places: int = Field(
        default=64, ge=16, le=1024, multiple_of=4, description="Hashes kept of each flit."
    )
    shingle: int = Field(default=2, ge=1, le=5, description="Tokens in a shingle.")
    min_tokens: int = Field(
        default=4, ge=1, description="Shorter flits are nobody's near-copy: greetings are alike."
    )
    threshold: float = Field(
        default=0.7, ge=0.5, le=1, description="Least Jaccard similarity of near-copies."
    )
    seed: int = Field(default=0, ge=0, description="Draws the hash functions.")

    @model_validator(mode="after")
    def _has_a_shingle(self) -> "NearCopyConfig":
        if self.min_tokens < self.shingle:
            raise ValueError(
                f"min_tokens is {self.min_tokens}, but a shingle takes {self.shingle} tokens; "
                "raise `min_tokens` or lower `shingle`"
            )
        return self


def signatures_of(tokens: pl.Series, config: NearCopyConfig) -> list[bytes]:
    """A signature of ``places`` little-endian uint16 for each list of tokens.

    Empty for a flit of fewer than ``min_tokens`` tokens.
    """
    signatures = [b""] * len(tokens)
    rows = np.flatnonzero((tokens.list.len() >= config.min_tokens).to_numpy())
    hashes, bounds = _shingle_hashes(tokens.gather(rows), config.shingle)
    factors = _factors(config)
    for first in range(0, len(rows), _FLITS_AT_ONCE):
        block = rows[first : first + _FLITS_AT_ONCE]
        ends = bounds[first : first + len(block) + 1]
        least = _least(hashes[ends[0] : ends[-1]], ends[:-1] - ends[0], factors)
        for row, signature in zip(block, least, strict=True):
            signatures[row] = signature.tobytes()
    return signatures


def _least(
    hashes: NDArray[np.uint64], starts: NDArray[np.int64], factors: NDArray[np.uint64]
) -> NDArray[np.uint16]:
    """Shape (flits, places): low bits of the least hash from each start to the next."""
    least = np.empty((len(factors), len(starts)), dtype=np.uint64)
    for place, factor in enumerate(factors):
        # The high half of a product with an odd number is a good hash (Dietzfelbinger 1997).
        least[place] = np.minimum.reduceat((hashes * factor) >> np.uint64(32), starts)
    return np.ascontiguousarray(least.T).astype("<u2")


def _factors(config: NearCopyConfig) -> NDArray[np.uint64]:
    drawn = np.random.default_rng(config.seed).integers(
        0, 1 << 64, size=config.places, dtype=np.uint64
    )
    return drawn | np.uint64(1)


def _shingle_hashes(
    tokens: pl.Series, shingle: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of all shingles, flit after flit, and the bounds of each flit's (one more than flits).

    Every flit has at least ``shingle`` tokens.
    """
    words = tokens.explode(empty_as_null=False).to_arrow().dictionary_encode()
    hashed = _token_hashes(words.dictionary.to_pylist())[words.indices.to_numpy()]
    n_starts = max(len(hashed) - shingle + 1, 0)
    hashes = np.zeros(n_starts, dtype=np.uint64)
    for offset in range(shingle):
        hashes = _stirred(hashes + hashed[offset : offset + n_starts])
    # The last starts of a flit would reach over into the next flit.
    n_tokens = tokens.list.len().to_numpy().astype(np.int64)
    left = np.repeat(np.cumsum(n_tokens), n_tokens)[:n_starts] - np.arange(n_starts)
    bounds = np.concatenate([[0], np.cumsum(n_tokens - shingle + 1)])
    return hashes[left >= shingle], bounds


def _token_hashes(words: list[str]) -> NDArray[np.uint64]:
    digests = (blake2b(word.encode(), digest_size=8).digest() for word in words)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _stirred(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _STIR
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _STIR_AGAIN
    return hashes ^ (hashes >> np.uint64(31))
