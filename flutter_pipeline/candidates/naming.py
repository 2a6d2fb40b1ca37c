"""Candidate tables with ids instead of codes: codes hold for one network only, ids for ever.

Ids are categorical, so a table of millions of rows names each flit once, and names no other: what
a part of a table costs follows from its rows, and not from how many flits are stored.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import IntArray, Network
from flutter_pipeline.birds.interests import Interests
from flutter_pipeline.birds.numbering import codes_of

CODED = {"bird": "bird_id", "flit": "flit_id", "because": "because_id"}
"""Code columns, and what they are called when they hold ids."""


def with_ids(candidates: pd.DataFrame, network: Network) -> pd.DataFrame:
    """``candidates`` with `bird_id, flit_id, because_id`; a code of -1 becomes null."""
    named = {
        CODED[code]: _named(candidates[code].to_numpy(), ids) for code, ids in _ids(network).items()
    }
    rest = candidates.drop(columns=list(CODED))
    return pd.concat([pd.DataFrame(named, index=candidates.index), rest], axis=1)


def with_codes(named: pd.DataFrame, network: Network) -> pd.DataFrame:
    """The table that :func:`with_ids` was given; ids that the network lacks become -1."""
    coded = {code: _codes(named[CODED[code]], ids) for code, ids in _ids(network).items()}
    rest = named.drop(columns=list(CODED.values()))
    return pd.concat([pd.DataFrame(coded, index=named.index), rest], axis=1)


def _ids(network: Network) -> dict[str, np.ndarray]:
    return {"bird": network.bird_ids, "flit": network.flit_ids, "because": network.flit_ids}


def interests_with_ids(interests: Mapping[str, Interests], network: Network) -> pd.DataFrame:
    """The interests of each encoder, stacked: `encoder, bird_id, flit_id, importance, n_likes`."""
    names = pd.Index(list(interests))
    bird = np.concatenate([np.zeros(0, np.int64), *(one.bird for one in interests.values())])
    flit = np.concatenate([np.zeros(0, np.int64), *(one.flit for one in interests.values())])
    encoder = np.repeat(np.arange(len(names)), [len(one) for one in interests.values()])
    parts = list(interests.values())
    return pd.DataFrame(
        {
            "encoder": pd.Categorical.from_codes(encoder, categories=names),
            "bird_id": _named(bird, network.bird_ids),
            "flit_id": _named(flit, network.flit_ids),
            "importance": np.concatenate([one.importance for one in parts]).astype(np.float32),
            "n_likes": np.concatenate([one.n_likes for one in parts]).astype(np.int64),
            "weight": np.concatenate([one.weight for one in parts]).astype(np.float32),
        }
    )


def interests_with_codes(
    table: pd.DataFrame, network: Network, encoders: Sequence[str]
) -> dict[str, Interests]:
    """What :func:`interests_with_ids` was given, for each of ``encoders``."""
    bird = _codes(table["bird_id"], network.bird_ids)
    flit = _codes(table["flit_id"], network.flit_ids)
    numbers = [table[name].to_numpy() for name in ("importance", "n_likes", "weight")]
    found = {}
    for encoder in encoders:
        rows = (table["encoder"].astype("str") == encoder).to_numpy(dtype=bool)
        found[encoder] = Interests(bird[rows], flit[rows], *(one[rows] for one in numbers))
    return found


def _named(codes: IntArray, ids: np.ndarray) -> pd.Categorical:
    """Ids in place of ``codes``, null for -1; the categories are those that there are, in order."""
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(ids)))
    place = np.full(len(ids) + 1, -1, dtype=np.int32)
    place[used] = np.arange(len(used))
    # The last place serves the code of null.
    return pd.Categorical.from_codes(place[codes], categories=pd.Index(ids[used], dtype="str"))


def _codes(column: pd.Series, ids: np.ndarray) -> IntArray:
    """Codes of categorical ids; -1 for null and for ids that are not in ``ids``."""
    named = column.astype("category")
    # One look-up for each id, not for each row; the last place serves the code of null.
    places = codes_of(named.cat.categories, ids)
    return np.append(places, -1)[named.cat.codes.to_numpy()].astype(np.int64)
