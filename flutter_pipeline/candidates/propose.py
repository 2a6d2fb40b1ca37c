"""The candidate stage at one moment: every source there is, and what all of them propose.

A new source is one line in :func:`sources_at`, and its file.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import History, IntArray
from flutter_pipeline.candidates.by_interest import ByInterestConfig, Prepared, train_by_interest
from flutter_pipeline.candidates.by_popularity import (
    FreshConfig,
    PopularConfig,
    train_by_freshness,
    train_by_popularity,
)
from flutter_pipeline.candidates.by_taste import TasteConfig, train_by_taste
from flutter_pipeline.candidates.merge import merge, score_all
from flutter_pipeline.candidates.source import Pool, Source
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import ConfigError


class CandidateConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what is proposed."""

    max_age_days: float | None = Field(
        default=14.0, gt=0, description="Age past which a flit is not proposed; null for any age."
    )
    per_source: int = Field(default=60, gt=0, description="Flits that a source proposes a bird.")
    keep: int = Field(default=120, gt=0, description="Candidates of a bird that are ranked.")
    interest: ByInterestConfig = Field(
        default=ByInterestConfig(), description="What is near to a bird's interests."
    )
    taste: TasteConfig = Field(default=TasteConfig(), description="What is near by who liked it.")
    popular: PopularConfig = Field(default=PopularConfig(), description="What popular means.")
    fresh: FreshConfig = Field(default=FreshConfig(), description="What fresh means.")


def sources_at(
    history: History,
    pool: Pool,
    vectors: Mapping[str, Matrix],
    config: CandidateConfig,
    prepared: Mapping[str, Prepared] | None = None,
) -> tuple[Source, ...]:
    """Every source, made from what ``history`` knows.

    ``vectors`` holds each encoder's unit rows, shape (F, dim). An encoder for which nothing is
    ``prepared`` is searched exactly.
    """
    prepared = prepared or {}
    return (
        *(
            train_by_interest(f"interest_{name}", pool, rows, config.interest, prepared.get(name))
            for name, rows in vectors.items()
        ),
        train_by_taste(history, pool, config.taste),
        train_by_popularity(history, pool, config.popular),
        train_by_freshness(history, pool, config.fresh),
    )


def source_names(encoders: Sequence[str]) -> tuple[str, ...]:
    """What the sources of :func:`sources_at` are called, in the same order."""
    return (*(f"interest_{name}" for name in encoders), "taste", "popular", "fresh")


def propose(pool: Pool, birds: IntArray, sources: Sequence[Source], k: int) -> pd.DataFrame:
    """At most ``k`` flits a source for each of ``birds`` (codes, each once), as a wide table.

    Every source scores every row, whoever proposed it. ConfigError where a code is none of the
    network's.
    """
    n_birds = len(pool.history.network.bird_ids)
    strange = birds[(birds < 0) | (birds >= n_birds)]
    if len(strange):
        raise ConfigError(
            f"bird code {strange[0]} is none of the network's {n_birds} birds; "
            "ask for birds that have landed"
        )
    asked = np.unique(birds)
    proposed = merge({source.name: source.propose(asked, k) for source in sources})
    return score_all(proposed, sources)
