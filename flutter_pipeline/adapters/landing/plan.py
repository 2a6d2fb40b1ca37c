"""Which column of a file feeds which column of the contract, by a mapping's rule or by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flutter_pipeline.adapters.landing.mapping import (
    ActionRule,
    Scalar,
    TableName,
    TableRule,
    TimeColumn,
)
from flutter_pipeline.adapters.landing.source import Source
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.contracts.tables import LANDED
from flutter_pipeline.errors import ContractError

SIGNS: dict[TableName, tuple[set[str], set[str]]] = {
    "flits": ({"flit_id", "text"}, set()),
    "engagements": ({"bird_id", "flit_id", "action"}, set()),
    "birds": ({"bird_id"}, {"geo", "joined_at"}),
    "follows": ({"bird_id", "follows_id"}, set()),
    "blocks": ({"bird_id", "blocks_id"}, set()),
}
"""By table: the columns that tell it, and others of which one at least is needed, if any."""


@dataclass(frozen=True)
class Origin:
    """Where a contract column comes from: a column of the file, or one constant."""

    column: str | None = None
    constant: Scalar | None = None
    time: TimeColumn | None = None
    escaped: bool = False
    """Whether entities such as &amp; stand for characters."""
    html: bool = False
    """Whether there are tags, too."""


@dataclass(frozen=True)
class Plan:
    """How the rows of one file become rows of one table."""

    table: Table
    origins: dict[str, Origin]
    """By contract column; one that is absent has no origin."""
    actions: tuple[ActionRule, ...] = ()
    otherwise: str | None = None
    only: Mapping[str, Scalar] = field(default_factory=dict)
    """What the file's columns have to hold for a row to be looked at."""
    wanted: tuple[str, ...] = field(default=())
    """The file's columns that are needed."""


def plan_for(source: Source, rule: TableRule | None) -> Plan:
    """Match a file's columns with a rule, or with the contract's own names.

    Raises ContractError where a needed column is absent, or no table fits the columns.
    """
    rule = rule or TableRule(table=recognise(source.columns, source.path))
    table = LANDED[rule.table]
    named = {**rule.columns, **{name: time.column for name, time in rule.time.items()}}
    tested = [action.column for action in rule.actions if action.column is not None]
    tested += rule.only
    # Of a file of mixed rows the first ones may all be others, which lack these columns.
    mixed = bool(rule.only) and source.open_ended
    for column in (*named.values(), *tested):
        if column not in source.columns and not mixed:
            raise ContractError(
                f"{source.path}: the mapping names the column {column!r}, found "
                f"{_listed(source.columns)}; correct the mapping"
            )
    origins: dict[str, Origin] = {}
    for column in table.columns:
        name = column.name
        if name in rule.constants:
            origins[name] = Origin(constant=rule.constants[name])
        elif name in named:
            origins[name] = _origin(named[name], rule, name)
        elif name in source.columns or (column.nullable and source.open_ended):
            origins[name] = _origin(name, rule, name)
    if rule.actions:
        origins.pop("action", None)
    _refuse_gaps(source, table, origins, rule)
    columns = [origin.column for origin in origins.values() if origin.column is not None]
    wanted = tuple(dict.fromkeys([*columns, *tested]))
    _refuse_twins(source, wanted)
    return Plan(table, origins, rule.actions, rule.otherwise, rule.only, wanted)


def recognise(columns: Sequence[str], path: Path) -> TableName:
    """The table whose signs are among ``columns``; the file's name decides between several."""
    found = set(columns)
    fitting: list[TableName] = [
        name
        for name, (all_of, any_of) in SIGNS.items()
        if all_of <= found and (not any_of or any_of & found)
    ]
    if len(fitting) > 1:
        fitting = [name for name in fitting if name in path.name.lower()]
    if len(fitting) == 1:
        return fitting[0]
    signs = "; ".join(_sign(name) for name in SIGNS)
    raise ContractError(
        f"{path}: found {_listed(columns)}, which fit no one table; expected {signs}; "
        "rename the columns, or map them in mapping.toml"
    )


def _sign(name: TableName) -> str:
    all_of, any_of = SIGNS[name]
    either = f" and {' or '.join(sorted(any_of))}" if any_of else ""
    return f"{name}: {', '.join(sorted(all_of))}{either}"


def _refuse_twins(source: Source, wanted: Sequence[str]) -> None:
    twins = [name for name in wanted if source.columns.count(name) > 1]
    if twins:
        raise ContractError(
            f"{source.path}: two columns are called {twins[0]!r}; give each a name of its own"
        )


def _refuse_gaps(source: Source, table: Table, origins: dict[str, Origin], rule: TableRule) -> None:
    gaps = [name for name in table.required if name not in origins]
    if rule.actions:
        gaps.remove("action")
    if gaps:
        raise ContractError(
            f"{source.path}: {table.name} need the column {gaps[0]!r}, found "
            f"{_listed(source.columns)}; rename one, or map it in mapping.toml"
        )


def _origin(column: str, rule: TableRule, name: str) -> Origin:
    """The foreign ``column`` as what feeds the contract's ``name``."""
    html = name in rule.html
    return Origin(column, None, rule.time.get(name), html or name in rule.html_escaped, html)


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:20]) or "no columns"
    return shown + (f" and {len(columns) - 20} more" if len(columns) > 20 else "")
