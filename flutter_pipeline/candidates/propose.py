"""The candidate stage at one moment: the sources that are used, and what all of them propose.

A new source is its file, one line in :data:`SOURCES`, and its settings in :class:`CandidateConfig`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field, field_validator

from flutter_pipeline.birds.history import History, IntArray
from flutter_pipeline.candidates.by_author import AuthorConfig, train_by_author
from flutter_pipeline.candidates.by_circle import CircleConfig, train_by_circle
from flutter_pipeline.candidates.by_follows import FollowsConfig, train_by_follows
from flutter_pipeline.candidates.by_graph import ByGraphConfig, train_by_graph
from flutter_pipeline.candidates.by_interest import ByInterestConfig, Prepared, train_by_interest
from flutter_pipeline.candidates.by_locality import LocalConfig, train_by_locality
from flutter_pipeline.candidates.by_popularity import (
    FreshConfig,
    PopularConfig,
    train_by_freshness,
    train_by_popularity,
)
from flutter_pipeline.candidates.by_scores import train_by_scores
from flutter_pipeline.candidates.by_taste import TasteConfig, train_by_taste
from flutter_pipeline.candidates.merge import merge, score_all
from flutter_pipeline.candidates.source import Pool, Source
from flutter_pipeline.collaborative.bird_neighbourhood import (
    BirdNeighbourhoodConfig,
    train_bird_neighbourhood,
)
from flutter_pipeline.collaborative.factorisation import FactorisationConfig, train_factorisation
from flutter_pipeline.collaborative.likes import Likes
from flutter_pipeline.collaborative.ridge_map import MappedFactorsConfig, train_mapped_factorisation
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.collaborative.spectral import SHARPENED, SpectralConfig, train_spectral
from flutter_pipeline.collaborative.transitions import TransitionsConfig, train_transitions
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.sequential.self_attention import SelfAttentionConfig, train_self_attention
from flutter_pipeline.sequential.two_tower import TwoTowerConfig, train_two_tower

USED = (
    *("interest", "circle", "taste", "factors", "popular_local", "fresh"),
    *("followed_likes", "by_author"),
)
"""What is used unless the settings say otherwise; docs/results.md says what each one adds."""


class CandidateConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that decides what is proposed."""

    use: tuple[str, ...] = Field(
        default=USED, min_length=1, description="Sources that propose; each once."
    )
    max_age_days: float | None = Field(
        default=14.0, gt=0, description="Age past which a flit is not proposed; null for any age."
    )
    per_source: int = Field(default=60, gt=0, description="Flits that a source proposes a bird.")
    keep: int = Field(default=120, gt=0, description="Candidates of a bird that are ranked.")
    half_age_days: float | None = Field(
        default=1.0,
        gt=0,
        description="Age at which a flit counts half as much as a new one, where a source has no "
        "such setting of its own; null: age is nothing.",
    )
    interest: ByInterestConfig = Field(
        default=ByInterestConfig(), description="What is near to a bird's interests."
    )
    circle: CircleConfig = Field(
        default=CircleConfig(), description="What is near to a bird and to those it follows."
    )
    taste: TasteConfig = Field(default=TasteConfig(), description="What is near by who liked it.")
    popular: PopularConfig = Field(default=PopularConfig(), description="What popular means.")
    popular_local: LocalConfig = Field(
        default=LocalConfig(), description="What popular means where a bird lives and reads."
    )
    fresh: FreshConfig = Field(default=FreshConfig(), description="What fresh means.")
    followed_likes: FollowsConfig = Field(
        default=FollowsConfig(), description="What followed birds liked lately."
    )
    by_author: AuthorConfig = Field(
        default=AuthorConfig(), description="What authors wrote that a bird liked before."
    )
    like_birds: BirdNeighbourhoodConfig = Field(
        default=BirdNeighbourhoodConfig(), description="What birds of like taste liked."
    )
    next: TransitionsConfig = Field(
        default=TransitionsConfig(), description="What was liked after what a bird liked."
    )
    spectral: SpectralConfig = Field(
        default=SHARPENED, description="Likes filtered by their largest singular vectors."
    )
    factors: FactorisationConfig = Field(
        default=FactorisationConfig(dim=64), description="Likes as products of factors."
    )
    mapped_factors: MappedFactorsConfig = Field(
        default=MappedFactorsConfig(),
        description="The same, where content places flits that few have liked.",
    )
    graph: ByGraphConfig = Field(
        default=ByGraphConfig(), description="One space for birds, flits and what joins them."
    )
    self_attention: SelfAttentionConfig = Field(
        default=SelfAttentionConfig(), description="What follows a bird's likes, in their order."
    )
    two_tower: TwoTowerConfig = Field(
        default=TwoTowerConfig(), description="Histories and flits learnt to meet by content."
    )

    @field_validator("use")
    @classmethod
    def _are_sources(cls, use: tuple[str, ...]) -> tuple[str, ...]:
        strange = [name for name in use if name not in SOURCES or use.count(name) > 1]
        if strange:
            raise ValueError(f"{strange[0]!r} in {list(use)}: name some of {', '.join(SOURCES)}")
        return use


@dataclass(frozen=True)
class Ground:
    """What sources of one moment are made from."""

    history: History
    pool: Pool
    vectors: Mapping[str, Matrix]
    """Each encoder's unit rows, shape (F, dim)."""
    config: CandidateConfig
    prepared: Mapping[str, Prepared]

    @property
    def content(self) -> Matrix | None:
        """The vectors of the encoder that was named last; none where there is no encoder."""
        return list(self.vectors.values())[-1] if self.vectors else None


Maker = Callable[[Ground], Sequence[Source]]


def _by_interest(ground: Ground) -> Sequence[Source]:
    config, pool = ground.config.interest, ground.pool
    return [
        train_by_interest(f"interest_{name}", pool, rows, config, ground.prepared.get(name))
        for name, rows in ground.vectors.items()
    ]


def _by_circle(ground: Ground) -> Sequence[Source]:
    history, pool, config = ground.history, ground.pool, ground.config.circle
    return [
        train_by_circle(f"circle_{name}", history, pool, rows, config)
        for name, rows in ground.vectors.items()
    ]


def _plain(train: Callable[..., Source], section: str) -> Maker:
    """A source that needs history, pool and its section of the settings."""
    return lambda ground: [train(ground.history, ground.pool, getattr(ground.config, section))]


def _scored(name: str, train: Callable[..., Scorer], content: bool = False) -> Maker:
    """A source by a recommender's scores; with ``content`` it looks at vectors, too."""

    def make(ground: Ground) -> Sequence[Source]:
        settings = getattr(ground.config, name)

        def learn(likes: Likes, columns: IntArray) -> Scorer:
            return train(likes, columns, settings, *([ground.content] if content else []))

        return [train_by_scores(name, ground.pool, learn, ground.config.half_age_days)]

    return make


SOURCES: dict[str, Maker] = {
    "interest": _by_interest,
    "circle": _by_circle,
    "taste": _plain(train_by_taste, "taste"),
    "popular": _plain(train_by_popularity, "popular"),
    "popular_local": _plain(train_by_locality, "popular_local"),
    "fresh": _plain(train_by_freshness, "fresh"),
    "followed_likes": _plain(train_by_follows, "followed_likes"),
    "by_author": _plain(train_by_author, "by_author"),
    "like_birds": _scored("like_birds", train_bird_neighbourhood),
    "next": _scored("next", train_transitions),
    "spectral": _scored("spectral", train_spectral),
    "factors": _scored("factors", train_factorisation),
    "mapped_factors": _scored("mapped_factors", train_mapped_factorisation, content=True),
    "graph": _plain(train_by_graph, "graph"),
    "self_attention": _scored("self_attention", train_self_attention, content=True),
    "two_tower": _scored("two_tower", train_two_tower, content=True),
}
"""What ``candidates.use`` may name. ``interest`` and ``circle`` are one source for each encoder."""

FOR_EACH_ENCODER = ("interest", "circle")


def sources_at(
    history: History,
    pool: Pool,
    vectors: Mapping[str, Matrix],
    config: CandidateConfig,
    prepared: Mapping[str, Prepared] | None = None,
) -> tuple[Source, ...]:
    """The sources that ``config`` uses, made from what ``history`` knows.

    ``vectors`` holds each encoder's unit rows, shape (F, dim). An encoder for which nothing is
    ``prepared`` is searched exactly.
    """
    ground = Ground(history, pool, vectors, config, prepared or {})
    return tuple(source for name in config.use for source in SOURCES[name](ground))


def source_names(encoders: Sequence[str], config: CandidateConfig) -> tuple[str, ...]:
    """What the sources of :func:`sources_at` are called, in the same order."""
    return tuple(
        name
        for kind in config.use
        for name in (
            [f"{kind}_{encoder}" for encoder in encoders] if kind in FOR_EACH_ENCODER else [kind]
        )
    )


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
