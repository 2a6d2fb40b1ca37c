"""What a table promises: its columns, its key, its time, and what an audit expects of it.

Everything that travels between stages is described with these three types. Nothing here checks
anything: adapters turn a :class:`Table` into a file schema, an audit or a page of documentation.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

Dtype = Literal[
    "str", "category", "time", "bool", "int8", "int32", "int64", "float32", "float64", "bytes"
]
Severity = Literal["critical", "warning"]

PANDAS_DTYPES: dict[str, str] = {
    "str": "str",
    "time": "datetime64[us, UTC]",
    "bool": "bool",
    "bytes": "object",
}


@dataclass(frozen=True)
class Column:
    """One column; a nullable one may be absent from landed files."""

    name: str
    dtype: Dtype
    description: str
    nullable: bool = False


@dataclass(frozen=True)
class Expectation:
    """One sentence that an audit can check.

    ``kind`` is a Great Expectations type in snake case without the ``expect_`` prefix, such as
    ``column_values_to_be_unique``; ``arguments`` are that expectation's keyword arguments.
    A critical failure stops the run before anything is published, a warning is only shown.
    """

    kind: str
    arguments: dict[str, Any]
    sentence: str
    severity: Severity = "critical"


@dataclass(frozen=True)
class Table:
    """A table's name, columns, key, event time, and the expectations beyond its columns' own."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    time: str | None = None
    expectations: tuple[Expectation, ...] = field(default=())

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [column.name for column in self.columns]

    @property
    def required(self) -> list[str]:
        """Names of the columns that may not be null or absent."""
        return [column.name for column in self.columns if not column.nullable]

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError where there is none."""
        return next(column for column in self.columns if column.name == name)

    def empty(self) -> pd.DataFrame:
        """A frame of no rows with every column in its own type."""
        return pd.DataFrame(
            {
                column.name: pd.Series([], dtype=PANDAS_DTYPES.get(column.dtype, column.dtype))
                for column in self.columns
            }
        )
