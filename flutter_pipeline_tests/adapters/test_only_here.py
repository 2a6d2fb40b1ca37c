"""One `ui` a data folder, also while the servers of a killed one are still being stopped."""

import fcntl
import threading
from pathlib import Path

import pytest

from flutter_pipeline.adapters.only_here import Pages, at_work, only_here, served
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

PAGES = Pages(pid=4711, dagster="http://127.0.0.1:3000", mlflow="http://127.0.0.1:5000")


def _settings(folder: Path) -> Settings:
    settings = Settings(folder)
    settings.dagster_home.mkdir()
    return settings


def test_a_second_one_is_told_who_serves_and_where(tmp_path: Path) -> None:
    settings, said = _settings(tmp_path), []
    with only_here(settings, PAGES, said.append):
        assert served(settings) == PAGES
        with (
            pytest.raises(
                ConfigError, match=r"process 4711, Dagster at \S+3000, MLflow at \S+5000"
            ),
            only_here(settings, PAGES, said.append),
        ):
            pass
    with only_here(settings, PAGES, said.append):
        assert not said


def test_it_is_at_work_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert not at_work(settings) and list(settings.dagster_home.iterdir()) == []
    with only_here(settings, PAGES, [].append):
        assert at_work(settings)
    assert served(settings) == PAGES and not at_work(settings)


def test_who_asks_whether_it_is_at_work_keeps_nobody_from_starting(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    with (settings.dagster_home / "ui.lock").open("a") as asking:
        fcntl.flock(asking, fcntl.LOCK_EX)
        threading.Timer(0.1, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with only_here(settings, PAGES, [].append):
            assert at_work(settings)


def test_servers_that_a_killed_one_left_are_waited_for(tmp_path: Path) -> None:
    settings, said = _settings(tmp_path), []
    with (settings.dagster_home / "ui.servers.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        threading.Timer(0.5, fcntl.flock, (guard, fcntl.LOCK_UN)).start()
        with only_here(settings, PAGES, said.append):
            assert said == ["A `ui` of this folder was killed; what it left is being stopped."]


def test_servers_that_never_end_are_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("flutter_pipeline.adapters.only_here.LEFT_SECONDS", 0.1)
    settings = _settings(tmp_path)
    with (settings.dagster_home / "ui.servers.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        with (
            pytest.raises(ConfigError, match="do not end; end them"),
            only_here(settings, PAGES, [].append),
        ):
            pass


def test_pages_that_nobody_can_read_are_none(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert served(settings) is None
    (settings.dagster_home / "ui.json").write_text("{", encoding="utf-8")
    assert served(settings) is None
