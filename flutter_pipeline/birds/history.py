"""What was known at a moment: flits, birds and engagements as dense codes, cut at ``as_of``.

A :class:`Network` numbers every flit and bird once, so that vectors, matrices and tables of all
moments share the same codes. A :class:`History` is the network with everything from ``as_of`` on
taken away: whoever is given a history cannot see the future.

Codes are positions in ``flit_ids`` and ``bird_ids``; times are microseconds since 1970, UTC.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.birds.numbering import codes_of, grouped, in_order, strings
from flutter_pipeline.contracts.state import State
from flutter_pipeline.contracts.tables import ACTIONS, DISLIKED, LIKED
from flutter_pipeline.errors import CorpusError

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""Microseconds in an hour and in a day."""

LIKED_CODES = np.array([ACTIONS.index(action) for action in LIKED], dtype=np.int8)
DISLIKED_CODES = np.array([ACTIONS.index(action) for action in DISLIKED], dtype=np.int8)


@dataclass(frozen=True)
class Engagements:
    """Parallel arrays, one entry an engagement, in order of ``occurred_at``."""

    bird: IntArray
    flit: IntArray
    action: NDArray[np.int8]
    occurred_at: IntArray
    arrived_at: IntArray
    position: NDArray[np.int32]
    """Place in the feed where the flit was shown, from 1; 0 where nobody noted it."""

    def __len__(self) -> int:
        return len(self.bird)

    def take(self, entries: BoolArray | IntArray) -> "Engagements":
        """The entries at these places, in this order; or, of a mask, where it is true."""
        return Engagements(
            self.bird[entries],
            self.flit[entries],
            self.action[entries],
            self.occurred_at[entries],
            self.arrived_at[entries],
            self.position[entries],
        )

    def where(self, keep: BoolArray) -> "Engagements":
        """Only the entries where ``keep`` is true."""
        return self.take(keep)

    def of(self, actions: NDArray[np.int8]) -> "Engagements":
        """Only those whose action code is one of ``actions``."""
        return self.where(np.isin(self.action, actions))

    def between(self, start: int, end: int) -> "Engagements":
        """Only those that occurred in [start, end)."""
        return self.where((self.occurred_at >= start) & (self.occurred_at < end))


@dataclass(frozen=True)
class Network:
    """Everything that is stored, whenever it happened. Arrays over flits have length F."""

    flit_ids: NDArray[np.object_]
    bird_ids: NDArray[np.object_]
    author: IntArray
    created_at: IntArray
    arrived_at: IntArray
    n_tokens: IntArray
    lang: NDArray[np.object_]
    sensitive: BoolArray
    spam: BoolArray
    near_copies: IntArray
    """Group code: flits of one group are near-copies of one another."""
    engagements: Engagements
    follower: IntArray
    """Bird code of the follower, parallel to ``followed``."""
    followed: IntArray
    geo: NDArray[np.object_]
    """Country of each bird, shape (B,); empty where it is not known."""
    blocker: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Bird code of the one who blocks, parallel to ``blocked``."""
    blocked: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def state(self) -> State:
        """The network as arrays; ids become fixed-width strings."""
        own = {name: getattr(self, name) for name in NETWORK_ARRAYS}
        strings = {name: own[name].astype("U") for name in STRINGS}
        done = {
            f"engagements.{name}": getattr(self.engagements, name) for name in ENGAGEMENT_ARRAYS
        }
        return State({}, {**own, **strings, **done})

    def flit_codes(self, flit_ids: pd.Series) -> IntArray:
        """Codes of ``flit_ids``; -1 for a flit that is not in the network."""
        return pd.Index(self.flit_ids).get_indexer(pd.Index(flit_ids)).astype(np.int64)

    def bird_codes(self, bird_ids: pd.Series) -> IntArray:
        """Codes of ``bird_ids``; -1 for a bird that is not in the network."""
        return pd.Index(self.bird_ids).get_indexer(pd.Index(bird_ids)).astype(np.int64)


@dataclass(frozen=True)
class History:
    """The network as it was known just before ``as_of``; :func:`known_before` makes it."""

    network: Network
    as_of: int
    known: BoolArray
    """Shape (F,): posted and arrived before ``as_of``. Look at no other flit."""
    engagements: Engagements

    @cached_property
    def likes(self) -> Engagements:
        """Engagements that say "more of this", oldest first."""
        return self.engagements.of(LIKED_CODES)

    @cached_property
    def dislikes(self) -> Engagements:
        """Engagements that say "never again", oldest first."""
        return self.engagements.of(DISLIKED_CODES)

    @cached_property
    def last_likes(self) -> Engagements:
        """The last like of each bird and flit: grouped by bird, newest first within a bird."""
        likes = self.likes
        # From the newest on, whatever was met before is not the last of its pair.
        backwards = np.arange(len(likes))[::-1]
        pair = (likes.bird * len(self.known) + likes.flit)[backwards]
        place = backwards[~pd.Series(pair).duplicated().to_numpy(dtype=bool)]
        return likes.take(place[grouped(likes.bird[place])])

    @cached_property
    def met(self) -> csr_matrix:
        """Shape (B, F), 1 where a bird has met a flit in any way, or wrote it."""
        return self.met_among(np.arange(len(self.known)))

    def met_among(self, flits: IntArray) -> csr_matrix:
        """The columns ``flits`` (codes, each once) of :attr:`met`, without making all of it."""
        column = np.full(len(self.known), -1, dtype=np.int32)
        column[flits] = np.arange(len(flits), dtype=np.int32)
        authored = np.flatnonzero(self.known & (column >= 0))
        met = column[self.engagements.flit] >= 0
        rows = np.concatenate([self.engagements.bird[met], self.network.author[authored]])
        columns = column[np.concatenate([self.engagements.flit[met], authored])]
        shape = (len(self.network.bird_ids), len(flits))
        matrix = csr_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=shape)
        # Engagements of one bird with one flit add up, and past 127 an int8 runs over.
        matrix.data[:] = 1
        return matrix

    def age_in_days(self, flits: IntArray) -> FloatArray:
        """Age of ``flits`` (codes) at ``as_of``, in days."""
        return ((self.as_of - self.network.created_at[flits]) / DAY).astype(np.float32)


NETWORK_ARRAYS = tuple(name for name in Network.__dataclass_fields__ if name != "engagements")
STRINGS = ("flit_ids", "bird_ids", "lang", "geo")
NAMING = ("bird_id", "follows_id", "blocks_id")
"""Columns of the optional tables that name birds."""
ENGAGEMENT_ARRAYS = tuple(Engagements.__dataclass_fields__)


def load_network(state: State) -> Network:
    """The network that :meth:`Network.state` gave."""
    arrays = {name: state.arrays[name] for name in NETWORK_ARRAYS}
    strings = {name: arrays[name].astype(object) for name in STRINGS}
    done = Engagements(**{name: state.arrays[f"engagements.{name}"] for name in ENGAGEMENT_ARRAYS})
    return Network(**{**arrays, **strings}, engagements=done)


def known_before(network: Network, as_of: int) -> History:
    """What was known before ``as_of``: event time and arrival time both earlier."""
    known = (network.created_at < as_of) & (network.arrived_at < as_of)
    engagements = network.engagements
    keep = (
        (engagements.occurred_at < as_of)
        & (engagements.arrived_at < as_of)
        & known[engagements.flit]
    )
    return History(network, as_of, known, engagements.where(keep))


def microseconds(times: pd.Series | pd.DataFrame) -> IntArray:
    """A column of UTC times as microseconds since 1970."""
    # To a type checker, a column taken from a frame may be a frame.
    return times.to_numpy(dtype="datetime64[us]").astype(np.int64)


@dataclass(frozen=True)
class Told:
    """What the optional tables tell of birds; None: nobody told."""

    follows: pd.DataFrame | None = None
    blocks: pd.DataFrame | None = None
    birds: pd.DataFrame | None = None


def build_network(
    cleaned_tokens: pd.DataFrame,
    engagements: pd.DataFrame,
    near_copies: IntArray,
    told: Told | None = None,
) -> Network:
    """Number flits and birds, and turn the tables into arrays.

    ``near_copies`` holds a group code for each row of ``cleaned_tokens``. Every bird that any of
    the tables names gets a code, also one that has done nothing yet. Flits are numbered by
    (created_at, flit_id), birds by id, so codes do not depend on the order of the rows.
    Engagements with flits that are not stored are left out. Raises CorpusError without flits.
    """
    if cleaned_tokens.empty:
        raise CorpusError("there are no flits to build on; land flits and run again")
    order = in_order(microseconds(cleaned_tokens["created_at"]), cleaned_tokens["flit_id"])
    flits = cleaned_tokens.take(order)
    flit_ids = strings(flits["flit_id"])
    codes = codes_of(engagements["flit_id"], flit_ids)
    stored = codes >= 0
    if not stored.all():
        engagements, codes = engagements.loc[stored], codes[stored]
    told = told or Told()
    everybody = _everybody(flits, engagements, told)
    follower, followed = _links(everybody, told.follows, "follows_id")
    blocker, blocked = _links(everybody, told.blocks, "blocks_id")
    return Network(
        flit_ids=flits["flit_id"].to_numpy(dtype=object),
        bird_ids=everybody.to_numpy(dtype=object),
        author=codes_of(flits["bird_id"], everybody),
        created_at=microseconds(flits["created_at"]),
        arrived_at=microseconds(flits["arrived_at"]),
        n_tokens=flits["n_tokens"].to_numpy(dtype=np.int64),
        lang=flits["lang"].to_numpy(dtype=object),
        sensitive=flits["sensitive"].to_numpy(dtype=bool),
        spam=flits["spam"].to_numpy(dtype=bool),
        near_copies=np.asarray(near_copies, dtype=np.int64)[order],
        engagements=_coded(engagements, codes, everybody),
        follower=follower,
        followed=followed,
        geo=_geo(everybody, told.birds),
        blocker=blocker,
        blocked=blocked,
    )


def _everybody(flits: pd.DataFrame, engagements: pd.DataFrame, told: Told) -> pd.Index:
    """Ids of all birds that any table names, in order."""
    named = [flits["bird_id"], engagements["bird_id"]]
    for table in (told.follows, told.blocks, told.birds):
        if table is not None:
            named += [table[name] for name in table if name in NAMING]
    return pd.Index(pd.concat(named).astype("str").unique()).sort_values()


def _links(everybody: pd.Index, links: pd.DataFrame | None, to: str) -> tuple[IntArray, IntArray]:
    """Codes of the birds that ``links`` go from, and of those in its column ``to``."""
    if links is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return codes_of(links["bird_id"], everybody), codes_of(links[to], everybody)


def _geo(everybody: pd.Index, birds: pd.DataFrame | None) -> NDArray[np.object_]:
    """Country of each of ``everybody``; empty where ``birds`` does not tell."""
    if birds is None or birds.empty:
        return np.full(len(everybody), "", dtype=object)
    told = birds.set_index("bird_id")["geo"].reindex(everybody)
    return told.fillna("").to_numpy(dtype=object)


def _coded(rows: pd.DataFrame, flits: IntArray, birds: pd.Index) -> Engagements:
    """Engagement rows as arrays in order of time; ties by bird, flit and action."""
    bird = codes_of(rows["bird_id"], birds)
    action = codes_of(rows["action"], ACTIONS).astype(np.int8)
    occurred_at = microseconds(rows["occurred_at"])
    position = rows["position"].fillna(0).to_numpy(dtype=np.int32)
    order = in_order(occurred_at, bird, flits, action)
    return Engagements(
        bird[order],
        flits[order],
        action[order],
        occurred_at[order],
        microseconds(rows["arrived_at"])[order],
        position[order],
    )
