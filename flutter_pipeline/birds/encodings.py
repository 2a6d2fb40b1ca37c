"""Categories as numbers: ordinal, one-hot and indicator codes, as "What are embeddings" has them.

Knows nothing of what the categories mean; a bird's country is as good as its language.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.errors import ContractError, CorpusError

UNKNOWN = -1
"""The ordinal code of a category that was not learnt."""


@dataclass(frozen=True)
class Categories:
    """The categories of one property; :func:`learn_categories` makes it."""

    names: tuple[str, ...]
    """In order of the alphabet; a category's code is its place."""

    def ordinal_codes(self, values: Sequence[str | None]) -> IntArray:
        """Shape (n,): each value's code, :data:`UNKNOWN` for a value that was not learnt."""
        known = np.array(self.names)
        asked = np.array([value or "" for value in values], dtype=str)
        codes = np.searchsorted(known, asked).clip(max=len(known) - 1)
        return np.where(known[codes] == asked, codes, UNKNOWN).astype(np.int64)

    def one_hot_codes(self, values: Sequence[str | None]) -> NDArray[np.int8]:
        """Shape (n, categories): 1 in the value's column; all 0 for a value that was not learnt."""
        codes = self.ordinal_codes(values)
        return (codes[:, np.newaxis] == np.arange(len(self.names))).astype(np.int8)

    def indicator_codes(self, values: Sequence[str | None]) -> NDArray[np.int8]:
        """Shape (n, categories - 1): one-hot without the first column, whose category is all 0.

        Raises ContractError for a value that was not learnt, which would look like the first.
        """
        unknown = self.ordinal_codes(values) == UNKNOWN
        if unknown.any():
            raise ContractError(
                f"'{values[int(unknown.argmax())]}' is none of the {len(self.names)} categories "
                f"{', '.join(self.names[:10])}; learn them anew, or use one-hot codes"
            )
        return self.one_hot_codes(values)[:, 1:]


def learn_categories(values: Sequence[str | None]) -> Categories:
    """The different values, without empty ones. Raises CorpusError where there are none."""
    names = tuple(sorted({value for value in values if value}))
    if not names:
        raise CorpusError(
            f"there are no categories in {len(values)} values, all are empty; "
            "leave the property out, or fill it"
        )
    return Categories(names)
