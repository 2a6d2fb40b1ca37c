"""Dagster's configuration follows the switch, and an edit of it stays."""

import os
from pathlib import Path

import pytest
import yaml

from flutter_pipeline.adapters.dagster_home import (
    DATABASE,
    IN_ONE_LINE,
    is_ours,
    write_home,
)
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

URL = "postgresql://owl:hoot@127.0.0.1:1/nest"

COPIED = """\
# The instance: copied into the data folder's `dagster/` when a run or the UI starts.
# State is SQLite beside it; for Postgres add `storage: {postgres: ...}` (package dagster-postgres).
telemetry:
  enabled: false

concurrency:
  runs:
    # One run at a time on one data folder; the others wait in the queue.
    max_concurrent_runs: 1

retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days:
      skipped: 3
      failure: 30
      success: -1

run_monitoring:
  enabled: true
  start_timeout_seconds: 180

python_logs:
  python_log_level: INFO
"""
"""What was copied into data folders before there was a switch."""


@pytest.fixture(autouse=True)
def _same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set is set back."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv(DATABASE, "")


class Home:
    """A data folder, its switch on or off, and what was said."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.file = data / "dagster" / "dagster.yaml"
        self.said: list[str] = []

    def write(self, switch: bool) -> str:
        self.said.clear()
        settings = Settings(data=self.data, postgres=URL if switch else "")
        write_home(settings, self.said.append)
        return self.file.read_text(encoding="utf-8")

    def refusal(self, switch: bool) -> str:
        before = self.file.read_text(encoding="utf-8")
        with pytest.raises(ConfigError) as refused:
            self.write(switch)
        assert self.file.read_text(encoding="utf-8") == before
        return str(refused.value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_on_off_and_on_again_is_followed_at_each_start(home: Home):
    on = home.write(True)
    assert yaml.safe_load(on)["storage"] == {"postgres": {"postgres_url": {"env": DATABASE}}}
    assert os.environ[DATABASE].endswith("options=-csearch_path%3D" + schema_of(home))
    off = home.write(False)
    assert "storage" not in yaml.safe_load(off) and DATABASE not in os.environ
    assert home.write(True) == on and DATABASE in os.environ
    assert sorted(path.name for path in home.file.parent.iterdir()) == ["dagster.yaml"]


def schema_of(home: Home) -> str:
    database = Settings(data=home.data, postgres=URL).dagster_database
    return (database or "").rpartition("%3D")[2]


def test_only_a_move_is_told_and_where_the_history_is(home: Home):
    home.write(False)
    assert home.said == []
    home.write(True)
    [line] = home.said
    assert "in PostgreSQL from now on, at postgresql://127.0.0.1:1/nest" in line
    assert schema_of(home) in line and f"stays in {home.file.parent}" in line
    assert "hoot" not in line
    home.write(True)
    assert home.said == []
    home.write(False)
    [line] = home.said
    assert f"kept in {home.file.parent} again" in line and "FLUTTER_POSTGRES_URL" in line


def test_the_address_is_not_written_down(home: Home):
    written = home.write(True)
    assert "hoot" not in written and "127.0.0.1" not in written


def test_every_data_folder_has_tables_of_its_own(tmp_path: Path):
    folders = [Settings(data=tmp_path / name, postgres=URL) for name in ("a", "b", "c/a")]
    assert len({one.dagster_database for one in folders}) == 3


def test_a_newer_template_replaces_what_nobody_edited(home: Home, monkeypatch: pytest.MonkeyPatch):
    home.write(False)
    template = home.data / "template.yaml"
    template.write_text("telemetry: {enabled: false}\n")
    monkeypatch.setattr("flutter_pipeline.adapters.dagster_home.TEMPLATE", template)
    assert home.write(False).endswith("\ntelemetry: {enabled: false}\n")


def test_without_its_template_nothing_is_written(home: Home, monkeypatch: pytest.MonkeyPatch):
    missing = home.data / "elsewhere" / "dagster.yaml"
    monkeypatch.setattr("flutter_pipeline.adapters.dagster_home.TEMPLATE", missing)
    with pytest.raises(ConfigError, match=f"there is no {missing}, .*; bring it back"):
        home.write(False)
    assert not home.file.exists()


def test_what_was_copied_before_there_was_a_switch_follows_it(home: Home):
    home.file.parent.mkdir()
    home.file.write_text(COPIED, encoding="utf-8")
    assert is_ours(COPIED)
    assert "storage" in yaml.safe_load(home.write(True))
    assert len(home.said) == 1


@pytest.mark.parametrize("edit", ["\n# mine\n", "\ntelemetry: {enabled: true}\n"])
def test_an_edit_stays_also_where_the_seal_does(home: Home, edit: str):
    home.file.parent.mkdir()
    edited = home.write(False) + edit
    home.file.write_text(edited, encoding="utf-8")
    assert not is_ours(edited)
    assert home.write(False) == edited


def test_an_edited_file_that_contradicts_the_switch_is_refused_with_the_line_to_add(home: Home):
    edited = home.write(False) + "\n# mine\n"
    home.file.write_text(edited, encoding="utf-8")
    told = home.refusal(True)
    assert "keeps Dagster's state in SQLite" in told and IN_ONE_LINE in told
    home.file.write_text(f"{edited}{IN_ONE_LINE}\n", encoding="utf-8")
    home.write(True)
    told = home.refusal(False)
    assert "keeps Dagster's state in PostgreSQL" in told and "FLUTTER_POSTGRES_URL" in told


def test_an_edited_file_with_storage_of_its_own_is_left_alone(home: Home):
    home.file.parent.mkdir()
    own = "storage: {sqlite: {base_dir: /nest}}\n"
    home.file.write_text(own, encoding="utf-8")
    assert home.write(True) == own == home.write(False)


@pytest.mark.parametrize("text", ["storage: {", "- a list\n"])
def test_an_edited_file_that_is_no_configuration_is_refused(home: Home, text: str):
    home.file.parent.mkdir()
    home.file.write_text(text, encoding="utf-8")
    told = home.refusal(False)
    assert str(home.file) in told and "correct or remove it" in told
