"""What MLflow gives back: runs and registered versions as they are stored, and where models lie."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """Where what is registered lies."""

    uri: str
    model_id: str | None = None
    """MLflow's own name of the model there; None for mere files."""


@dataclass(frozen=True)
class RunFacts:
    """A run as it is stored."""

    run_id: str
    name: str
    status: str
    started: datetime
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    url: str


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model; ``number`` counts from 1 within the model."""

    model: str
    number: int
    run_id: str
    source: str
    tags: dict[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
