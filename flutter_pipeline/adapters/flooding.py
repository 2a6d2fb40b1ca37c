"""Floods of near-copies, day by day: found, marked, and listed where quarantined rows are.

``quarantine/flood/<day>.parquet`` lists a day's flooded flits with the reason; a day without a
flood has no file. The flits stay in ``raw_flits``, so the books of intake are not touched.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.store.files import publish_file
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig
from flutter_pipeline.text.floods import with_floods

TOLD = ["bird_id", "minhash", "spam"]


def mark_floods(
    cleaned: pd.DataFrame, tables: TableStore, settings: Settings, config: TextConfig
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """``cleaned`` with floods marked as spam, and by day the flits that are in floods.

    Each day is judged by itself, beside the days before it, be they in ``cleaned`` or stored: it
    makes no difference whether days are cleaned one by one or all at once.
    """
    if cleaned.empty:
        return cleaned, {}
    step = "D" if settings.cadence == "daily" else "h"
    keys = cleaned["created_at"].dt.floor(step).dt.strftime(KEY_FORMATS[settings.cadence])
    stored = set(tables.parts("cleaned_tokens"))
    many = config.flood.earlier_days * 24 // settings.cadence_hours
    marked: dict[str, pd.DataFrame] = {}
    floods: dict[str, pd.DataFrame] = {}
    days = {str(day): rows for day, rows in cleaned.groupby(keys.to_numpy(), sort=True)}
    for day, rows in days.items():
        before = sorted(one for one in stored | set(days) if one < day)[-many:] if many else []
        earlier = partial(_earlier, before, marked, tables)
        marked[day], floods[day] = with_floods(rows, earlier, config.flood, config.near_copies)
    return pd.concat(list(marked.values())).loc[cleaned.index], floods


def list_floods(data: Path, floods: Mapping[str, pd.DataFrame]) -> None:
    """Keep the flooded flits of each day, and no file of a day that has none."""
    for day, rows in floods.items():
        path = flood_path(data, day)
        if len(rows):
            publish_file(path, partial(_write, rows))
        else:
            path.unlink(missing_ok=True)


def flooded(data: Path, day: str) -> pd.DataFrame | None:
    """The flooded flits of a day, or None where there was no flood."""
    path = flood_path(data, day)
    return pd.read_parquet(path) if path.is_file() else None


def newest_flood(data: Path) -> tuple[str, int] | None:
    """The latest day that had a flood, and how many flits were set apart; None where none had."""
    files = sorted(flood_path(data, "").parent.glob("*.parquet"))
    return (files[-1].stem, pq.read_metadata(files[-1]).num_rows) if files else None


def flooded_ids(data: Path) -> set[str]:
    """The flits of all floods that are listed: nobody shall learn from them."""
    files = sorted(flood_path(data, "").parent.glob("*.parquet"))
    columns = [pd.read_parquet(file, columns=["flit_id"])["flit_id"] for file in files]
    return set(pd.concat(columns)) if columns else set()


def flood_path(data: Path, day: str) -> Path:
    """Where a day's flooded flits are listed."""
    return data / "quarantine" / "flood" / f"{day}.parquet"


def _earlier(
    days: list[str], marked: Mapping[str, pd.DataFrame], tables: TableStore
) -> pd.DataFrame:
    """What birds said on ``days``, without spam: yesterday's flood makes today's no usual thing."""
    stored = [day for day in days if day not in marked]
    frames = [marked[day][TOLD] for day in days if day in marked]
    if stored:
        frames.append(tables.read("cleaned_tokens", stored, TOLD))
    if not frames:
        return pd.DataFrame({name: pd.Series([], dtype="object") for name in TOLD})
    rows = pd.concat(frames, ignore_index=True)
    return rows[~rows["spam"].astype("bool")]


def _write(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)
