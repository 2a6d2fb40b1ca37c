"""Files of which not one row was taken are told of, each once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flutter_pipeline.adapters import file_alerts
from flutter_pipeline.adapters.alerts import alerts
from flutter_pipeline.adapters.file_alerts import tell_refused_files
from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.settings import Settings

# Files that this test writes have settled an hour from now.
NOW = datetime.now(UTC) + timedelta(hours=1)
GOOD = "flit_id,bird_id,text,created_at\nf1,b1,hello,2026-05-01T08:00:00Z\n"
TOO_LARGE = {"intake": {"limits": {"file_bytes": 100}}}


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


def _told(settings: Settings) -> list[tuple[str, str]]:
    tell_refused_files(settings, NOW)
    return [(one.kind, one.text) for one in alerts(settings.data)]


def test_a_file_that_is_not_opened_is_told_once_and_so_is_that_it_went_away(landing: Path):
    settings = Settings(landing.parent, sections=TOO_LARGE)
    (landing / "too large.csv").write_text(GOOD * 10, encoding="utf-8")
    (landing / "small.csv").write_text(GOOD, encoding="utf-8")
    [(kind, text)] = _told(settings)
    assert kind == "refused" and text.startswith("too large.csv is not taken in: ")
    assert len(_told(settings)) == 1
    (landing / "too large.csv").unlink()
    [_, (kind, recovery)] = _told(settings)
    assert kind == "recovered" and recovery.endswith(f"UTC: {text}")
    assert len(_told(settings)) == 2


def test_a_file_that_fits_no_table_is_told_once_with_the_reason(landing: Path):
    settings = Settings(landing.parent)
    (landing / "strange.csv").write_text("colour,size\nred,1\n", encoding="utf-8")
    (landing / "good.csv").write_text(GOOD, encoding="utf-8")
    land(settings, NOW)
    [(kind, text)] = _told(settings)
    assert kind == "refused" and text.startswith("no row of strange.csv was taken in: ")
    assert "flits" in text, "the reason says what was expected"
    assert len(_told(settings)) == 1


def test_a_file_that_was_read_in_vain_recovers_once_it_is_removed_or_written_again(landing: Path):
    settings = Settings(landing.parent)
    (landing / "strange.csv").write_text("colour,size\nred,1\n", encoding="utf-8")
    land(settings, NOW)
    assert [kind for kind, _ in _told(settings)] == ["refused"]
    (landing / "strange.csv").write_text(GOOD, encoding="utf-8")
    assert [kind for kind, _ in _told(settings)] == ["refused", "recovered"]


def test_one_good_row_is_enough_for_silence(landing: Path):
    settings = Settings(landing.parent)
    (landing / "half.csv").write_text(GOOD + "f2,b1,never,no time\n", encoding="utf-8")
    land(settings, NOW)
    assert _told(settings) == []


def test_a_folder_full_of_broken_files_is_told_bit_by_bit(landing: Path, monkeypatch):
    monkeypatch.setattr(file_alerts, "AT_ONCE", 2)
    settings = Settings(landing.parent, sections=TOO_LARGE)
    for number in range(3):
        (landing / f"{number}.csv").write_text(GOOD * 10, encoding="utf-8")
    assert [len(_told(settings)) for _ in range(3)] == [2, 3, 3]
