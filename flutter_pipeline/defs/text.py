"""Text: every flit cleaned and cut into tokens."""

import pandas as pd

from flutter_pipeline.contracts.tables import CLEANED_TOKENS
from flutter_pipeline.defs.asset import Stage, audited_asset
from flutter_pipeline.defs.partitions import by_day
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
def cleaned_tokens(config: TextConfig, raw_flits: pd.DataFrame) -> pd.DataFrame:
    """Text made ready: readable for BERT, as tokens for the others; spam and language told."""
    return clean_flits(raw_flits, config)
