from datetime import UTC, datetime
from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing import ledger as module
from flutter_pipeline.adapters.landing.ledger import (
    Books,
    TakenFile,
    TakenTable,
    entry_path,
    ledger,
)
from flutter_pipeline.adapters.store.files import write_json
from flutter_pipeline.errors import ContractError


def write_entry(data: Path, name: str, sha256: str, landed: int = 1) -> Path:
    books = Books(landed=landed, stored=landed)
    entry = TakenFile(
        name=name,
        sha256=sha256,
        bytes=10,
        mapping="",
        cadence="daily",
        taken_at=datetime(2026, 1, 1, tzinfo=UTC),
        tables={"flits": TakenTable(books=books)},
    )
    path = entry_path(data, entry.stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, entry.model_dump(mode="json"))
    return path


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the files that were read since."""
    names: list[str] = []
    read_json = module.read_json

    def noting(path: Path):
        names.append(path.name)
        return read_json(path)

    monkeypatch.setattr(module, "read_json", noting)
    return names


def test_an_entry_is_read_once_and_a_new_one_alone(tmp_path, read: list[str]):
    for name in ("a", "b"):
        write_entry(tmp_path, f"{name}.csv", name)
    assert [entry.name for entry in ledger(tmp_path)] == ["a.csv", "b.csv"]
    assert read == ["a.json", "b.json"]
    write_entry(tmp_path, "c.csv", "c")
    assert [entry.name for entry in ledger(tmp_path)] == ["a.csv", "b.csv", "c.csv"]
    assert read == ["a.json", "b.json", "c.json"]


def test_an_entry_that_was_written_anew_is_read_anew(tmp_path):
    write_entry(tmp_path, "a.csv", "a", landed=1)
    ledger(tmp_path)
    write_entry(tmp_path, "a.csv", "a", landed=2)
    [entry] = ledger(tmp_path)
    assert entry.tables["flits"].books.landed == 2


def test_an_entry_that_is_gone_is_no_longer_told_of(tmp_path):
    path = write_entry(tmp_path, "a.csv", "a")
    assert len(ledger(tmp_path)) == 1
    path.unlink()
    assert ledger(tmp_path) == []


def test_an_entry_that_is_damaged_later_is_noticed(tmp_path):
    path = write_entry(tmp_path, "a.csv", "a")
    ledger(tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ContractError, match="not a ledger entry, or damaged"):
        ledger(tmp_path)
