"""Audits by Great Expectations: does a table, or a handful of facts, keep what was promised?

The promises stand beside the contracts; here they are only checked. Great Expectations is
imported late, because importing it takes seconds. What follows from an audit is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from flutter_pipeline.contracts.table import Column, Dtype, Expectation, Severity, Table
from flutter_pipeline.errors import ConfigError

EXAMPLES = 5
EXAMPLE_LENGTH = 80
NOT_NULL = "column_values_to_not_be_null"


@dataclass(frozen=True)
class Finding:
    """What became of one expectation."""

    sentence: str
    kind: str
    column: str
    severity: Severity
    passed: bool
    unexpected: int = 0
    """Values that broke it, where it is about single values."""
    examples: tuple[str, ...] = ()
    """Some of those values, or what was found instead."""
    fact: str = ""
    """What was found, rounded, where it is about a fact and not about rows."""


@dataclass(frozen=True)
class Audit:
    """Every finding about one table."""

    name: str
    rows: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Nothing at all failed."""
        return all(row.passed for row in self.rows)

    @property
    def blocking_failures(self) -> tuple[Finding, ...]:
        """Failures after which nothing may be published."""
        return tuple(row for row in self.rows if not row.passed and row.severity == "critical")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Failures that are only shown."""
        return tuple(row for row in self.rows if not row.passed and row.severity == "warning")


def audit(frame: pd.DataFrame, table: Table) -> Audit:
    """Check that ``frame`` has the contract's columns and types, and keeps its expectations.

    A column that may not be null has to be there, of its type, and without nulls; of one that
    may, only its absence is shown. Columns of bytes are not looked into.
    """
    columns = tuple(_of_column(frame, column) for column in table.columns)
    skipped = {column.name for column in table.columns if column.dtype == "bytes"}
    asked = [*_not_null(table, frame, skipped), *table.expectations]
    looked_at = [name for name in frame.columns if name in _mentioned(asked) - skipped]
    # Great Expectations counts the rows of what it sees, so it has to see a column.
    seen = frame.loc[:, looked_at] if looked_at else pd.DataFrame({"row": range(len(frame))})
    return Audit(table.name, columns + _findings(seen, asked))


def joined_audits(audits: Sequence[Audit]) -> Audit:
    """Audits of the parts of one table as one: what fails in any of them fails."""
    rows = [
        replace(
            found[0],
            passed=all(one.passed for one in found),
            unexpected=sum(one.unexpected for one in found),
            examples=tuple(example for one in found for example in one.examples)[:EXAMPLES],
        )
        for found in zip(*(audit.rows for audit in audits), strict=True)
    ]
    return Audit(audits[0].name, tuple(rows))


def audit_facts(
    facts: Mapping[str, float | int | bool | str], expectations: Sequence[Expectation], name: str
) -> Audit:
    """Check facts about a value that is no table, such as the recall of an index.

    Expectations see a table of one row with one column for each fact.
    """
    findings = _findings(pd.DataFrame([dict(facts)]), expectations)
    told = zip(findings, expectations, strict=True)
    return Audit(name, tuple(replace(one, fact=_fact(facts, asked)) for one, asked in told))


def _fact(facts: Mapping[str, float | int | bool | str], asked: Expectation) -> str:
    """The facts that an expectation is about, as somebody would say them."""
    named = [name for name in asked.arguments.values() if isinstance(name, str) and name in facts]
    return ", ".join(_rounded(facts[name]) for name in named)


def _rounded(value: float | int | bool | str) -> str:
    """Three digits of a number with a fraction, all of any other."""
    if not isinstance(value, float | np.floating):
        return str(value)
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _of_column(frame: pd.DataFrame, column: Column) -> Finding:
    if column.name not in frame.columns:
        severity: Severity = "warning" if column.nullable else "critical"
        sentence = f"there is a column {column.name}"
        there = ", ".join(map(str, frame.columns))[:EXAMPLE_LENGTH]
        found = f"found: {there}" if there else "found no columns"
        return Finding(sentence, "column_to_exist", column.name, severity, False, 0, (found,))
    holds = column.nullable or _is_of_type(pd.Series(frame[column.name]), column.dtype)
    found = () if holds else (f"found: {frame[column.name].dtype}",)
    return Finding(
        f"{column.name} holds {column.dtype}",
        "column_values_to_be_of_type",
        column.name,
        "critical",
        holds,
        0,
        found,
    )


def _is_of_type(values: pd.Series, dtype: Dtype) -> bool:
    """Whether a column is of the promised type; strings may also be Python objects."""
    if dtype == "str":
        return types.is_string_dtype(values)
    if dtype == "time":
        return isinstance(values.dtype, pd.DatetimeTZDtype) and str(values.dtype.tz) == "UTC"
    if dtype == "bytes":
        return all(isinstance(value, bytes) for value in values)
    return str(values.dtype) == dtype


def _not_null(table: Table, frame: pd.DataFrame, skipped: set[str]) -> list[Expectation]:
    """The contract's own "may not be null", where no expectation says it in better words."""
    said = {e.arguments.get("column") for e in table.expectations if e.kind == NOT_NULL}
    return [
        Expectation(NOT_NULL, {"column": name}, f"every row has a {name}")
        for name in table.required
        if name not in said and name not in skipped and name in frame.columns
    ]


def _mentioned(expectations: Sequence[Expectation]) -> set[str]:
    """Names of columns in any argument, whatever the argument is called."""
    values = [value for e in expectations for value in e.arguments.values()]
    names = {value for value in values if isinstance(value, str)}
    return names.union(*(value for value in values if isinstance(value, list | tuple | set)))


def _findings(frame: pd.DataFrame, expectations: Sequence[Expectation]) -> tuple[Finding, ...]:
    if not expectations:
        return ()
    result = _validate(frame, [_expectation(e, place) for place, e in enumerate(expectations)])
    # Results come grouped by column, not in the order of the suite.
    by_place = {found.expectation_config.meta["place"]: found for found in result.results}
    return tuple(_finding(e, by_place[place]) for place, e in enumerate(expectations))


def _validate(frame: pd.DataFrame, suite: list[Any]) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("memory")
        .add_dataframe_asset("frame")
        .add_batch_definition_whole_dataframe("whole")
        .get_batch(batch_parameters={"dataframe": frame})
    )
    return batch.validate(
        gx.ExpectationSuite(name="suite", expectations=suite),
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": EXAMPLES},
    )


def _expectation(asked: Expectation, place: int) -> Any:
    import great_expectations as gx

    name = "Expect" + "".join(word.capitalize() for word in asked.kind.split("_"))
    made = getattr(gx.expectations, name, None)
    if made is None:
        raise ConfigError(
            f"there is no expectation {asked.kind!r}; name one of Great Expectations' "
            "in snake case without expect_, such as column_values_to_be_unique"
        )
    try:
        return made(**asked.arguments, severity=asked.severity, meta={"place": place})
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"expectation {asked.kind!r} cannot be made: {reason}") from None


def _finding(asked: Expectation, found: Any) -> Finding:
    """One result; one without details could not be computed, mostly for want of its column."""
    details = found.result or {}
    columns = asked.arguments.get("column") or ", ".join(asked.arguments.get("column_list", ()))
    return Finding(
        asked.sentence,
        asked.kind,
        columns,
        asked.severity,
        bool(found.success),
        int(details.get("unexpected_count") or 0),
        () if found.success else _examples(details),
    )


def _examples(details: Mapping[str, Any]) -> tuple[str, ...]:
    if not details:
        return ("could not be checked",)
    values = details.get("partial_unexpected_list")
    if values is None:
        return (f"found: {details.get('observed_value')}",)
    shown = dict.fromkeys(_shown(value) for value in values)
    return tuple(shown)[:EXAMPLES]


def _shown(value: Any) -> str:
    parts = value.values() if isinstance(value, dict) else value
    text = ", ".join(map(str, parts)) if isinstance(value, dict | tuple) else str(value)
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1] + "…"
