"""All feeds of a moment: candidates scored, ordered, filtered, and explained.

A block of birds at a time, so that memory does not grow with the network.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import History
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.filtering.diversity import DiversityConfig
from flutter_pipeline.filtering.exploration import EXPLORE, ExplorationConfig
from flutter_pipeline.filtering.feed import Extras, fill_feeds
from flutter_pipeline.filtering.rule import FilterConfig
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.ranker import Ranker

ROWS_AT_ONCE = 500_000


class FeedConfig(BaseModel, frozen=True, extra="forbid"):
    """How long feeds are, what may be in them, and in which order."""

    size: int = Field(default=50, gt=0, description="Flits in a feed, at most.")
    rules: FilterConfig = Field(default=FilterConfig(), description="What a flit must pass.")
    diversity: DiversityConfig = Field(
        default=DiversityConfig(), description="How unlike neighbours in a feed shall be."
    )
    exploration: ExplorationConfig = Field(
        default=ExplorationConfig(), description="Places kept for fresh flits."
    )


@dataclass(frozen=True)
class RankedFeeds:
    """Feeds with their books, which say what became of every candidate."""

    rows: pd.DataFrame
    books: dict[str, int]


@dataclass(frozen=True)
class FeedMoment:
    """What feeds of one moment are made with, beside candidates and a ranker."""

    history: History
    config: FeedConfig
    vectors: Matrix | None = None
    """Flit vectors, row = code; needed where diversity is on."""

    @property
    def extras(self) -> Extras:
        """What is done beyond the rules."""
        return Extras(self.config.diversity, self.vectors, self.config.exploration)


@dataclass
class Books:
    """What became of the candidates so far, where feeds are made a block at a time."""

    counts: Counter[str] = field(default_factory=Counter)


def feeds_in_blocks(
    moment: FeedMoment,
    candidates: Iterator[pd.DataFrame],
    ranker: Ranker,
    books: Books,
) -> Iterator[pd.DataFrame]:
    """The feeds of each block of birds, as soon as it comes; ``books`` are kept meanwhile."""
    for block in candidates:
        feeds = feeds_at(moment, block, ranker)
        books.counts.update(feeds.books)
        yield feeds.rows


def feeds_at(
    moment: FeedMoment,
    candidates: pd.DataFrame,
    ranker: Ranker,
    progress: Progress = no_progress,
) -> RankedFeeds:
    """The feeds that ``ranker`` makes of fused ``candidates``, which are in order of bird."""
    history, config = moment.history, moment.config
    ranks = [name for name in candidates.columns if name.startswith("rank_")]
    sources = [name.removeprefix("rank_") for name in ranks]
    frames: list[pd.DataFrame] = []
    books: dict[str, int] = {}
    for start, end in _blocks(candidates["bird"].to_numpy()):
        block = candidates.iloc[start:end]
        score = ranker.score(build_features(block, history, sources))
        scored = block.assign(score=score)
        filled = fill_feeds(scored, history, config.rules, config.size, moment.extras)
        frames.append(filled.rows)
        books = {name: books.get(name, 0) + count for name, count in filled.books.items()}
        progress(end, len(candidates))
    rows = pd.concat(frames, ignore_index=True)
    proposed = proposed_by(rows, sources).where(rows["best_source"] != EXPLORE, EXPLORE)
    return RankedFeeds(rows.assign(sources=proposed), books)


def proposed_by(rows: pd.DataFrame, sources: Sequence[str]) -> pd.Series:
    """The sources that proposed each row, joined by commas, in the sources' order."""
    bits = np.zeros(len(rows), dtype=np.int64)
    for place, source in enumerate(sources):
        bits |= (rows[f"rank_{source}"].to_numpy() > 0).astype(np.int64) << place
    # Few combinations occur, so each is spelt once.
    spelt = {
        value: ",".join(name for place, name in enumerate(sources) if value >> place & 1)
        for value in np.unique(bits).tolist()
    }
    return pd.Series(bits, index=rows.index).map(spelt).astype("str")


def _blocks(bird: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of rows of about ``ROWS_AT_ONCE`` that never cut a bird in two."""
    edges = [0]
    while edges[-1] < len(bird):
        last = bird[min(edges[-1] + ROWS_AT_ONCE, len(bird)) - 1]
        edges.append(int(np.searchsorted(bird, last, side="right")))
    return list(pairwise(edges)) or [(0, 0)]
