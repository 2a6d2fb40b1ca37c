"""The kinds of flits whose movement is told apart: by language, age, length, author, copies.

Every cut is a categorical column with few categories, in an order that a reader expects. Reads
columns of the cleaned tokens; knows no vectors.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LANGUAGES = 8
"""Languages that are told apart; the others are one slice."""

AGES = ((0, "last day"), (1, "1 to 7 days"), (7, "7 to 30 days"), (30, "older"))
LENGTHS = ((0, "up to 5 words"), (6, "6 to 15 words"), (16, "16 to 30 words"), (31, "longer"))
AUTHORS = ((0, "1 flit"), (2, "2 to 9 flits"), (10, "10 to 99 flits"), (100, "more flits"))
COPIES = ((0, "one of its kind"), (2, "has near-copies"))
"""Each slice begins at its number: of days, of words, of the author's flits, of alike flits."""

READS = ("flit_id", "bird_id", "created_at", "n_tokens", "lang", "minhash")
"""The columns of the cleaned tokens that slices are cut by."""


def flit_slices(cleaned_tokens: pd.DataFrame, flit_ids: NDArray[np.object_]) -> pd.DataFrame:
    """A row for each of ``flit_ids``, a column for each cut; no value where a flit is not known.

    Age is counted back from the newest flit. An author's flits and the near-copies are counted
    among all of ``cleaned_tokens``; flits whose signatures are equal are near-copies.
    """
    rows = pd.Index(cleaned_tokens["flit_id"]).get_indexer(pd.Index(flit_ids))
    known = pd.Series(rows >= 0)
    flits = cleaned_tokens.iloc[np.maximum(rows, 0)].reset_index(drop=True)
    days = (cleaned_tokens["created_at"].max() - flits["created_at"]) / pd.Timedelta(days=1)
    cuts = {
        "language": _languages(flits["lang"]),
        "age": _steps(days, AGES),
        "length": _steps(flits["n_tokens"], LENGTHS),
        "author": _steps(_times(cleaned_tokens["bird_id"], flits["bird_id"]), AUTHORS),
        "copies": _steps(_times(cleaned_tokens["minhash"], flits["minhash"]), COPIES),
    }
    return pd.DataFrame({by: kind.where(known) for by, kind in cuts.items()})


def _languages(lang: pd.Series) -> pd.Series:
    """The most frequent ones, most frequent first, and ``other languages``."""
    counts = lang.value_counts()
    kept = counts.sort_index().sort_values(ascending=False, kind="stable").index[:LANGUAGES]
    named = lang.where(lang.isin(kept), "other languages")
    return named.astype(pd.CategoricalDtype([*kept, "other languages"], ordered=True))


def _steps(values: pd.Series, steps: tuple[tuple[int, str], ...]) -> pd.Series:
    """The last step that begins at or below each value."""
    begins = [begin for begin, _ in steps]
    place = np.searchsorted(begins, values.to_numpy(dtype=np.float64), side="right") - 1
    names = np.array([name for _, name in steps])
    return pd.Series(pd.Categorical(names[np.maximum(place, 0)], names, ordered=True))


def _times(everywhere: pd.Series, values: pd.Series) -> pd.Series:
    """How often each of ``values`` comes in ``everywhere``."""
    return values.map(everywhere.value_counts()).fillna(0)
