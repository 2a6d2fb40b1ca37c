"""Networks that are small enough to see through, and a random one for what must always hold.

Birds and flits are called by their codes; times are in days, and day 0 is 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flutter_pipeline.birds.history import DAY, Engagements, IntArray, Network
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows

Engagement = tuple[int, int, str, float]
"""Bird, flit, action, day."""


def days(values: Sequence[float]) -> IntArray:
    """Days as microseconds."""
    return np.array([round(day * DAY) for day in values], dtype=np.int64)


def engagements_of(rows: Sequence[Engagement], arrived: Sequence[float] | None) -> Engagements:
    """Engagements in order of time; each arrives when it happens unless ``arrived`` says when."""
    at = days([row[3] for row in rows])
    arrived_at = at if arrived is None else days(arrived)
    order = np.argsort(at, kind="stable")
    return Engagements(
        np.array([row[0] for row in rows], dtype=np.int64)[order],
        np.array([row[1] for row in rows], dtype=np.int64)[order],
        np.array([ACTIONS.index(row[2]) for row in rows], dtype=np.int8)[order],
        at[order],
        arrived_at[order],
        np.zeros(len(rows), dtype=np.int32),
    )


@dataclass(frozen=True)
class Flits:
    """Author and day of each flit, and which are spam."""

    author: Sequence[int]
    created: Sequence[float]
    spam: Sequence[int] = ()
    arrived: Sequence[float] | None = None


def network_of(
    n_birds: int,
    flits: Flits,
    rows: Sequence[Engagement] = (),
    follows: Sequence[tuple[int, int]] = (),
    arrived: Sequence[float] | None = None,
) -> Network:
    """A network of ``n_birds`` birds called b00, b01, … and flits called f000, f001, …"""
    n_flits = len(flits.author)
    created = days(flits.created)
    return Network(
        flit_ids=np.array([f"f{code:03d}" for code in range(n_flits)], dtype=object),
        bird_ids=np.array([f"b{code:02d}" for code in range(n_birds)], dtype=object),
        author=np.array(flits.author, dtype=np.int64),
        created_at=created,
        arrived_at=created if flits.arrived is None else days(flits.arrived),
        n_tokens=np.full(n_flits, 5),
        lang=np.full(n_flits, "en", dtype=object),
        sensitive=np.zeros(n_flits, dtype=bool),
        spam=np.isin(np.arange(n_flits), flits.spam),
        near_copies=np.arange(n_flits),
        engagements=engagements_of(rows, arrived),
        follower=np.array([link[0] for link in follows], dtype=np.int64),
        followed=np.array([link[1] for link in follows], dtype=np.int64),
        geo=np.full(n_birds, "", dtype=object),
    )


RANDOM_BIRDS, RANDOM_FLITS, RANDOM_DAYS = 40, 200, 20
NEW_BIRD = 39
"""The random network's bird that has done nothing at all."""


def random_rows(seed: int, n: int, created: Sequence[float]) -> list[Engagement]:
    """Random engagements of birds 0 to 38, each after its flit was posted."""
    rng = np.random.default_rng(seed)
    flits = rng.integers(0, RANDOM_FLITS, n)
    at = rng.uniform(np.asarray(created)[flits], RANDOM_DAYS)
    names = rng.choice(ACTIONS, n, p=[0.5, 0.1, 0.25, 0.05, 0.05, 0.03, 0.02])
    birds = rng.integers(0, NEW_BIRD, n)
    return [
        (int(bird), int(flit), str(name), float(day))
        for bird, flit, name, day in zip(birds, flits, names, at, strict=True)
    ]


def random_network(extra: Sequence[Engagement] = (), arrived_late: bool = False) -> Network:
    """The same 200 flits over 20 days and 1,500 engagements each time, and ``extra`` ones.

    With ``arrived_late`` the extra ones arrive on day 20, whenever they happened.
    """
    rng = np.random.default_rng(7)
    created = sorted(rng.uniform(0, RANDOM_DAYS, RANDOM_FLITS).tolist())
    flits = Flits(
        author=rng.integers(0, NEW_BIRD, RANDOM_FLITS).tolist(),
        created=created,
        spam=rng.choice(RANDOM_FLITS, 10, replace=False).tolist(),
    )
    rows = [*random_rows(8, 1500, created), *extra]
    arrived = [row[3] for row in rows]
    if arrived_late:
        arrived[1500:] = [RANDOM_DAYS] * len(extra)
    links = rng.integers(0, NEW_BIRD, (60, 2))
    follows = sorted({(int(a), int(b)) for a, b in links if a != b})
    return network_of(RANDOM_BIRDS, flits, rows, follows, arrived)


def random_vectors(dim: int = 8) -> Matrix:
    """A unit vector for each flit of the random network; every tenth flit has none."""
    vectors = np.random.default_rng(9).standard_normal((RANDOM_FLITS, dim)).astype(np.float32)
    vectors[::10] = 0
    return unit_rows(vectors)
