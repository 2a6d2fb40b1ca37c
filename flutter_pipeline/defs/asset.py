"""One decorator for every asset: configure, compute, measure, audit, and only then publish.

A decorated function is plain: upstream values in, a frame or a :class:`Made` out. What it returns
is audited by the suite that stands beside its contract; the audit is recorded as an asset check,
and a value with a critical failure never reaches the IO manager, so the last good one stays.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import BaseModel, create_model
from pydantic import Field as ModelField

from flutter_pipeline.adapters.expectations import audit, audit_facts
from flutter_pipeline.adapters.measure import AssetLine, Measure, measured
from flutter_pipeline.adapters.past_runs import CHECK
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.transient import is_transient
from flutter_pipeline.contracts.table import Expectation, Severity, Table
from flutter_pipeline.defs.checks import promised, to_check_result
from flutter_pipeline.defs.following import condition_of, freshness_of
from flutter_pipeline.defs.showing import PREVIEW_ROWS, readable, table_metadata
from flutter_pipeline.defs.streams import Staged, Stream, staged
from flutter_pipeline.settings import Settings, read_settings

LOG = logging.getLogger("flutter_pipeline.assets")
MODELS = "team:models"
OWNERS: Mapping[str, str] = dict.fromkeys(("raw", "text", "history"), "team:data")
"""Whom to ask about a group: whoever sees to the data, else whoever sees to the models."""
RETRIES, RETRY_SECONDS = 2, 10.0
"""A step's tries after a transient error; the sensors wait longer between runs."""


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
            _say(key, stage.group, made, measure)
            yield from _audited(key, stage, made, _cost(measure))

        compute.__name__ = key
        compute.__doc__ = function.__doc__
        _sign(compute, function, model, stage)
        return dg.asset(
            compute,
            name=key,
            group_name=stage.group,
            owners=[OWNERS.get(stage.group, MODELS)],
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
                    description=promised(stage.table, stage.expectations),
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


def _say(key: str, group: str, made: Made, measure: Measure) -> None:
    """One line for whoever watches: the asset, its rows, seconds, and memory."""
    told = isinstance(made.value, pd.DataFrame | Staged)
    rows = f"{len(made.value):,} rows" if told else ""
    line = AssetLine(key, group, measure.seconds, measure.peak_mb)
    LOG.info(
        "%-22s %16s %8.1f s %8.0f MB",
        *(key, rows, measure.seconds, measure.peak_mb),
        extra={"asset": line},
    )


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
            **table_metadata(key, stage.table, made.value),
            **{name: readable(value) for name, value in {**made.facts, **cost}.items()},
            **made.metadata,
        },
    )


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
