"""What is told, once, and what a webhook hears of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flutter_pipeline.adapters.alerts import Alert, alerts, alerts_path, standing, tell
from flutter_pipeline.settings import Settings
from flutter_pipeline_tests.daily_loop import webhook

AT = datetime(2026, 5, 1, tzinfo=UTC)
FAILED = Alert(at=AT, kind="failed", about="run-1", text="one_day failed", job="one_day")
GOOD = Alert(at=AT, kind="recovered", about="run-1", text="made good", job="one_day")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path)


def test_the_same_is_told_once_until_it_has_recovered(settings: Settings):
    assert [tell(settings, one) for one in (FAILED, FAILED, GOOD, GOOD, FAILED)] == [
        *(True, False),
        *(True, False),
        True,
    ]
    assert [alert.kind for alert in alerts(settings.data)] == ["failed", "recovered", "failed"]
    assert standing(settings.data) == [FAILED]


def test_nothing_recovers_that_was_never_told(settings: Settings):
    assert not tell(settings, GOOD)
    assert alerts(settings.data) == []


def test_a_line_that_was_cut_off_hides_no_other(settings: Settings):
    tell(settings, FAILED)
    with alerts_path(settings.data).open("a") as log:
        log.write('{"at": "2026-05-01T00:0\n')
    assert standing(settings.data) == [FAILED]


def test_a_log_begun_anew_still_knows_what_stands(tmp_path: Path):
    # A millionth of a megabyte: every line begins the log anew.
    settings = Settings(tmp_path, sections={"alerts": {"log_megabytes": 0.000001}})
    other = FAILED.model_copy(update={"about": "run-2"})
    for alert in (FAILED, other, GOOD):
        assert tell(settings, alert)
    assert standing(tmp_path) == [other]
    assert sorted(path.name for path in tmp_path.glob("alerts.log*")) == [
        "alerts.log",
        "alerts.log.1",
    ]


def test_the_webhook_hears_what_the_log_says(settings: Settings, monkeypatch):
    with webhook() as hook:
        monkeypatch.setenv("FLUTTER_WEBHOOK", hook.url)
        tell(settings, FAILED)
        tell(settings, FAILED)
    [heard] = hook.heard
    assert (heard["text"], heard["about"]) == ("one_day failed", "run-1")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/secret-token", "file:///etc/passwd"])
def test_a_webhook_that_cannot_be_called_raises_nothing_and_its_address_is_not_logged(
    settings: Settings, monkeypatch, caplog, address: str
):
    monkeypatch.setenv("FLUTTER_WEBHOOK", address)
    assert not tell(settings, FAILED)
    assert standing(settings.data) == [FAILED]
    assert "webhook" in caplog.text
    assert "secret-token" not in caplog.text and "passwd" not in caplog.text


def test_where_the_log_cannot_be_written_the_webhook_is_called_all_the_same(
    settings: Settings, monkeypatch
):
    alerts_path(settings.data).mkdir()
    with webhook() as hook:
        monkeypatch.setenv("FLUTTER_WEBHOOK", hook.url)
        tell(settings, FAILED)
    assert len(hook.heard) == 1


def test_another_variable_or_none_can_hold_the_address(tmp_path: Path, monkeypatch):
    with webhook() as hook:
        monkeypatch.setenv("FLUTTER_WEBHOOK", hook.url)
        assert tell(Settings(tmp_path, sections={"alerts": {"webhook_env": "null"}}), FAILED)
    assert hook.heard == []
