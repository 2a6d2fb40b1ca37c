"""Tables that are made a part at a time: audited whole, published in one step, never half."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.defs.asset import Stage, audited_asset, in_parts
from flutter_pipeline.defs.resources import DataFolder, TableManager
from flutter_pipeline.defs.streams import Stream, TableParts
from flutter_pipeline_tests.defs.test_asset import GOOD, LOUD, OWLS, TWICE

MORE = pd.DataFrame({"owl_id": ["o3"], "hoots": [3]})


@pytest.fixture
def tables(tmp_path: Path, monkeypatch) -> TableStore:
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    return TableStore(tmp_path / "tables")


def streamed(*frames: pd.DataFrame) -> dg.AssetsDefinition:
    seen: list[int] = []

    def parts() -> Iterator[pd.DataFrame]:
        for frame in frames:
            seen.append(len(frame))
            yield frame

    @audited_asset(Stage("raw", frozenset({"pandas"}), table=OWLS))
    def owls() -> Stream:
        """Owls, some at a time."""
        return Stream(parts(), lambda: {"frames": len(seen)}, origin="the wood")

    return owls


def made(*assets: dg.AssetsDefinition) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        list(assets),
        resources={"tables": TableManager(data=DataFolder()), "shelf": dg.mem_io_manager},
        raise_on_error=False,
    )


def test_all_parts_are_published_together_in_place_of_what_was_there(tables: TableStore):
    tables.write("owls", {WHOLE: LOUD})
    result = made(streamed(GOOD, MORE))
    assert result.success
    assert tables.read("owls")["owl_id"].tolist() == ["o1", "o2", "o3"]
    assert {part.origin for part in tables.parts("owls").values()} == {"the wood"}
    [event] = result.get_asset_materialization_events()
    assert event.materialization.metadata["dagster/row_count"].value == 3
    assert event.materialization.metadata["frames"].value == 2


def test_one_part_with_a_critical_failure_keeps_all_of_them_out(tables: TableStore):
    made(streamed(GOOD))
    result = made(streamed(MORE, TWICE, MORE))
    [check] = result.get_asset_check_evaluations()
    assert not check.passed and "every owl is there once: 2 do not" in str(check.description)
    assert tables.read("owls")["owl_id"].tolist() == ["o1", "o2"]


def test_a_warning_in_a_later_part_is_shown(tables: TableStore):
    result = made(streamed(MORE, LOUD))
    [check] = result.get_asset_check_evaluations()
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    assert len(tables.read("owls")) == 3


@pytest.mark.parametrize("frames", [(), (GOOD.head(0),), (GOOD.head(0), GOOD.head(0))])
def test_a_table_without_rows_is_published_as_one(tables: TableStore, frames):
    assert made(streamed(*frames)).success
    assert tables.read("owls").columns.tolist() == ["owl_id", "hoots"]
    assert len(tables.read("owls")) == 0


def test_whoever_asks_for_parts_reads_one_at_a_time(tables: TableStore):
    lengths: list[int] = []

    @dg.asset(ins=in_parts("owls"), io_manager_key="shelf")
    def counted(owls: TableParts) -> int:
        lengths.extend(len(frame) for frame in owls.frames)
        return len(owls)

    result = made(streamed(GOOD, MORE), counted)
    assert lengths == [2, 1] and result.output_for_node("counted") == 3
