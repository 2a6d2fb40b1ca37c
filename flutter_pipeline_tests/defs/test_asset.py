"""The decorator of every asset: what is audited before it is published, and its configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from pydantic import BaseModel, Field

from flutter_pipeline.contracts.table import Column, Expectation, Table
from flutter_pipeline.defs.asset import (
    CHECK,
    Made,
    Stage,
    at_least,
    at_most,
    audited_asset,
    settings_of,
)
from flutter_pipeline.defs.showing import preview
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import read_settings

OWLS = Table(
    name="owls",
    description="Owls.",
    columns=(
        Column("owl_id", "str", "Names the owl."),
        Column("hoots", "int64", "How often it hoots."),
    ),
    key=("owl_id",),
    expectations=(
        Expectation("column_values_to_be_unique", {"column": "owl_id"}, "every owl is there once"),
        Expectation(
            "column_values_to_be_between",
            {"column": "hoots", "max_value": 9},
            "owls are quiet",
            severity="warning",
        ),
    ),
)
GOOD = pd.DataFrame({"owl_id": ["o1", "o2"], "hoots": [1, 2]})
TWICE = pd.DataFrame({"owl_id": ["o1", "o1"], "hoots": [1, 2]})
LOUD = pd.DataFrame({"owl_id": ["o1", "o2"], "hoots": [1, 99]})


class Nest(BaseModel, frozen=True, extra="forbid"):
    """Where an owl sleeps."""

    high: bool = Field(default=True, description="Above the ground.")


class OwlConfig(BaseModel, frozen=True, extra="forbid"):
    """What owls there are."""

    owls: int = Field(default=2, gt=0, description="How many.")
    names: tuple[str, ...] = Field(default=("o",), description="What they are called.")
    nest: Nest = Field(default=Nest(), description="Where they sleep.")


class Shelf(dg.ConfigurableIOManager):
    """Keeps what is published in a list that the test sees."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        SHELF.append(obj)

    def load_input(self, context: dg.InputContext) -> Any:
        return SHELF[-1]


SHELF: list[Any] = []


@pytest.fixture(autouse=True)
def _empty_shelf():
    SHELF.clear()


def made(
    *assets: dg.AssetsDefinition, instance: dg.DagsterInstance, config: dict | None = None
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        list(assets),
        instance=instance,
        resources={"shelf": Shelf()},
        run_config={"ops": {assets[0].key.to_user_string(): {"config": config}}} if config else {},
        raise_on_error=False,
    )


def owls_of(values: list[pd.DataFrame]) -> dg.AssetsDefinition:
    """The asset ``owls``, which gives one of ``values`` after the other."""

    @audited_asset(Stage("raw", frozenset({"pandas"}), io="shelf", table=OWLS))
    def owls() -> pd.DataFrame:
        """Owls that were seen."""
        return values.pop(0)

    return owls


@dg.asset(io_manager_key="shelf")
def downstream(owls: pd.DataFrame) -> int:
    """Whoever reads owls."""
    return len(owls)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def check_of(result: dg.ExecuteInProcessResult) -> Any:
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation


def test_a_sound_value_is_published_with_its_check(instance):
    result = made(owls_of([GOOD]), downstream, instance=instance)
    assert result.success and len(SHELF) == 2 and SHELF[0] is GOOD
    assert check_of(result).passed and check_of(result).check_name == CHECK


def test_after_a_critical_failure_the_last_good_value_stays_and_nothing_follows(instance):
    owls = owls_of([GOOD, TWICE])
    made(owls, downstream, instance=instance)
    result = made(owls, downstream, instance=instance)
    assert not check_of(result).passed
    assert check_of(result).severity == dg.AssetCheckSeverity.ERROR
    assert len(SHELF) == 2 and SHELF[0] is GOOD
    assert result.get_asset_materialization_events() == []
    assert len(instance.fetch_materializations(owls.key, limit=9).records) == 1


def test_a_warning_is_shown_and_stops_nothing(instance):
    result = made(owls_of([LOUD]), downstream, instance=instance)
    assert result.success and len(SHELF) == 2
    assert not check_of(result).passed
    assert check_of(result).severity == dg.AssetCheckSeverity.WARN
    assert "owls are quiet: 1 do not" in check_of(result).description


def test_a_table_that_lacks_a_column_is_not_published(instance):
    result = made(owls_of([GOOD.drop(columns="owl_id")]), instance=instance)
    assert SHELF == [] and not check_of(result).passed


def test_a_table_shows_rows_columns_a_preview_and_its_cost(instance):
    result = made(owls_of([GOOD]), instance=instance)
    [event] = result.get_asset_materialization_events()
    metadata: dict[str, Any] = dict(event.materialization.metadata)
    assert metadata["dagster/row_count"].value == 2
    schema = metadata["dagster/column_schema"].value
    assert [(c.name, c.type, c.description) for c in schema.columns] == [
        ("owl_id", "str", "Names the owl."),
        ("hoots", "int64", "How often it hoots."),
    ]
    assert "| o2 | 2 |" in str(metadata["preview"].value)
    assert metadata["seconds"].value >= 0 and metadata["peak_memory_mb"].value > 0


@pytest.mark.parametrize(
    ("share", "published", "passed"), [(0.0, True, True), (0.2, True, False), (0.6, False, False)]
)
def test_facts_are_audited_where_there_is_no_table(instance, share, published, passed):
    limits = (
        at_most("empty_share", 0.5, "hardly any nest is empty"),
        at_most("empty_share", 0.1, "nearly every nest is full", "warning"),
        at_least("nests", 1, "there are nests"),
    )

    @audited_asset(Stage("raw", frozenset(), io="shelf", expectations=limits))
    def nests() -> Made:
        return Made("a value", {"empty_share": share, "nests": 3}, {"note": "seen at night"})

    result = made(nests, instance=instance)
    assert (["a value"] if published else []) == SHELF
    assert check_of(result).passed == passed
    if published:
        [event] = result.get_asset_materialization_events()
        assert event.materialization.metadata["empty_share"].value == share
        assert event.materialization.metadata["note"].value == "seen at night"


def configured(seen: list[OwlConfig]) -> dg.AssetsDefinition:
    @audited_asset(Stage("raw", frozenset(), io="shelf", section="text"))
    def owls(config: OwlConfig) -> Made:
        seen.append(config)
        return Made(None)

    return owls


@pytest.fixture
def flutter_toml(tmp_path: Path, monkeypatch) -> Callable[[str], None]:
    monkeypatch.setenv("FLUTTER_DATA", str(tmp_path))
    return lambda text: (tmp_path / "flutter.toml").write_text(text) and None


def test_defaults_come_from_the_config_and_the_launchpad_changes_them(instance, flutter_toml):
    seen: list[OwlConfig] = []
    made(configured(seen), instance=instance)
    changed = {"owls": 5, "names": ["a", "b"], "nest": {"high": False}}
    made(configured(seen), instance=instance, config=changed)
    assert seen == [OwlConfig(), OwlConfig(owls=5, names=("a", "b"), nest=Nest(high=False))]


def test_defaults_that_flutter_toml_sets_come_before_the_configs_own(instance, flutter_toml):
    flutter_toml("[text]\nowls = 7\n[text.nest]\nhigh = false\n")
    seen: list[OwlConfig] = []
    made(configured(seen), instance=instance)
    assert seen == [OwlConfig(owls=7, nest=Nest(high=False))]


def test_unknown_keys_are_refused_in_flutter_toml_and_in_the_launchpad(instance, flutter_toml):
    with pytest.raises(dg.DagsterInvalidConfigError, match="feathers"):
        made(configured([]), instance=instance, config={"feathers": 3})
    flutter_toml("[text]\nfeathers = 3\n")
    with pytest.raises(ConfigError, match=r"\[text.feathers\].*known in \[text\]: owls, names"):
        configured([])


def test_values_that_the_config_refuses_are_refused_in_the_launchpad_too(instance, flutter_toml):
    seen: list[OwlConfig] = []
    result = made(configured(seen), instance=instance, config={"owls": 0})
    assert not result.success and seen == []


def test_what_may_be_null_may_be_null_in_the_launchpad(instance, flutter_toml):
    class Roomy(BaseModel, frozen=True, extra="forbid"):
        """Without a limit."""

        limit: float | None = Field(default=14.0, gt=0, description="Or none.")

    model = settings_of(Roomy, "text", read_settings())
    assert model().model_dump() == {"limit": 14.0}
    assert model(limit=None).model_dump() == {"limit": None}


def test_the_preview_cuts_texts_and_leaves_out_bytes():
    frame = pd.DataFrame({"text": ["x" * 80, "a|b\nc"], "hash": [b"1", b"2"], "n": [0.123456, 2.0]})
    shown = preview(frame).splitlines()
    assert shown[:2] == ["| text | n |", "| --- | --- |"]
    assert shown[2] == f"| {'x' * 59}… | 0.1235 |"
    assert shown[3] == "| a\\|b c | 2 |"
    assert len(preview(pd.concat([frame] * 9)).splitlines()) == 2 + 5
