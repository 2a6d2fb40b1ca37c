"""A letter: all that one stage tells MLflow in one run, as it is kept until it has been told.

Everything in it is plain JSON, so that it outlives the process that wrote it. Where letters are
kept, and how they are told, is not known here.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

Aliases = Mapping[str, Mapping[str, str | None]]
"""By registered name, and alias: the pipeline's own name of the version, None for no alias."""
Point = tuple[str, float, int, int]
"""One figure: name, value, step, and when, in milliseconds since 1970."""


class KeptFile(BaseModel, frozen=True, extra="forbid"):
    """A file, or a folder's files, for the run's artefacts."""

    path: str = Field(description="Where it lies, relative to the data folder where it is below.")
    folder: str = Field(default="", description="Folder in the run's artefacts.")


class ModelForm(BaseModel, frozen=True, extra="forbid"):
    """How a stored version answers as a model of MLflow: what goes in, what comes out."""

    reading: dict[str, Any] = Field(description="What the loader needs besides the state.")
    inputs: tuple[dict[str, Any], ...] = Field(description="Columns, as MLflow's schema has them.")
    outputs: tuple[dict[str, Any], ...] = Field(description="Likewise, of what is predicted.")
    example: dict[str, list[Any]] | list[str] = Field(description="An input to try it with.")


class KeptVersion(BaseModel, frozen=True, extra="forbid"):
    """A version to register."""

    model: str = Field(description="Registered name.")
    version: str = Field(description="The pipeline's own name of it.")
    path: str = Field(description="File or folder that holds it, as in KeptFile.")
    tags: dict[str, str] = Field(default={}, description="What data and config it came from.")
    about: str = Field(default="", description="The same in a sentence or two, as Markdown.")
    model_about: str = Field(default="", description="What the model is, whatever its version.")
    form: ModelForm | None = Field(default=None, description="None: it cannot be asked anything.")


class KeptDataset(BaseModel, frozen=True, extra="forbid"):
    """Data that a run was made from."""

    name: str = Field(description="Table, or trained thing.")
    digest: str = Field(max_length=36, description="Differs where the data differs.")
    source: str = Field(description="Where it lies, below the data folder.")
    context: str = Field(default="training", description="What it was used for.")
    columns: dict[str, str] = Field(default={}, description="By column its type.")
    profile: dict[str, Any] = Field(default={}, description="Counts that describe it.")


class Part(BaseModel, frozen=True, extra="forbid"):
    """A run beside the stage's own: one of several things that are compared with one another."""

    name: str = Field(description="Name of the run.")
    tags: dict[str, str] = Field(default={}, description="Tags of the run.")
    params: dict[str, str] = Field(default={}, description="What decided the outcome.")
    points: tuple[Point, ...] = Field(default=(), description="Figures.")
    model: str = Field(default="", description="Registered name of what was measured, if any.")
    version: str = Field(default="", description="The pipeline's own name of its version.")


class Letter(BaseModel, frozen=True, extra="forbid"):
    """All that one stage tells in one run; or, without a name, only where aliases point."""

    id: str = Field(description="Its own name, by which a run is known that was made already.")
    name: str = Field(default="", description="Name of the MLflow run; empty where there is none.")
    tags: dict[str, str] = Field(default={}, description="Tags of the run.")
    started: int = Field(default=0, description="Milliseconds since 1970.")
    ended: int = Field(default=0, description="Milliseconds since 1970.")
    status: Literal["FINISHED", "FAILED"] = Field(default="FINISHED", description="How it ended.")
    params: dict[str, str] = Field(default={}, description="What decided the outcome.")
    points: tuple[Point, ...] = Field(default=(), description="Figures and curves.")
    documents: dict[str, Any] = Field(default={}, description="JSON artefacts by file name.")
    files: tuple[KeptFile, ...] = Field(default=(), description="Other artefacts.")
    datasets: tuple[KeptDataset, ...] = Field(default=(), description="What it was made from.")
    versions: tuple[KeptVersion, ...] = Field(default=(), description="Versions to register.")
    parts: tuple[Part, ...] = Field(default=(), description="Runs beside it.")
    aliases: dict[str, dict[str, str | None]] = Field(default={}, description="Where they point.")
