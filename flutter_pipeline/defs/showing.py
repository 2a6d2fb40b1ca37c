"""How values look on an asset's page: figures, columns and where they come from, a preview.

Whatever birds wrote is shown as text; it never becomes markup.
"""

import re
from datetime import datetime
from typing import Any

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.asset_pictures import picture_of_curves
from flutter_pipeline.adapters.pictures import as_markdown
from flutter_pipeline.contracts.state import State, curves_of
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.defs.lineage import lineage_of, told_of
from flutter_pipeline.defs.streams import Staged

DIGITS = 4
PREVIEW_ROWS = 5
PREVIEW_LENGTH = 60
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows."""


def readable(value: float | bool | str) -> float | bool | str:
    """A figure with as many digits as somebody reads."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def curves_shown(state: State) -> dict[str, dg.MarkdownMetadataValue]:
    """What moved while something learnt, as a picture; nothing where nothing did."""
    curves = {name: curve for name, curve in curves_of(state).items() if len(curve) > 1}
    if not curves:
        return {}
    title = "What moved while it learnt"
    return {"learning": dg.MetadataValue.md(as_markdown(picture_of_curves(curves, "look"), title))}


def table_metadata(key: str, table: Table | None, value: Any) -> dict[str, Any]:
    """Row count, column schema with descriptions, where columns come from, and a preview."""
    if table is None or not isinstance(value, pd.DataFrame | Staged):
        return {}
    first = value.first if isinstance(value, Staged) else value
    columns = [
        dg.TableColumn(
            column.name,
            column.dtype,
            column.description + told_of(key, column.name),
            dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in table.columns
    ]
    return {
        "dagster/row_count": len(value),
        "dagster/column_schema": dg.TableSchema(columns=columns),
        **lineage_of(key),
        "preview": dg.MetadataValue.md(preview(first)),
    }


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
