"""Text: every flit cleaned and cut into tokens."""

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.flooding import list_floods, mark_floods
from flutter_pipeline.contracts.tables import CLEANED_TOKENS
from flutter_pipeline.defs.asset import Made, Stage, audited_asset
from flutter_pipeline.defs.partitions import by_day, tell_days
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.defs.showing import preview
from flutter_pipeline.text.cleaned import TextConfig, clean_flits


@audited_asset(
    Stage(
        "text",
        frozenset({"polars"}),
        table=CLEANED_TOKENS,
        section="text",
        options=by_day(CLEANED_TOKENS),
    )
)
def cleaned_tokens(
    context: dg.AssetExecutionContext, config: TextConfig, raw_flits: pd.DataFrame, data: DataFolder
) -> Made:
    """Text made ready: readable for BERT, as tokens for the others; spam and language told."""
    raw = data.tables.parts("raw_flits")
    origins = {day: raw[day].origin for day in context.partition_keys if day in raw}
    cleaned = clean_flits(raw_flits, config)
    marked, floods = mark_floods(cleaned, data.tables, data.settings, config)
    list_floods(data.path, floods)
    flooded = [rows for rows in floods.values() if len(rows)]
    tell_days(context, marked, "created_at", ("n_tokens", "spam"))
    metadata: dict[str, object] = {"flooded_flits": sum(len(rows) for rows in flooded)}
    if flooded:
        said = pd.concat(flooded).drop_duplicates("reason")[["text_clean", "copies", "reason"]]
        metadata["floods"] = dg.MetadataValue.md(preview(said, rows=len(said)))
    return Made(marked, metadata=metadata, origins=origins)
