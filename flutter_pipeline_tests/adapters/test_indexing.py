from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.indexing import Wanted, index_version
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.embeddings.encoder import unit_rows
from flutter_pipeline.index.build import load_index
from flutter_pipeline.index.config import IndexConfig

FLITS = 900
IDS = np.array([f"flit-{i}" for i in range(FLITS)], dtype=object)
IVF = IndexConfig(kind="ivf", most_changed=0.5)
FLAT = IndexConfig(kind="flat")


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory):
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((30, 16))
    vectors = middles[rng.integers(30, size=FLITS)] + 0.4 * rng.standard_normal((FLITS, 16))
    store = EmbeddingStore(tmp_path_factory.mktemp("embeddings"))
    for version in ("v1", "v2"):
        store.create("bert", version, 16, {})
        store.append("bert", version, [(list(IDS), unit_rows(vectors))])
    return store


def days(
    folder: Path, embeddings: EmbeddingStore, config: IndexConfig, *pools: range
) -> list[Stored]:
    """What each day's run publishes."""
    models, made = VersionStore(folder), []
    for pool in pools:
        wanted = Wanted("bert_index", IDS[pool], embeddings.open("bert", "v1"))
        made.append(index_version(wanted, config, models))
        models.publish(made[-1])
    return made


def test_a_day_adds_what_is_new_and_takes_out_what_has_left(tmp_path, embeddings):
    first, second = days(tmp_path, embeddings, IVF, range(600), range(100, 700))
    assert first.facts["built_anew"] == "there is none to go on from"
    assert second.facts["built_anew"] == ""
    assert (second.facts["added"], second.facts["taken_out"]) == (100, 100)
    assert set(load_index(second.state).ids) == set(IDS[100:700])
    assert second.facts["recall_at_10"] > 0.95
    assert second.version != first.version


def test_an_index_is_built_anew_once_half_of_it_has_changed(tmp_path, embeddings):
    made = days(tmp_path, embeddings, IVF, range(600), range(140, 740), range(160, 760))
    # 140 came and 140 left: 280 of at most 300; a day later it would have been 320.
    assert [stored.facts["built_anew"] for stored in made[1:]] == [
        "",
        "160 flits were added and 160 taken out since it was built of 600; allowed are 300",
    ]
    assert (made[2].facts["added"], made[2].facts["taken_out"]) == (0, 0)


def test_the_same_run_twice_gives_the_version_that_is_there(tmp_path, embeddings):
    first, second, third = days(
        tmp_path, embeddings, IVF, range(600), range(99, 650), range(99, 650)
    )
    assert first.version != second.version
    assert second.version == third.version
    assert third.facts == second.facts


def test_the_same_sequence_of_runs_gives_the_same_versions(tmp_path, embeddings):
    pools = (range(600), range(50, 650), range(100, 700))
    one, other = (days(tmp_path / name, embeddings, IVF, *pools) for name in ("one", "other"))
    assert [stored.version for stored in one] == [stored.version for stored in other]
    for name, array in one[-1].state.arrays.items():
        assert (array == other[-1].state.arrays[name]).all()


def test_an_exact_index_does_not_depend_on_the_days_before(tmp_path, embeddings):
    _, slowly = days(tmp_path / "slowly", embeddings, FLAT, range(600), range(100, 700))
    [at_once] = days(tmp_path / "at_once", embeddings, FLAT, range(100, 700))
    assert slowly.version == at_once.version
    assert load_index(slowly.state).ids.tolist() == IDS[100:700].tolist()


@pytest.mark.parametrize("config", [IVF.model_copy(update={"goal": 0.9}), FLAT])
def test_another_config_goes_on_from_nothing(tmp_path, embeddings, config):
    days(tmp_path, embeddings, IVF, range(600))
    [second] = days(tmp_path, embeddings, config, range(100, 700))
    assert second.facts["built_anew"] == "there is none to go on from"


def test_another_version_of_the_embeddings_goes_on_from_nothing(tmp_path, embeddings):
    days(tmp_path, embeddings, IVF, range(600))
    wanted = Wanted("bert_index", IDS[:600], embeddings.open("bert", "v2"))
    made = index_version(wanted, IVF, VersionStore(tmp_path))
    assert made.facts["built_anew"] == "there is none to go on from"
    assert made.facts["embedding_version"] == "v2"


def test_other_flits_of_the_same_number_make_another_version(tmp_path, embeddings):
    [one] = days(tmp_path / "one", embeddings, FLAT, range(600))
    [other] = days(tmp_path / "other", embeddings, FLAT, range(1, 601))
    assert one.version != other.version


def test_the_facts_say_what_was_chosen_and_why(tmp_path, embeddings):
    [made] = days(tmp_path, embeddings, IndexConfig(), range(600))
    assert made.facts["kind"] == "flat"
    assert made.facts["why"] == "flat: 600 flits, and up to 50,000 all are looked at"
    assert made.facts["recall_at_10"] == 1.0
    assert made.facts["recall_short_of_goal"] == 0.0
    assert made.facts["flits"] == 600
    # 600 x 16 x 4 bytes of vectors are 0.037 MiB; ids and places take the rest.
    assert 0.037 < made.facts["size_mb"] < 0.06
