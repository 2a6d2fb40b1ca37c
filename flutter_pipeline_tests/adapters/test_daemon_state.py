"""Whether a daemon is at work: by what it says, and by the lock of the `ui` that began it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg

from flutter_pipeline.adapters.daemon_state import DaemonState, daemon_state
from flutter_pipeline.adapters.only_here import Pages, only_here
from flutter_pipeline.settings import Settings

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PAGES = Pages(pid=4711, dagster="http://127.0.0.1:3000", mlflow="http://127.0.0.1:5000")


def _state(settings: Settings, seconds: float) -> DaemonState:
    """Where the daemon was heard of ``seconds`` ago."""
    beat = SimpleNamespace(timestamp=NOW.timestamp() - seconds)
    heard: Any = SimpleNamespace(get_daemon_heartbeats=lambda: {"SENSOR": beat})
    return daemon_state(settings, cast(dg.DagsterInstance, heard), NOW)


def test_a_killed_one_is_not_at_work_though_it_was_heard_of_a_moment_ago(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    settings.dagster_home.mkdir()
    with only_here(settings, PAGES, [].append):
        serving = _state(settings, 5)
        assert serving.alive and serving.url == PAGES.dagster
        assert not _state(settings, 121).alive
    killed = _state(settings, 5)
    assert (killed.alive, killed.url) == (False, "") and killed.heard is not None


def test_one_that_no_ui_began_is_known_by_what_it_says(tmp_path: Path) -> None:
    assert _state(Settings(tmp_path), 5).alive
    assert not _state(Settings(tmp_path), 121).alive
