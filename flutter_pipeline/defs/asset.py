"""One decorator for every asset: configure, compute, measure, audit, and only then publish.

A decorated function is plain: upstream values in, a frame or a :class:`Made` out. What it returns
is audited by the suite that stands beside its contract; the audit is recorded as an asset check,
and a value with a critical failure never reaches the IO manager, so the last good one stays.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import BaseModel, create_model
from pydantic import Field as ModelField

from flutter_pipeline.adapters.expectations import audit, audit_facts
from flutter_pipeline.adapters.measure import Measure, measured
from flutter_pipeline.adapters.past_runs import CHECK
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.transient import is_transient
from flutter_pipeline.contracts.table import Expectation, Severity, Table
from flutter_pipeline.defs.checks import to_check_result
from flutter_pipeline.defs.following import condition_of, freshness_of
from flutter_pipeline.defs.streams import Staged, Stream, staged
from flutter_pipeline.settings import Settings, read_settings

LOG = logging.getLogger("flutter_pipeline.assets")
DIGITS = 4
RETRIES, RETRY_SECONDS = 2, 10.0
"""A step's tries after a transient error; the sensors wait longer between runs."""
PREVIEW_ROWS = 5
PREVIEW_LENGTH = 60
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows."""


@dataclass(frozen=True)
class Made:
    """What an asset made, with the facts that its audit looks at and that its page shows."""

    value: Any
    facts: Mapping[str, float | int | bool | str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    """For a table by days: a digest of what each day was made from."""


@dataclass(frozen=True)
class Stage:
    """How an asset stands in the graph, and what its value must keep."""

    group: str
    kinds: frozenset[str]
    io: str = "tables"
    table: Table | None = None
    expectations: tuple[Expectation, ...] = ()
    """About ``Made.facts``; a table brings its own."""
    section: str = ""
    """Of ``flutter.toml``; where the defaults of the function's ``config`` come from."""
    config: type[BaseModel] | None = None
    """The config's model, where the function's annotation cannot name it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``dagster.asset``."""


def audited_asset(stage: Stage, name: str = "") -> Callable[..., dg.AssetsDefinition]:
    """Make a plain function an asset that is audited before it is published."""

    def decorate(function: Callable[..., Any]) -> dg.AssetsDefinition:
        key = name or function.__name__
        config = inspect.signature(function).parameters.get("config")
        model = stage.config or (config.annotation if config is not None else None)

        def compute(*args: Any, **inputs: Any) -> Iterator[Any]:
            if model is not None:
                inputs["config"] = model(**inputs["config"].model_dump())
            with measured() as measure, tried_again():
                made = _made(function(*args, **inputs), stage)
            _say(key, made, measure)
            yield from _audited(key, stage, made, _cost(measure))

        compute.__name__ = key
        compute.__doc__ = function.__doc__
        _sign(compute, function, model, stage)
        return dg.asset(
            compute,
            name=key,
            group_name=stage.group,
            kinds=set(stage.kinds),
            io_manager_key=stage.io,
            output_required=False,
            freshness_policy=freshness_of(key, read_settings()),
            automation_condition=condition_of(key, stage.group),
            check_specs=[
                dg.AssetCheckSpec(
                    CHECK,
                    asset=key,
                    blocking=True,
                    description="What was computed is audited before anybody can read it; "
                    "after a critical failure the last good version stays.",
                )
            ],
            **stage.options,
        )

    return decorate


@contextmanager
def tried_again() -> Iterator[None]:
    """Have a step tried again after an error that passes by itself; after no other."""
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from error
        raise


def settings_of(model: type[BaseModel], section: str, settings: Settings) -> type[dg.Config]:
    """``model`` as Dagster config, with the defaults that ``flutter.toml`` sets."""
    return _as_config(model, settings.config(model, section))


def _as_config(model: type[BaseModel], defaults: BaseModel) -> type[dg.Config]:
    fields: dict[str, Any] = {}
    for name, field_ in model.model_fields.items():
        default = getattr(defaults, name)
        kind: Any = field_.annotation
        if isinstance(default, BaseModel):
            kind = _as_config(type(default), default)
            default = kind()
        elif isinstance(default, tuple):
            # Dagster's config system has lists only.
            kind, default = list[type(default[0]) if default else str], list(default)
        fields[name] = (kind, ModelField(default=default, description=field_.description))
    return create_model(f"{model.__name__}Settings", __base__=dg.Config, **fields)


def _made(result: Any, stage: Stage) -> Made:
    """What a function returned; a stream is written down, part by part, where nobody reads yet."""
    if not isinstance(result, Stream):
        return result if isinstance(result, Made) else Made(result)
    if stage.table is None:
        raise TypeError("only a table can be a stream; name the contract in the asset's Stage")
    tables = TableStore(read_settings().data / "tables")
    parts = staged(result, stage.table, tables, PREVIEW_ROWS)
    return Made(parts, metadata=result.closing())


def _say(key: str, made: Made, measure: Measure) -> None:
    """One line for whoever watches: the asset, its rows, seconds, and memory."""
    told = isinstance(made.value, pd.DataFrame | Staged)
    rows = f"{len(made.value):,} rows" if told else ""
    LOG.info("%-22s %16s %8.1f s %8.0f MB", key, rows, measure.seconds, measure.peak_mb)


def _cost(measure: Measure) -> dict[str, float]:
    return {
        "seconds": measure.seconds,
        "cpu_seconds": measure.cpu_seconds,
        "peak_memory_mb": measure.peak_mb,
    }


def _sign(
    compute: Callable[..., Any],
    function: Callable[..., Any],
    model: type[BaseModel] | None,
    stage: Stage,
) -> None:
    """Give ``compute`` the parameters of ``function``, its config as Dagster wants it."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if model is not None:
        settings = settings_of(model, stage.section, read_settings())
        parameters = [
            p.replace(annotation=settings) if p.name == "config" else p for p in parameters
        ]
    compute.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take it
    compute.__annotations__ = {p.name: p.annotation for p in parameters}


def _audited(key: str, stage: Stage, made: Made, cost: Mapping[str, float]) -> Iterator[Any]:
    if isinstance(made.value, Staged):
        result = made.value.audit
    elif stage.table is not None:
        result = audit(made.value, stage.table)
    else:
        result = audit_facts(dict(made.facts), stage.expectations, key)
    yield to_check_result(result, CHECK)
    if result.blocking_failures:
        return
    yield dg.MaterializeResult(
        value=made if made.origins else made.value,
        metadata={
            **_table_metadata(stage.table, made.value),
            **{name: _readable(value) for name, value in {**made.facts, **cost}.items()},
            **made.metadata,
        },
    )


def _readable(value: float | bool | str) -> float | bool | str:
    """A figure with as many digits as somebody reads."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _table_metadata(table: Table | None, value: Any) -> dict[str, Any]:
    """Row count, column schema with descriptions, and a small preview."""
    if table is None or not isinstance(value, pd.DataFrame | Staged):
        return {}
    first = value.first if isinstance(value, Staged) else value
    columns = [
        dg.TableColumn(
            column.name,
            column.dtype,
            column.description,
            dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in table.columns
    ]
    return {
        "dagster/row_count": len(value),
        "dagster/column_schema": dg.TableSchema(columns=columns),
        "preview": dg.MetadataValue.md(preview(first)),
    }


def at_most(fact: str, limit: float, sentence: str, severity: Severity = "critical") -> Expectation:
    """That a fact (a count or share, never negative) is at most ``limit``."""
    arguments = {"column": fact, "min_value": 0, "max_value": limit}
    return Expectation("column_values_to_be_between", arguments, sentence, severity)


def at_least(
    fact: str, limit: float, sentence: str, severity: Severity = "critical"
) -> Expectation:
    """That a fact is at least ``limit``."""
    arguments = {"column": fact, "min_value": limit}
    return Expectation("column_values_to_be_between", arguments, sentence, severity)


def columns_of(table: str, *columns: str) -> dict[str, dg.AssetIn]:
    """An upstream table of which only some columns are read."""
    return {table: dg.AssetIn(table, metadata={"columns": list(columns)})}


def in_parts(table: str) -> dict[str, dg.AssetIn]:
    """An upstream table that is read a part at a time."""
    return {table: dg.AssetIn(table, metadata={"in_parts": True})}


def preview(frame: pd.DataFrame, rows: int = PREVIEW_ROWS) -> str:
    """The first rows as a Markdown table, long texts cut."""
    columns = [name for name in frame if not _is_bytes(frame[name])]
    cells = [
        [_cell(value) for value in row] for row in frame[columns].head(rows).itertuples(index=False)
    ]
    lines = [columns, ["---"] * len(columns), *cells]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _is_bytes(column: pd.Series) -> bool:
    return len(column) > 0 and isinstance(column.iloc[0], bytes)


def _cell(value: object) -> str:
    """A value that Markdown shows as it is: whatever birds wrote, it must not become a page."""
    if isinstance(value, bool | int | float | datetime):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    text = str(value).replace("\n", " ")
    text = text if len(text) <= PREVIEW_LENGTH else text[: PREVIEW_LENGTH - 1] + "…"
    # A backslash takes the meaning from any ASCII punctuation, so from HTML, links and pictures;
    # addresses become links only where their punctuation stands bare.
    return _MARKUP.sub(r"\\\g<0>", _UNPRINTABLE.sub("\ufffd", text))
