"""Where the state lives and what is set for it: the one reader of the environment.

``FLUTTER_DATA`` names the data folder (default ``data`` in the working directory). Everything that
decides results is in that folder's ``flutter.toml``, so that data sets live side by side, each
with its own settings; what the file leaves out has the default that the launchpad shows.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from flutter_pipeline.addresses import (
    MLFLOW,
    POSTGRES,
    check_address,
    check_postgres,
    passwords_apart,
    with_driver,
    with_schema,
)
from flutter_pipeline.errors import ConfigError, CorpusError

Cadence = Literal["daily", "hourly"]
Model = TypeVar("Model", bound=BaseModel)

SECTIONS = (
    "intake",
    "text",
    "encoders",
    "store",
    "index",
    "candidates",
    "ranker",
    "feeds",
    "backtest",
    "comparison",
    "promotion",
    "retention",
    "drift",
    "report",
    "alerts",
)
"""What ``flutter.toml`` may hold beside ``cadence`` and ``use_encoders``; ``[encoders.bert]`` and
its like set one encoder."""

SWITCHED_OFF = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
"""Nothing here reports home; an environment that sets one of these itself is respected."""


@dataclass(frozen=True)
class Settings:
    """Where one data folder lives, and what its ``flutter.toml`` sets."""

    data: Path
    cadence: Cadence = "daily"
    use_encoders: tuple[str, ...] = ("tfidf", "cbow", "bert")
    # Addresses may hold passwords: nothing shows them by accident.
    mlflow_uri: str = field(default="", repr=False)
    postgres: str = field(default="", repr=False)
    mlflow_ui: str = "http://127.0.0.1:5000"
    dagster_ui: str = "http://127.0.0.1:3000"
    sections: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dagster_home(self) -> Path:
        """Dagster's own state."""
        return self.data / "dagster"

    @property
    def dagster_database(self) -> str | None:
        """Where PostgreSQL keeps Dagster's own state, or None for SQLite in the data folder."""
        return database_of(self.postgres, "dagster", self.data) if self.postgres else None

    @property
    def landing(self) -> Path:
        """Where users drop files."""
        return self.data / "landing"

    @property
    def mapping(self) -> Path | None:
        """The column mapping that lies beside the landed files, if there is one."""
        path = self.landing / "mapping.toml"
        return path if path.is_file() else None

    @property
    def cadence_hours(self) -> int:
        """Hours between two feeds."""
        return 24 if self.cadence == "daily" else 1

    @property
    def digest(self) -> str:
        """Differs where anything is set differently."""
        decides = (self.cadence, self.use_encoders, self.sections)
        return hashlib.sha256(repr(decides).encode()).hexdigest()[:16]

    def section(self, name: str) -> dict[str, Any]:
        """What the file sets in ``[name]``; ``name`` may be dotted, as in ``encoders.bert``."""
        found: Any = self.sections
        for part in name.split("."):
            found = found.get(part, {})
            if not isinstance(found, dict):
                raise ConfigError(
                    f"{self.data / 'flutter.toml'}: {part} = {found!r} is not a section; "
                    f"write [{name}] and its values below it"
                )
        return dict(found)

    def config(self, model: type[Model], section: str) -> Model:
        """``model`` with the section's values; ConfigError names the first that does not fit."""
        try:
            return model(**_with_nulls(self.section(section)))
        except ValidationError as error:
            first = error.errors()[0]
            place = [section, *map(str, first["loc"])]
            owner, known = _owner(section, model, place[1:])
            unknown = first["type"] == "extra_forbidden"
            said = "is no setting" if unknown else first["msg"].lower()
            raise ConfigError(
                f"{self.data / 'flutter.toml'}: [{'.'.join(place)}] {said}; "
                f"known in [{owner}]: {', '.join(known)}"
            ) from None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings of the data folder that the environment names. Raises ConfigError."""
    data = Path(environment.get("FLUTTER_DATA") or "data").expanduser().resolve()
    _refuse_file(data)
    sections = _read_toml(data / "flutter.toml")
    cadence = sections.pop("cadence", "daily")
    if cadence not in ("daily", "hourly"):
        raise ConfigError(
            f"{data / 'flutter.toml'}: cadence is {cadence!r}; use 'daily' or 'hourly'"
        )
    use_encoders = sections.pop("use_encoders", list(Settings.use_encoders))
    _refuse_strange_encoders(data / "flutter.toml", use_encoders, sections.get("encoders"))
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise ConfigError(
            f"{data / 'flutter.toml'}: there is no section {unknown[0]!r}; "
            f"known: cadence, use_encoders, {', '.join(SECTIONS)}"
        )
    return Settings(
        data=data,
        cadence=cadence,
        use_encoders=tuple(use_encoders),
        mlflow_uri=_mlflow_uri(environment, data),
        postgres=_postgres(environment),
        mlflow_ui=environment.get("FLUTTER_MLFLOW_UI") or Settings.mlflow_ui,
        dagster_ui=environment.get("FLUTTER_DAGSTER_UI") or Settings.dagster_ui,
        sections=sections,
    )


def settings_of_data() -> Settings:
    """Settings of a data folder that is there, for commands that only look, and make none.

    Raises CorpusError where it is not.
    """
    settings = read_settings()
    if not settings.data.is_dir():
        raise CorpusError(
            f"there is no data folder {settings.data}; check --data, or begin one with "
            f"`flutter-pipeline --data {settings.data} ingest FILES`, or `run --sample`"
        )
    return settings


def database_of(postgres: str, use: str, data: Path) -> str:
    """The address of the tables that ``use``, dagster or mlflow, has for one data folder.

    Both call a table ``alembic_version``, and data folders share neither runs nor versions: each
    has a schema of its own.
    """
    name = re.sub("[^a-z0-9]+", "_", data.name.lower()).strip("_")[:32]
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:8]
    return with_schema(postgres, f"{use}_{name}_{digest}")


def _postgres(environment: Mapping[str, str]) -> str:
    address = environment.get(POSTGRES, "")
    if address:
        check_postgres(address, POSTGRES)
    return address


def _mlflow_uri(environment: Mapping[str, str], data: Path) -> str:
    """The tracking server or database that is named; else PostgreSQL's, else SQLite."""
    named, postgres = environment.get(MLFLOW, ""), _postgres(environment)
    if named:
        check_address(named, MLFLOW)
        return with_driver(named)
    if postgres:
        return database_of(postgres, "mlflow", data)
    return f"sqlite:///{data / 'mlflow' / 'mlflow.db'}"


def read_secret(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """What the environment keeps under ``name``, such as a password; None where it is not set.

    Secrets are no part of :class:`Settings`, which are shown, logged and digested.
    """
    return environment.get(name) or None


PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait give their core away. Spinning is a little faster on an idle machine and many
times slower on a busy one; it is read when the first numeric library is loaded."""

FRUGAL = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}
"""Matrix products are compiled for every number of rows, and a thousand of them are kept unless
this says otherwise: gigabytes where batches differ in length, as those of BERT do."""


def prepare_environment() -> None:
    """What the libraries below read on their own. Called first by every entry point."""
    for name, value in {**SWITCHED_OFF, **PATIENT, **FRUGAL}.items():
        os.environ.setdefault(name, value)
    os.environ.update(passwords_apart(os.environ))


def use_data_folder(data: Path) -> None:
    """Make ``data`` the data folder of this process and of those that it starts."""
    os.environ["FLUTTER_DATA"] = str(data.expanduser().resolve())
    os.environ["DAGSTER_HOME"] = str(Path(os.environ["FLUTTER_DATA"]) / "dagster")


def _with_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with None for ``"null"``: TOML has no other way to say that a limit is off."""
    return {
        name: _with_nulls(value) if isinstance(value, dict) else None if value == "null" else value
        for name, value in values.items()
    }


def _owner(section: str, model: type[BaseModel], place: list[str]) -> tuple[str, list[str]]:
    """The innermost section that holds the key at ``place``, and the keys that are known there."""
    for part in place[:-1]:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        # A part that may be switched off is a model or None.
        models = [
            one
            for one in (inner, *get_args(inner))
            if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        if not models:
            break
        section, model = f"{section}.{part}", models[0]
    return section, list(model.model_fields)


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; correct or remove it") from None


def _refuse_file(data: Path) -> None:
    """ConfigError where no folder can be at ``data``, because a file is there or above it."""
    nearest = next(path for path in (data, *data.parents) if path.exists())
    if not nearest.is_dir():
        raise ConfigError(f"{nearest} is a file, not a folder for data; name a folder with --data")


def _refuse_strange_encoders(path: Path, used: Any, configured: Any) -> None:
    """ConfigError unless ``used`` lists encoders, each once, and only encoders are configured."""
    # Only a file that speaks of encoders needs their names; importing them takes a moment.
    if used == list(Settings.use_encoders) and not configured:
        return
    from flutter_pipeline.embeddings.encoders import ENCODERS

    known = ", ".join(ENCODERS)
    names = used if isinstance(used, list) else []
    if not names or any(name not in list(ENCODERS) or names.count(name) > 1 for name in names):
        raise ConfigError(f"{path}: use_encoders is {used!r}; list some of {known}, each once")
    strange = sorted(set(configured) - set(ENCODERS)) if isinstance(configured, dict) else []
    if strange:
        raise ConfigError(f"{path}: [encoders.{strange[0]}] sets no encoder; there is {known}")
