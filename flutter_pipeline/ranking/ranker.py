"""What every ranker is, and the list of those there are.

``train_x(rows, config)`` is the only way to get one; ``load_x(state)`` brings one back.
A new ranker is one module beside this one and one line in ``RANKERS``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.ranking.blend import BlendConfig, load_blend, train_blend
from flutter_pipeline.ranking.joint import train_wide_and_deep
from flutter_pipeline.ranking.lambdarank import (
    LambdaRankConfig,
    load_lambdarank,
    train_lambdarank,
)
from flutter_pipeline.ranking.logistic import LogisticConfig, load_logistic, train_logistic
from flutter_pipeline.ranking.training import TrainingSet
from flutter_pipeline.ranking.wide_and_deep import WideAndDeepConfig, load_wide_and_deep


class Ranker(Protocol):
    """A trained ranker."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that it reads; others are ignored."""
        ...

    def score(self, features: pd.DataFrame) -> FloatArray:
        """Probability that each row is liked, shape (n,), in [0, 1].

        A row's score depends on that row alone. Raises VersionError where a column is missing.
        """
        ...

    def state(self) -> State:
        """All that it takes to have the same ranker again."""
        ...


@dataclass(frozen=True)
class RankerKind:
    """How one kind of ranker is configured, trained and brought back."""

    config: type[BaseModel]
    train: Callable[[TrainingSet, Any], Ranker]
    """(rows, config) -> ranker; raises CorpusError where there is too little."""
    load: Callable[[State], Ranker]
    code_version: str
    """Changes whenever the same data and config would make another ranker."""


RANKERS: dict[str, RankerKind] = {
    "blend": RankerKind(BlendConfig, train_blend, load_blend, code_version="2"),
    "logistic": RankerKind(LogisticConfig, train_logistic, load_logistic, code_version="2"),
    "lambdarank": RankerKind(LambdaRankConfig, train_lambdarank, load_lambdarank, code_version="1"),
    "wide_and_deep": RankerKind(
        WideAndDeepConfig, train_wide_and_deep, load_wide_and_deep, code_version="1"
    ),
}


DEFAULT_KIND = "lambdarank"
"""What ranks where the settings do not say."""


def ranker_kind(name: str) -> RankerKind:
    """The kind called ``name``; ConfigError where there is none."""
    if name not in RANKERS:
        raise ConfigError(f"no ranker is called {name!r}; there is {', '.join(RANKERS)}")
    return RANKERS[name]
