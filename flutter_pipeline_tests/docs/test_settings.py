"""Every TOML block is what it says: settings that fit, or a mapping."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.settings_check import check_settings
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import PROJECT
from flutter_pipeline_tests.docs.blocks import ALL, Block

# The settings of extend.md are of code that the page adds; its own test runs with them.
TOML = [one for one in ALL if one.language == "toml" and one.document != "extend.md"]


def checked(folder: Path, text: str) -> None:
    (folder / "flutter.toml").write_text(text, encoding="utf-8")
    check_settings(read_settings({"FLUTTER_DATA": str(folder)}))


@pytest.mark.parametrize("block", [one for one in TOML if not one.title], ids=lambda one: one.place)
def test_settings_fit(block: Block, tmp_path: Path):
    checked(tmp_path, block.text)


@pytest.mark.parametrize("block", [one for one in TOML if one.title], ids=lambda one: one.place)
def test_mappings_can_be_read(block: Block, tmp_path: Path):
    (tmp_path / block.title).write_text(block.text, encoding="utf-8")
    assert read_mapping(tmp_path / block.title).table


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "mappings").glob("*.toml")), ids=lambda one: one.name
)
def test_shipped_mappings_can_be_read(path: Path):
    assert read_mapping(path).table


def test_settings_that_do_not_fit_would_be_found(tmp_path: Path):
    with pytest.raises(ConfigError, match="known in"):
        checked(tmp_path, "[feeds]\nsizes = 3\n")
