"""Dagster's configuration in the data folder: written at every start, unless somebody edited it.

It follows one switch: with ``FLUTTER_POSTGRES_URL`` Dagster's state is in PostgreSQL, else in
SQLite beside the configuration. It names the variable that holds the address, never the address.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from flutter_pipeline.addresses import POSTGRES, schema_in, without_password
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

TEMPLATE = Path(__file__).resolve().parents[2] / "dagster.yaml"

DATABASE = "FLUTTER_DAGSTER_DATABASE"
"""The variable that Dagster reads its database's address from; set for it at every start."""

STORAGE = f"\nstorage:\n  postgres:\n    postgres_url:\n      env: {DATABASE}\n"
IN_ONE_LINE = f"storage: {{postgres: {{postgres_url: {{env: {DATABASE}}}}}}}"
STORAGE_KEYS = {"storage", "run_storage", "event_log_storage", "schedule_storage"}

SEAL = "# Written at every start; once edited, it stays as it is. Seal "
COPIED_BEFORE = {"fc6949bef3f5539926683cc7ba61cd393501e79bd457ee168e8a33d7a073cd4f"}
"""Digests of what was copied here before there was a seal."""


def write_home(settings: Settings, say: Callable[[str], None]) -> None:
    """Have Dagster's configuration follow the switch; ``say`` hears when its state moves.

    ConfigError where an edited one contradicts the switch, or the template is missing.
    """
    wanted = sealed(_template(), settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    target = settings.dagster_home / "dagster.yaml"
    found = target.read_text(encoding="utf-8") if target.is_file() else None
    if found is not None and not is_ours(found):
        _check_edited(target, found, settings)
    elif found != wanted:
        beside = target.with_name(f"{target.name}.{os.getpid()}")
        beside.write_text(wanted, encoding="utf-8")
        beside.replace(target)
        if found is not None and (DATABASE in found) != (DATABASE in wanted):
            say(_moved(settings))
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    if settings.dagster_database:
        os.environ[DATABASE] = settings.dagster_database
    else:
        os.environ.pop(DATABASE, None)


def _template() -> str:
    """What Dagster is told for every data folder. Without it, it would report its use."""
    if not TEMPLATE.is_file():
        raise ConfigError(
            f"there is no {TEMPLATE}, which Dagster's configuration is copied from; bring it back "
            "from the project's repository, and run from a whole copy of that"
        )
    return TEMPLATE.read_text(encoding="utf-8")


def sealed(template: str, settings: Settings) -> str:
    """The configuration, under a line by which an edit of it is noticed."""
    text = template + (STORAGE if settings.dagster_database else "")
    return f"{SEAL}{_digest(text)}\n{text}"


def is_ours(text: str) -> bool:
    """Whether nobody has edited what was written here."""
    if _digest(text) in COPIED_BEFORE:
        return True
    first, _, rest = text.partition("\n")
    return first == f"{SEAL}{_digest(rest)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_edited(path: Path, text: str, settings: Settings) -> None:
    """ConfigError where Dagster would do something else than the switch says, or fail."""
    configured = _read(path, text)
    if settings.dagster_database and not STORAGE_KEYS & set(configured):
        raise ConfigError(
            f"{path} was edited and keeps Dagster's state in SQLite, but {POSTGRES} asks for "
            f"PostgreSQL; add `{IN_ONE_LINE}` to it, or remove it to have it written anew"
        )
    if not settings.dagster_database and DATABASE in repr(configured):
        raise ConfigError(
            f"{path} was edited and keeps Dagster's state in PostgreSQL, but {POSTGRES} is not "
            "set; set it, or remove the file to have it written anew, for SQLite"
        )


def _read(path: Path, text: str) -> dict[str, Any]:
    try:
        configured = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}; correct or remove it") from None
    if not isinstance(configured, dict):
        raise ConfigError(f"{path} holds no settings of Dagster; correct or remove it")
    return configured


def _moved(settings: Settings) -> str:
    """Where the history goes from now on, and where it was."""
    database = settings.dagster_database
    if database is None:
        return (
            f"Dagster's history is kept in {settings.dagster_home} again; what {POSTGRES} named "
            "still holds what was kept there. Feeds and versions are files, and stay."
        )
    return (
        f"Dagster's history is kept in PostgreSQL from now on, at {without_password(database)}, "
        f"schema {schema_in(database)}; what it was until now stays in {settings.dagster_home}, "
        f"and is read again without {POSTGRES}. Feeds and versions are files, and stay."
    )
