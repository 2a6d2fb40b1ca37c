"""Which rows of a file are new, which were met before, and which contradict what was met.

Pure but for reading stored parts. Rows of a key with a time repeat only within their day, so a
day is settled by itself; a flit's id may return on any day, so flits are settled as a whole.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from flutter_pipeline.adapters.landing.source import LINE

NEW, SAME, OTHER = 0, 1, 2
VERDICT = "__verdict"

PRINT = "__print"
"""64-bit digest of what has to agree between flits of one id; compared within one id only."""

AT_ONCE = 2_000_000
"""Rows among which repetitions are looked for at one time."""

_FLIT = ("text", "created_at", "bird_id")


def prints(flits: pl.DataFrame) -> pl.DataFrame:
    """Columns flit_id, PRINT and LINE: all that is needed to settle flits."""
    return flits.select("flit_id", pl.struct(_FLIT).hash(seed=0).alias(PRINT), LINE)


def settle_flits(landed: pl.DataFrame, stored: list[Path]) -> pl.DataFrame:
    """LINE and VERDICT of every row that is not new, in a frame of prints in file order.

    The first row of an id is new unless the id is stored; others with that id are the SAME where
    text, time and author agree with the stored (or first) one, and OTHER where they do not.
    """
    firsts = landed.unique("flit_id", keep="first", maintain_order=True)
    known = _stored_prints(firsts.select("flit_id"), stored)
    references = firsts.join(known, on="flit_id", how="left", suffix="_stored").select(
        "flit_id",
        pl.coalesce(f"{PRINT}_stored", PRINT).alias("__reference"),
        pl.when(pl.col(f"{PRINT}_stored").is_null()).then(LINE).alias("__first"),
    )
    agrees = pl.col(PRINT) == pl.col("__reference")
    return (
        landed.join(references, on="flit_id", how="left")
        .filter(pl.col("__first").is_null() | (pl.col("__first") != pl.col(LINE)))
        .select(LINE, pl.when(agrees).then(SAME).otherwise(OTHER).cast(pl.Int8).alias(VERDICT))
    )


def _stored_prints(ids: pl.DataFrame, stored: list[Path]) -> pl.DataFrame:
    """flit_id and PRINT of those of ``ids`` that are stored."""
    if not stored:
        return pl.DataFrame(schema={"flit_id": pl.String(), PRINT: pl.UInt64()})
    rows = pl.scan_parquet(stored).join(ids.lazy(), on="flit_id", how="semi")
    return rows.select("flit_id", pl.struct(_FLIT).hash(seed=0).alias(PRINT)).collect()


def new_of_day(
    rows: pl.DataFrame, key: Sequence[str], stored: list[Path], at_once: int = AT_ONCE
) -> pl.DataFrame:
    """Rows whose key is met for the first time, here and in the stored parts of their day.

    Rows of one key keep their order; a day of more than ``at_once`` rows is split by key first,
    since finding repetitions takes several times the memory of the rows.
    """
    met = pl.read_parquet(stored, columns=list(key)) if stored else None
    bucket = (pl.struct(key).hash(seed=0) % (1 + rows.height // at_once)).alias("__bucket")
    fresh = [
        _new(part, key, met)
        for part in rows.with_columns(bucket).partition_by("__bucket", include_key=False)
    ]
    return pl.concat(fresh)


def _new(rows: pl.DataFrame, key: Sequence[str], met: pl.DataFrame | None) -> pl.DataFrame:
    """The first row of each key that is not ``met``."""
    fresh = rows.unique(list(key), keep="first", maintain_order=True)
    return fresh if met is None else fresh.join(met, on=list(key), how="anti")
