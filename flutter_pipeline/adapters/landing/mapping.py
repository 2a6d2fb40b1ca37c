"""How foreign files become the contract: a TOML file of rules, each for files of one name pattern.

A rule says which column feeds which contract column, in what unit times are written, which text
is HTML, and which values of which columns are which action. It knows no data: whether a file
really has the columns is found out when the file is opened.
"""

import hashlib
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from flutter_pipeline.adapters.landing.limits import shown
from flutter_pipeline.contracts.tables import ACTIONS, LANDED
from flutter_pipeline.errors import ConfigError, ContractError

TableName = Literal["flits", "engagements", "birds", "follows", "blocks"]
Action = Literal["impression", "click", "like", "share", "reply", "hide", "report"]
Unit = Literal["s", "ms", "us", "ns"]
MAPPING_BYTES = 1 << 18
"""A larger file is no mapping that anybody wrote."""
VALUE_LENGTH = 120
"""Characters of a value that a message quotes."""
PATTERN_LENGTH = 255
"""No file name is longer."""

_INT = 2**63
Whole = Annotated[int, Field(ge=-_INT, lt=_INT)]
Scalar = str | Whole | float | bool


class TimeColumn(BaseModel, frozen=True, extra="forbid"):
    """Where a time comes from, and how it is written there."""

    column: str = Field(description="The foreign column.")
    unit: Unit | None = Field(
        default=None, description="Unit of numbers since 1970; told by their size when absent."
    )
    format: str | None = Field(
        default=None, description="strptime format of a text that is not ISO 8601."
    )


class ActionRule(BaseModel, frozen=True, extra="forbid"):
    """One engagement for each row where ``column`` equals ``equals``; without both, for each."""

    action: Action = Field(description="The action of the engagement.")
    column: str | None = Field(default=None, description="The foreign column to look at.")
    equals: Scalar | None = Field(default=None, description="Its value; 1, 1.0 and '1' are alike.")

    @model_validator(mode="after")
    def _both_or_none(self) -> "ActionRule":
        if (self.column is None) != (self.equals is None):
            raise ValueError("expected `column` and `equals` together, or neither for every row")
        return self


class TableRule(BaseModel, frozen=True, extra="forbid"):
    """How files of one name pattern become rows of one table."""

    table: TableName = Field(description="The contract's table.")
    files: str = Field(
        default="*",
        max_length=PATTERN_LENGTH,
        description="Pattern of file names, such as 'notes*'.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Contract column to foreign column; others are looked for by their own name. "
        "In JSON, `account.id` is the key `id` of the object `account`.",
    )
    time: dict[str, TimeColumn] = Field(
        default_factory=dict, description="Contract time column to foreign column and unit."
    )
    only: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Foreign column to the value that a row has to have, or '*' for any value; "
        "other rows are none of this table, and are passed over.",
    )
    constants: dict[str, Scalar] = Field(
        default_factory=dict, description="Contract column to one value for every row."
    )
    html_escaped: tuple[str, ...] = Field(
        default=(), description="Contract columns whose text holds entities such as &amp;."
    )
    html: tuple[str, ...] = Field(
        default=(),
        description="Contract columns whose text is HTML: tags go, paragraphs and breaks become "
        "line ends, entities become characters.",
    )
    actions: tuple[ActionRule, ...] = Field(
        default=(), description="Engagements only: each matching rule gives one engagement."
    )
    otherwise: Action | None = Field(
        default=None, description="Action of a row that no rule matches; else it is quarantined."
    )
    quoting: bool = Field(default=True, description="Whether double quotes enclose fields.")
    separator: Annotated[str, Field(pattern=r"^[\t !#-~]$")] | None = Field(
        default=None, description="One character; told by the header when absent."
    )

    @model_validator(mode="after")
    def _fits_its_table(self) -> "TableRule":
        table = LANDED[self.table]
        named = [*self.columns, *self.time, *self.constants]
        unknown = sorted({*named, *self.html_escaped, *self.html} - set(table.names))
        if unknown:
            raise ValueError(
                f"{self.table} have no column {unknown[0]!r}; expected {', '.join(table.names)}"
            )
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]!r} is given twice; keep one of its sources")
        untimed = sorted(name for name in self.time if table.column(name).dtype != "time")
        if untimed:
            raise ValueError(f"{untimed[0]!r} is no time; name it under `columns`")
        if (self.actions or self.otherwise) and self.table != "engagements":
            raise ValueError(f"{self.table} have no actions; only engagements do")
        if self.otherwise and not self.actions:
            raise ValueError("`otherwise` needs `actions` to be other than")
        if self.actions and "action" in named:
            raise ValueError("'action' is given twice; keep `actions` or the column")
        if self.constants.get("action", ACTIONS[0]) not in ACTIONS:
            raise ValueError(f"unknown action {self.constants['action']!r}; expected {ACTIONS}")
        return self


class Mapping(BaseModel, frozen=True, extra="forbid"):
    """All rules; a file that several rules name feeds several tables."""

    table: tuple[TableRule, ...] = Field(min_length=1, description="The rules, one a [[table]].")


def rules_for(mapping: Mapping | None, name: str) -> tuple[TableRule, ...]:
    """The rules whose pattern fits the file ``name``, of each table the first one.

    No rule means that the file's columns have to tell what it is.
    """
    first: dict[str, TableRule] = {}
    for rule in mapping.table if mapping else ():
        if fnmatchcase(name, rule.files):
            first.setdefault(rule.table, rule)
    return tuple(first.values())


def digest_of(rules: tuple[TableRule, ...]) -> str:
    """Eight hex digits that change when a rule does; empty without rules."""
    if not rules:
        return ""
    # What a rule does not use leaves its digest alone: a new key here makes no old file a new one.
    unused = [{name for name in ("html", "only") if not getattr(rule, name)} for rule in rules]
    text = "\n".join(
        rule.model_dump_json(exclude=left) for rule, left in zip(rules, unused, strict=True)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; ConfigError for one that cannot be used, ContractError for none."""
    if not path.is_file():
        raise ContractError(f"{path}: no such mapping file; name an existing TOML file")
    size = path.stat().st_size
    if size > MAPPING_BYTES:
        raise ConfigError(
            f"{path}: found {size:,} bytes; a mapping has at most {MAPPING_BYTES:,}, so shorten it"
        )
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {shown(str(error))}; correct that line") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_fault(error)}; correct the mapping") from error
    except (RecursionError, ValueError) as error:
        # Values nested deeper than the reader can follow, or numbers of thousands of digits.
        raise ConfigError(f"{path}: not a mapping: {shown(str(error))}; correct it") from error


def leads_out(path: Path, folder: Path) -> bool:
    """Whether ``path``, found in ``folder``, is a link to somewhere else."""
    return path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())


def _first_fault(error: ValidationError) -> str:
    """The first thing that pydantic found, in one line: where, what, and what was expected."""
    # A misspelt key is the cause where the right one is then missed as well.
    fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = shown(".".join(str(step) for step in fault["loc"]) or "mapping", VALUE_LENGTH)
    message = fault["msg"].removeprefix("Value error, ").replace("\n", " ")
    if fault["type"] == "extra_forbidden":
        owner = ", ".join(_siblings(len(fault["loc"]), str(fault["loc"])))
        return f"unknown key {place!r}; expected one of {owner}"
    value = "" if isinstance(fault["input"], dict) else shown(repr(fault["input"]), VALUE_LENGTH)
    return f"{place}: {shown(message)}" + (f" (found {value})" if value else "")


def _siblings(depth: int, place: str) -> list[str]:
    """The keys that are known at a place of the file."""
    if depth == 1:
        return list(Mapping.model_fields)
    if "'time'" in place:
        return list(TimeColumn.model_fields)
    if "'actions'" in place:
        return list(ActionRule.model_fields)
    return list(TableRule.model_fields)
