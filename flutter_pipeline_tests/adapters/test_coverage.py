from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.coverage import NOTE, bring_up_to_date, uncovered
from flutter_pipeline.adapters.encoding import Known, train_version
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.embeddings.tfidf import TfidfConfig

TABLE = "cleaned_tokens"
DAYS = {
    "monday": [("f1", "owl hoots"), ("f2", "owl flies")],
    "tuesday": [("f3", "crow flies"), ("f4", "crow caws loud")],
    "wednesday": [("f5", "owl caws")],
}


def rows(flits: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(flits, columns=["flit_id", "tokens"])


@pytest.fixture
def tables(tmp_path) -> TableStore:
    store = TableStore(tmp_path / "tables")
    store.write(TABLE, {day: rows(DAYS[day]) for day in ("monday", "tuesday")})
    return store


@pytest.fixture
def model(tmp_path) -> Stored:
    known = Known(rows([flit for day in DAYS.values() for flit in day]))
    config = TfidfConfig(dim=2, min_flits=1, max_share=1.0)
    return train_version(ENCODERS["tfidf"], config, known, VersionStore(tmp_path / "models")).stored


@pytest.fixture
def store(tmp_path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "embeddings")


@pytest.fixture
def embeddings(model: Stored, tables: TableStore, store: EmbeddingStore) -> Embeddings:
    """Of Monday and Tuesday."""
    return bring_up_to_date(model, (tables, TABLE), store).embeddings


def test_what_was_looked_through_is_not_looked_through_again(
    tables: TableStore, embeddings: Embeddings
):
    assert len(embeddings) == 4
    assert uncovered(tables.parts(TABLE), embeddings) == []


def test_only_the_new_day_is_looked_through(
    model: Stored, tables: TableStore, store: EmbeddingStore, embeddings: Embeddings
):
    tables.write(TABLE, {"wednesday": rows(DAYS["wednesday"])})
    assert uncovered(tables.parts(TABLE), embeddings) == ["wednesday"]
    new = bring_up_to_date(model, (tables, TABLE), store)
    assert (new.encoded.encoded, new.lacking) == (1, 0)
    assert uncovered(tables.parts(TABLE), new.embeddings) == []


def test_a_day_that_was_written_anew_is_looked_through_again(
    tables: TableStore, embeddings: Embeddings
):
    tables.write(TABLE, {"monday": rows([*DAYS["monday"], ("late", "owl hoots loud")])})
    assert uncovered(tables.parts(TABLE), embeddings) == ["monday"]


def test_days_that_come_one_by_one_give_the_vectors_of_all_at_once(
    model: Stored, tables: TableStore, store: EmbeddingStore, embeddings: Embeddings, tmp_path: Path
):
    tables.write(TABLE, {"wednesday": rows(DAYS["wednesday"])})
    by_day = bring_up_to_date(model, (tables, TABLE), store).embeddings
    anew = bring_up_to_date(model, (tables, TABLE), EmbeddingStore(tmp_path / "anew")).embeddings
    ids = ["f1", "f2", "f3", "f4", "f5"]
    assert np.array_equal(by_day.vectors(ids), anew.vectors(ids))
    assert by_day.has(ids).all()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"of": 1}', '{"of": "x", "parts": ["y"]}'])
def test_a_damaged_note_is_not_believed(tables: TableStore, embeddings: Embeddings, content: str):
    (embeddings.folder / NOTE).write_text(content)
    assert uncovered(tables.parts(TABLE), embeddings) == ["monday", "tuesday"]


def test_a_note_that_was_deleted_costs_a_look_and_encodes_nothing_twice(
    model: Stored, tables: TableStore, store: EmbeddingStore, embeddings: Embeddings
):
    (embeddings.folder / NOTE).unlink()
    new = bring_up_to_date(model, (tables, TABLE), store)
    assert (new.encoded.encoded, len(new.embeddings)) == (0, 4)
    assert (embeddings.folder / NOTE).is_file()


def test_a_note_counts_only_for_the_vectors_that_it_was_made_with(
    tables: TableStore, store: EmbeddingStore, embeddings: Embeddings
):
    vector = np.array([[1, 0]], dtype=np.float32)
    store.append("tfidf", embeddings.version, [(["elsewhere"], vector)])
    changed = store.open("tfidf", embeddings.version)
    assert uncovered(tables.parts(TABLE), changed) == ["monday", "tuesday"]


def test_a_part_without_a_checksum_is_always_looked_through(
    tables: TableStore, embeddings: Embeddings
):
    old = {key: part.__class__(part.file, part.rows) for key, part in tables.parts(TABLE).items()}
    assert uncovered(old, embeddings) == ["monday", "tuesday"]
