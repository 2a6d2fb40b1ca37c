"""Tables by day, or by hour: rows go to the part that they belong to."""

from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.defs.resources import DataFolder, TableManager

TIMES = ["2026-01-02T01:04:00", "2026-01-02T01:59:59", "2026-01-02T02:00:00"]


@pytest.mark.parametrize(
    ("cadence", "days", "expected"),
    [
        ("daily", dg.DailyPartitionsDefinition("2026-01-01"), {"2026-01-02": 3}),
        (
            "hourly",
            dg.HourlyPartitionsDefinition("2026-01-01-00:00"),
            {"2026-01-02-01:00": 2, "2026-01-02-02:00": 1},
        ),
    ],
)
def test_rows_are_kept_by_the_start_of_their_day_or_hour(
    tmp_path: Path, monkeypatch, cadence: str, days: dg.PartitionsDefinition, expected: dict
):
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    (tmp_path / "flutter.toml").write_text(f'cadence = "{cadence}"\n')

    @dg.asset(partitions_def=days, metadata={"time_column": "at"}, io_manager_key="tables")
    def owls() -> pd.DataFrame:
        times = pd.to_datetime(TIMES, utc=True).as_unit("us")
        return pd.DataFrame({"owl_id": ["a", "b", "c"], "at": times})

    dg.materialize(
        [owls],
        resources={"tables": TableManager(data=DataFolder())},
        partition_key=next(iter(expected)),
    )
    parts = TableStore(tmp_path / "tables").parts("owls")
    assert {key: part.rows for key, part in parts.items()} == expected
