from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.comparing import (
    Compared,
    compare_stored,
    compare_with_previous,
    cost_of,
    encoders_alike,
    likeness_figures,
    movement_figures,
    shared_flits,
    with_flits,
    with_likeness,
)
from flutter_pipeline.adapters.encoding import Known, encode_missing, train_version
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.compare.comparison import CompareConfig
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.embeddings.tfidf import TfidfConfig
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.embeddings.compare.spaces import ids, random_space, turned

N = 40
SPACE = random_space(N, 6, seed=0)
CONFIG = CompareConfig(k=3)
TOKENS = pd.DataFrame(
    {
        "flit_id": ids(N).astype(str),
        "bird_id": "b1",
        "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        "n_tokens": 8,
        "lang": ["ja"] * 10 + ["en"] * 30,
        "minhash": [bytes([row]) for row in range(N)],
    }
)


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "embeddings")


def stored(
    store: EmbeddingStore, name: str, vectors: Matrix, rows: slice = slice(None)
) -> Embeddings:
    """``name`` such as cbow/v1, with some of the flits f000 … f039."""
    encoder, version = name.split("/")
    store.create(encoder, version, vectors.shape[1], {})
    store.append(encoder, version, [(ids(N)[rows], vectors[rows])])
    return store.open(encoder, version)


def test_versions_are_compared_on_the_flits_that_both_hold(store: EmbeddingStore):
    # The second lacks the last ten, and has them in another order.
    first = stored(store, "cbow/v1", SPACE)
    second = stored(store, "cbow/v2", turned(SPACE), slice(29, None, -1))
    found = compare_stored(first, second, TOKENS, CONFIG)
    assert (found.shared, found.silent, found.comparison.flits) == (30, 0, 30)
    assert found.comparison.likeness.overlap == 1
    slices = found.comparison.slices.set_index("slice")["flits"]
    assert (slices["all"], slices["ja"], slices["en"]) == (30, 10, 20)


def test_flits_of_which_one_version_knows_nothing_are_left_out(store: EmbeddingStore):
    silent = SPACE.copy()
    silent[:4] = 0
    first, second = stored(store, "cbow/v1", SPACE), stored(store, "cbow/v2", silent)
    found = compare_stored(first, second, TOKENS, CONFIG)
    assert (found.shared, found.silent, found.comparison.flits) == (40, 4, 36)
    assert found.comparison.likeness.residual == pytest.approx(0, abs=1e-6)


def test_versions_without_common_flits_are_refused(store: EmbeddingStore):
    first = stored(store, "cbow/v1", SPACE, slice(0, 20))
    second = stored(store, "cbow/v2", SPACE, slice(20, N))
    with pytest.raises(CorpusError, match="only 0 flits have vectors in both versions"):
        compare_stored(first, second, TOKENS, CONFIG)


def test_the_sample_does_not_depend_on_the_order_of_storing(store: EmbeddingStore):
    forwards = stored(store, "cbow/v1", SPACE)
    backwards = stored(store, "cbow/v2", SPACE, slice(None, None, -1))
    some, shared = shared_flits([forwards], CompareConfig(sample=10))
    same, _ = shared_flits([backwards], CompareConfig(sample=10))
    other, _ = shared_flits([forwards], CompareConfig(sample=10, seed=1))
    assert shared == 40 and len(some) == 10
    assert list(some) == list(same) == sorted(some)
    assert set(some) != set(other)


def test_a_sample_keeps_its_flits_when_new_ones_come(store: EmbeddingStore):
    before = stored(store, "cbow/v1", SPACE, slice(0, 30))
    after = stored(store, "cbow/v2", SPACE)
    some, _ = shared_flits([before], CompareConfig(sample=15))
    later, _ = shared_flits([after], CompareConfig(sample=15))
    # Ten new ones beside thirty: they take about a quarter of the places, and only theirs.
    assert {flit for flit in later if flit < "f030"} <= set(some)
    assert 0 < len(set(later) - set(some)) < 10


def test_what_serves_is_compared_with_what_served_before(store: EmbeddingStore):
    v1, v2 = stored(store, "cbow/v1", SPACE), stored(store, "cbow/v2", turned(SPACE))

    def since(before: str | None, serving: Embeddings) -> Compared | None:
        return compare_with_previous(serving, before, store, TOKENS, CONFIG)

    assert since(None, v1) is None and since("v1", v1) is None
    found = since("v1", v2)
    assert found is not None
    assert (found.first.version, found.second.version) == ("v1", "v2")
    # The embeddings of v3 are gone.
    assert since("v3", v2) is None


def test_a_version_before_with_too_few_common_flits_is_no_failure(store: EmbeddingStore):
    stored(store, "tfidf/v1", SPACE, slice(0, 2))
    serving = stored(store, "tfidf/v2", SPACE)
    assert compare_with_previous(serving, "v1", store, TOKENS, CONFIG) is None


def test_encoders_are_laid_beside_one_another(store: EmbeddingStore):
    serving = [
        stored(store, "tfidf/v1", SPACE),
        stored(store, "cbow/v1", turned(np.pad(SPACE, ((0, 0), (0, 2))))),
        stored(store, "bert/v1", random_space(N, 8, seed=1)),
    ]
    alike = encoders_alike(serving, CONFIG)
    assert alike[["first", "second"]].to_numpy().tolist() == [
        ["tfidf", "cbow"],
        ["tfidf", "bert"],
        ["cbow", "bert"],
    ]
    assert alike["overlap"].iloc[0] == 1 and alike["overlap"].iloc[1] < 0.5
    figures = likeness_figures(alike)
    assert figures["tfidf-cbow.cka"] == pytest.approx(1, abs=1e-6)
    assert set(figures) == {
        f"{pair}.{name}"
        for pair in ("tfidf-cbow", "tfidf-bert", "cbow-bert")
        for name in ("overlap", "cka")
    }


def test_one_encoder_has_nothing_beside_it_and_two_flits_no_geometry(store: EmbeddingStore):
    alone = stored(store, "tfidf/v1", SPACE)
    assert encoders_alike([alone], CONFIG).empty
    assert likeness_figures(encoders_alike([alone], CONFIG)) == {}
    few = stored(store, "cbow/v1", SPACE, slice(0, 2))
    assert encoders_alike([alone, few], CONFIG)["overlap"].isna().all()


def test_only_encoders_with_a_version_before_have_figures_of_it(store: EmbeddingStore):
    first, second = stored(store, "cbow/v1", SPACE), stored(store, "cbow/v2", SPACE)
    found = {"cbow": compare_stored(first, second, TOKENS, CONFIG)}
    table = with_likeness(pd.DataFrame({"encoder": ["tfidf", "cbow"]}), found)
    assert table["previous"].isna().tolist() == [True, False]
    assert table["previous"].iloc[1] == "v1"
    assert np.isnan(table["overlap"].iloc[0]) and table["overlap"].iloc[1] == 1
    assert movement_figures(found)["cbow.movement.language.ja"] == pytest.approx(0, abs=1e-6)
    assert "cbow.movement.all" in movement_figures(found)


def test_flits_that_moved_are_told_in_words():
    moved = pd.DataFrame(
        {
            "flit_id": ["f1"],
            "movement": [0.5],
            "nearest_first": ["f2"],
            "nearest_second": ["gone"],
        }
    )
    texts = pd.DataFrame({"flit_id": ["f1", "f2"], "text": ["owls hoot", "crows caw"]})
    [row] = with_flits(moved, texts).to_dict("records")
    assert (row["text"], row["text_first"]) == ("owls hoot", "crows caw")
    assert pd.isna(row["text_second"])


def test_an_encoders_cost_is_told_beside_its_recall(store: EmbeddingStore, tmp_path: Path):
    flits = pd.DataFrame(
        {
            "flit_id": ["f1", "f2", "f3", "f4"],
            "tokens": ["owl hoots", "owl flies", "crow flies", "crow caws loud"],
        }
    )
    models = VersionStore(tmp_path / "models")
    config = TfidfConfig(dim=2, min_flits=1, max_share=1.0)
    version = train_version(ENCODERS["tfidf"], config, Known(flits), models).stored
    encode_missing(version, flits, store)
    index = Stored("tfidf_index", "i1", State({}), {"recall_at_10": 1.0})
    row = cost_of(models, store.open("tfidf", version.version), index, flits)
    told = {name: row[name] for name in ("encoder", "version", "dim", "flits", "recall_at_10")}
    assert told == {
        "encoder": "tfidf",
        "version": version.version,
        "dim": 2,
        "flits": 4,
        "recall_at_10": 1.0,
    }
    assert row["flits_per_second"] > 0 and row["size_mb"] > 0 and row["train_seconds"] > 0
