"""An id or a version may be called anything; nothing is written or read elsewhere for it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.store import days_stored, read_days
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.states import write_state
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.adapters.version_names import Shelves, find_version
from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.encoders import encoder_kind
from flutter_pipeline.errors import ConfigError, FlutterError, VersionError

NOW = datetime(2025, 3, 1, tzinfo=UTC)
HOSTILE = (
    "../../x", "/etc/passwd", "..", ".", "a/b", "a\\b", "nul\0", "new\nline", "~", "$HOME", "-rf",
    "x" * 250, "con", "ａ／ｂ", "\u202egnp", "é", "e\u0301", "\ufeff", "%2e%2e%2f", "*", "🦉",
)  # fmt: skip
IDS = st.one_of(
    st.sampled_from(HOSTILE),
    # Halves of surrogate pairs are no characters, and cannot be written as UTF-8 at all.
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40),
)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_hostile_ids_go_through_intake_as_they_are(tmp_path: Path):
    data, landed = tmp_path / "in" / "data", tmp_path / "flits.parquet"
    times = pd.Timestamp("2025-01-02", tz="UTC")
    ids = list(HOSTILE)
    frame = pd.DataFrame({"flit_id": ids, "bird_id": ids[::-1], "text": "t", "created_at": times})
    frame.to_parquet(landed)
    before = files_below(tmp_path)
    intake = take_in([landed], data, IntakeConfig(), NOW)
    assert intake.books["flits"].stored == len(HOSTILE)
    assert set(read_days(data, "flits", days_stored(data, "flits"))["flit_id"]) == set(HOSTILE)
    new = files_below(tmp_path) - before
    assert all(path == "in" or path.startswith("in/data") for path in new)


@settings(max_examples=25, deadline=None)
@given(st.lists(IDS, min_size=1, max_size=20, unique=True))
def test_any_ids_come_back_from_tables_and_embeddings(tmp_path_factory, ids: list[str]):
    root = tmp_path_factory.mktemp("ids")
    tables, store = TableStore(root / "in" / "tables"), EmbeddingStore(root / "in" / "embeddings")
    tables.write("feeds", {"all": pd.DataFrame({"bird_id": ids})})
    assert tables.read("feeds")["bird_id"].tolist() == ids
    rows = np.arange(2 * len(ids), dtype=np.float32).reshape(-1, 2)
    store.create("tfidf", "v1", 2, {})
    store.append("tfidf", "v1", [(ids, rows)])
    opened = store.open("tfidf", "v1")
    assert opened.ids.tolist() == ids
    assert opened.vectors(ids).tolist() == rows.tolist()
    assert {path.split("/")[0] for path in files_below(root)} == {"in"}
    assert {path.name for path in root.iterdir()} == {"in"}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A data folder with one version, and a whole version beside the folders of versions."""
    write_state(tmp_path / "models" / "ranker" / "v1", State({}, {}), {})
    write_state(tmp_path / "models" / "x", State({}, {}), {})
    write_state(tmp_path / "x", State({}, {}), {})
    return tmp_path


@pytest.mark.parametrize("name", ["../../x", "../x", "..", ".", "", "v1/../../x", "/", "v1/"])
def test_no_name_of_a_version_leads_elsewhere(name: str, outside: Path):
    absolute = str(outside / "x")
    models = VersionStore(outside / "models")
    for version in (name, absolute):
        with pytest.raises(VersionError, match=r"has no version .*; stored: v1"):
            models.open("ranker", version)
        with pytest.raises(VersionError):
            models.remove("ranker", version)
        with pytest.raises(VersionError):
            ReleaseStore(outside / "releases").find(version)
        with pytest.raises(VersionError):
            ReleaseStore(outside / "releases").open(version)
    assert (outside / "x" / "manifest.json").is_file()
    assert models.open("ranker", "v1").version == "v1"


@pytest.mark.parametrize("name", ["tfidf/../../x", "../x", "tfidf@../x", "/etc/passwd", "nul\0"])
def test_no_name_of_embeddings_leads_elsewhere(name: str, outside: Path):
    shelves = Shelves(
        EmbeddingStore(outside / "embeddings"),
        VersionStore(outside / "models"),
        ReleaseStore(outside / "releases"),
    )
    with pytest.raises(FlutterError):
        find_version(name, shelves)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "tfidf/../bert", ""])
def test_an_encoder_is_one_of_those_there_are(name: str):
    with pytest.raises(ConfigError):
        encoder_kind(name)
