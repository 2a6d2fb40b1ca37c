"""The candidate stage for many birds: at past moments, seen from those moments only, and now.

A replay is the daily batch run again: for each moment the history is cut there, every source is
made from that history alone, and the birds that came by in the following window get candidates.
Ranker, weights and backtest all learn from, or are measured on, these rows.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import HOUR, IntArray, Network, known_before
from flutter_pipeline.candidates.merge import fuse, tell_all
from flutter_pipeline.candidates.propose import CandidateConfig, propose, sources_at
from flutter_pipeline.candidates.source import Pool, Source, pool_of
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix

BIRDS_AT_ONCE = 2000
"""Birds whose proposals are held in memory together."""


class ReplayConfig(BaseModel, frozen=True, extra="forbid"):
    """Which birds a replay serves."""

    window_hours: int = Field(default=24, gt=0, description="Length of the window after a moment.")
    max_birds: int = Field(default=2000, gt=0, description="At most so many birds a moment.")
    seed: int = Field(default=0, description="Draws the birds where there are more.")


def replay(
    network: Network,
    vectors: Mapping[str, Matrix],
    moments: Sequence[int],
    config: tuple[CandidateConfig, ReplayConfig],
    progress: Progress = no_progress,
) -> Iterator[tuple[int, pd.DataFrame]]:
    """For each of ``moments`` the wide candidate frame of the birds that came by after it."""
    candidates, replays = config
    for done, moment in enumerate(moments):
        pool = pool_of(known_before(network, moment), candidates.max_age_days)
        birds = birds_after(network, moment, replays)
        sources = sources_at(pool.history, pool, vectors, candidates)
        proposed = propose(pool, birds, sources, candidates.per_source)
        yield moment, tell_all(proposed, sources)
        progress(done + 1, len(moments))


def birds_after(network: Network, moment: int, config: ReplayConfig) -> IntArray:
    """Codes, ascending, of the birds that did anything in the window after ``moment``.

    Who is measured is decided by who came by, never what is proposed to them.
    """
    window = network.engagements.between(moment, moment + config.window_hours * HOUR)
    birds = np.unique(window.bird)
    if len(birds) <= config.max_birds:
        return birds
    # The moment enters the seed so that each one draws its own birds, the same ones every time.
    generator = np.random.default_rng([config.seed, moment // HOUR])
    return np.sort(generator.choice(birds, size=config.max_birds, replace=False))


def candidates_now(
    pool: Pool,
    sources: Sequence[Source],
    config: CandidateConfig,
    weights: Mapping[str, float],
    progress: Progress = no_progress,
) -> Iterator[pd.DataFrame]:
    """The fused wide candidate frames of all birds of the network, a block of birds at a time."""
    n_birds = len(pool.history.network.bird_ids)
    for first in range(0, n_birds, BIRDS_AT_ONCE):
        birds = np.arange(first, min(first + BIRDS_AT_ONCE, n_birds))
        proposed = propose(pool, birds, sources, config.per_source)
        yield tell_all(fuse(proposed, weights, config.keep), sources)
        progress(int(birds[-1]) + 1, n_birds)
