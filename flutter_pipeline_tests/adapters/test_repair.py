"""Damage to what landed is named, and comes back to the byte: from a copy, or the landed file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.ledger import ledger_folder
from flutter_pipeline.adapters.repair import repair
from flutter_pipeline.adapters.verify import verify
from flutter_pipeline.settings import Settings

FLITS = "flit_id,bird_id,text,created_at\n"
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Three files, the last of which came late, so that what it gives depends on the others."""
    settings = Settings(tmp_path)
    settings.landing.mkdir()
    for number, day in enumerate(("02", "03", "01")):
        path = settings.landing / f"{number}.csv"
        path.write_text(f"{FLITS}f{number},b1,hello,2026-01-{day}T10:00:00Z\nbroken\n")
        take_in([path], tmp_path, config_of(settings), NOW)
    return settings


def contents(settings: Settings) -> dict[Path, bytes]:
    folders = [settings.data / name for name in ("intake", "quarantine")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in paths if path.name != "hashes.json"}


def mended(settings: Settings, path: Path, content: bytes) -> list[str]:
    before = contents(settings)
    path.write_bytes(content)
    verified = verify(settings.data)
    assert {one.file for one in verified.damage} == {path}
    told = [one.done for one in repair(settings, verified)]
    assert contents(settings) == before and not verify(settings.data).damage
    return told


def test_an_entry_of_the_ledger_comes_back_from_its_copy(settings: Settings):
    path = sorted(ledger_folder(settings.data).glob("*.json"))[0]
    told = mended(settings, path, path.read_bytes().replace(b'"stored": 1', b'"stored": 2'))
    assert told == ["copied back from the copy that is kept of each entry"]


@pytest.mark.parametrize("place", ["intake/flits/*/*.parquet", "quarantine/*.parquet"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_rows_come_back_from_the_landed_file_as_they_were_when_it_came(
    settings: Settings, place: str, number: int
):
    path = sorted(settings.data.glob(place))[number]
    told = mended(settings, path, path.read_bytes()[:-20])
    assert told[0].startswith("made again from ") and told[0].endswith(".csv, to the byte")


def test_an_entry_that_is_gone_is_missed(settings: Settings):
    path = sorted(ledger_folder(settings.data).glob("*.json"))[0]
    content = path.read_bytes()
    path.unlink()
    verified = verify(settings.data)
    assert [one.found for one in verified.damage] == [f"{path} is gone"]
    repair(settings, verified)
    assert path.read_bytes() == content
