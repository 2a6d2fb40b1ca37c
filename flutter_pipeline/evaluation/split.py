"""Which past moments a backtest replays, and whose feeds are judged by what at each.

A moment is a point in time at which a batch could have run. The last ones before ``as_of`` are for
testing, those before them for training; what follows a moment, up to the next, judges it. Knows no
candidates and no methods.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import DAY, HOUR, BoolArray, IntArray, Network
from flutter_pipeline.candidates.replay import ReplayConfig, birds_after
from flutter_pipeline.candidates.source import Pool
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.labels import liked_between
from flutter_pipeline.ranking.pairs import found_in, pair_keys


class BacktestConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what a backtest measures."""

    train_moments: int = Field(default=7, ge=1, description="Moments to learn from.")
    test_moments: int = Field(default=5, ge=1, description="Moments to measure at.")
    cadence_hours: int = Field(default=24, ge=1, description="From one moment to the next.")
    history_days: float = Field(
        default=3, ge=0, description="Days of engagements that the first moment needs before it."
    )
    k: int = Field(default=10, ge=1, description="Places of a feed that count.")
    max_birds: int = Field(default=2000, ge=1, description="Birds served at one moment, at most.")
    depth: int = Field(
        default=100, ge=1, description="Flits of the pool that a baseline ranks for one bird."
    )
    new_below_likes: int = Field(
        default=5, ge=1, description="A bird with fewer likes counts as new, a flit as cold."
    )
    slice_min_birds: int = Field(
        default=20, ge=1, description="Birds that a slice needs to be measured apart."
    )
    resamples: int = Field(
        default=2000, ge=100, description="Bootstrap resamples, and random swaps of methods."
    )
    level: float = Field(default=0.95, gt=0, lt=1, description="Share that an interval covers.")
    seed: int = Field(default=0, description="Seeds sampling, the random baseline, resampling.")

    @property
    def step(self) -> int:
        """Microseconds from one moment to the next."""
        return self.cadence_hours * HOUR

    @property
    def replay(self) -> ReplayConfig:
        """Which birds the candidate stage has to serve at each moment."""
        return ReplayConfig(
            window_hours=self.cadence_hours, max_birds=self.max_birds, seed=self.seed
        )


@dataclass(frozen=True)
class Moments:
    """Microseconds since 1970, ascending; each moment is judged by the ``step`` after it."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    step: int

    @property
    def test_start(self) -> int:
        """What serves the test moments may have learnt from nothing after this."""
        return self.test[0]


def moments(network: Network, as_of: int, config: BacktestConfig) -> Moments:
    """The last ``test_moments`` steps before ``as_of``, and the ``train_moments`` before those.

    Where the data does not reach back that far, both shrink in proportion, to one each at least.
    Raises CorpusError where even two moments have too little history before them.
    """
    times = network.engagements.occurred_at
    times = times[times < as_of]
    reach = as_of - int(times.min()) if len(times) else 0
    fits = int((reach - config.history_days * DAY) // config.step)
    if fits < 2:
        needed = config.history_days + 2 * config.step / DAY
        raise CorpusError(
            f"found {reach / DAY:.1f} days of engagements, a backtest needs {needed:.1f}: "
            "land more days, or lower `history_days` or `cadence_hours`"
        )
    asked = config.train_moments + config.test_moments
    n_test = config.test_moments
    n_train = config.train_moments
    if fits < asked:
        n_test = min(max(1, fits * n_test // asked), fits - 1)
        n_train = fits - n_test
    before = [as_of - step * config.step for step in range(n_train + n_test, 0, -1)]
    return Moments(tuple(before[:n_train]), tuple(before[n_train:]), config.step)


@dataclass(frozen=True)
class Trial:
    """One moment put to the test: its pool, the birds to judge, and what they came to like."""

    pool: Pool
    birds: IntArray
    """Codes, ascending, of the birds served that have at least one target."""
    target_bird: IntArray
    target_flit: IntArray
    """Parallel, in order of bird and flit: liked within the step, in the pool, not yet met."""
    liked: int
    """(bird, flit) pairs liked within the step by anybody, wherever the flit was."""
    in_pool: int
    """How many of these were in the pool: the most that a batch at this moment can reach."""

    @property
    def moment(self) -> int:
        """The moment, microseconds since 1970."""
        return self.pool.history.as_of


def trial_at(pool: Pool, config: BacktestConfig) -> Trial:
    """The trial of the pool's moment, of the birds that the candidate stage serves then."""
    moment = pool.history.as_of
    network = pool.history.network
    bird, flit = liked_between(network, moment, moment + config.step)
    reachable = pool.place[flit] >= 0
    served = np.isin(bird, birds_after(network, moment, config.replay))
    target = reachable & served & ~_met(bird, flit, pool)
    return Trial(
        pool=pool,
        birds=np.unique(bird[target]),
        target_bird=bird[target],
        target_flit=flit[target],
        liked=len(bird),
        in_pool=int(np.count_nonzero(reachable)),
    )


def _met(bird: IntArray, flit: IntArray, pool: Pool) -> BoolArray:
    """Whether each bird had met, or had written, its flit."""
    history = pool.history
    n_flits = len(history.known)
    wanted = np.zeros(len(history.network.bird_ids), dtype=bool)
    wanted[bird] = True
    earlier = history.engagements.where(wanted[history.engagements.bird])
    engaged = found_in(
        pair_keys(bird, flit, n_flits), pair_keys(earlier.bird, earlier.flit, n_flits)
    )
    return engaged | (history.network.author[flit] == bird)
