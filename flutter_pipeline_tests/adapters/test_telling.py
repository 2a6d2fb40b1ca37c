"""What is said to MLflow: the same names for the same things, whatever the week."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import BaseModel

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.telling import (
    as_sections,
    costs_named,
    encoders_measured,
    flat,
    headline_of,
    lessons_data,
    network_data,
    table_data,
)
from flutter_pipeline.contracts.results import OFFLINE_EVALUATION, SOURCE_WEIGHTS
from flutter_pipeline.contracts.state import State
from flutter_pipeline.contracts.tables import CLEANED_TOKENS

NOTHING = State({}, {})


def figure(method: str, mean: float, metric: str = "ndcg", by: str = "all", slice_: str = "all"):
    named = {"by": by, "slice": slice_, "method": method, "metric": metric, "k": 5}
    return {**named, "mean": mean, "low": mean - 0.125, "high": mean + 0.125, "birds": 40}


EVALUATION = pd.DataFrame(
    [
        figure("interest_cbow", 0.5),
        figure("interest_cbow", 0.75, "hit_rate"),
        figure("interest_cbow", 0.25, by="tenure", slice_="new"),
        figure("interest_cbow", 0.25, by="geo", slice_="AU"),
        figure("interest_tfidf", 0.375),
        figure("popularity", 0.25),
        figure("blend", 0.5),
        figure("ranked", 0.625),
        figure("ranked", 0.875, "hit_rate"),
    ]
)
COMPARISON = pd.DataFrame(
    {
        "encoder": ["tfidf", "cbow"],
        "version": ["111111112222", "333333334444"],
        "dim": [128, 100],
        "flits": [1024, 1024],
        "size_mb": [0.5, 0.25],
        "train_seconds": [0.12345678, 1.5],
        "flits_per_second": [200_000.0, 123_456.0],
        "recall_at_10": [1.0, 1.0],
        "ndcg": [0.375, 0.5],
        "overlap": [float("nan"), 0.9],
    }
)


def model(name: str, **facts) -> Stored:
    return Stored(f"{name}_model", "v", NOTHING, {"encoder": name, **facts})


def measured():
    config = {"dim": 100, "fine_tune": {"on": False}}
    models = {
        "tfidf": model("tfidf", config={"dim": 128}, training_flits=900, training_data="ab" * 32),
        "cbow": model("cbow", config=config, training_flits=0, training_data=""),
    }
    return {
        one.params["encoder"]: one
        for one in encoders_measured(COMPARISON, EVALUATION, models, "2026-01-31")
    }


def test_each_encoder_is_a_run_that_says_what_it_is_worth_and_what_it_costs():
    one = measured()["cbow"]
    assert (one.name, one.model, one.version) == (
        "cbow 2026-01-31 33333333",
        "cbow_model",
        "333333334444",
    )
    assert one.tags == {"kind": "encoder", "encoder": "cbow"}
    # A quarter of a MiB over 1024 flits: 256 bytes each.
    assert one.metrics == pytest.approx(
        {
            "ndcg_at_5": 0.5,
            "ndcg_at_5_low": 0.375,
            "ndcg_at_5_high": 0.625,
            "birds": 40,
            "hit_rate_at_5": 0.75,
            "ndcg_at_5/new": 0.25,
            "behind_best": 0.0,
            "train_seconds": 1.5,
            "flits_a_second": 123_500.0,
            "bytes_a_vector": 256.0,
            "dims": 100,
            "flits": 1024,
            "index_recall_at_10": 1.0,
            "neighbours_kept": 0.9,
        }
    )
    assert measured()["tfidf"].metrics["behind_best"] == 0.125


def test_figures_have_four_digits_so_that_a_page_can_show_them():
    assert measured()["tfidf"].metrics["train_seconds"] == 0.1235


def test_what_all_encoders_have_comes_before_their_settings():
    tfidf, cbow = (measured()[name].params for name in ("tfidf", "cbow"))
    shared = sorted(set(tfidf) & set(cbow))
    assert shared[:3] == ["data_digest", "encoder", "flits"]
    assert all(name > "flits" for name in {*tfidf, *cbow} - {*shared[:3]})
    assert cbow["settings.fine_tune.on"] is False and tfidf["settings.dim"] == 128
    assert (tfidf["flits"], cbow["flits"]) == (900, "none: it comes trained")


def test_encoders_of_which_nothing_was_measured_still_say_what_they_cost():
    costs = COMPARISON.assign(ndcg=float("nan"))
    [one, _] = encoders_measured(
        costs, OFFLINE_EVALUATION.empty(), {name: model(name) for name in ("tfidf", "cbow")}, ""
    )
    assert one.name == "tfidf 11111111" and one.metrics["dims"] == 128
    assert not [name for name in one.metrics if name.startswith("ndcg")]


def test_the_headline_is_of_what_ranks():
    found = headline_of(EVALUATION)
    assert (found["ndcg_at_5"], found["hit_rate_at_5"]) == (0.625, 0.875)
    assert found["above_popularity"] == 0.375
    without = headline_of(EVALUATION[EVALUATION["method"] != "ranked"])
    assert without["ndcg_at_5"] == 0.5
    assert headline_of(OFFLINE_EVALUATION.empty()) == {}


def test_variants_have_the_names_that_the_encoders_of_a_run_have():
    row = {"method": "cbow", "ndcg": 0.5, "low": 0.4, "dim": 3, "flits_per_second": 7, "p": 0.1}
    assert costs_named(row, 10) == {
        "method": "cbow",
        "ndcg_at_10": 0.5,
        "ndcg_at_10_low": 0.4,
        "dims": 3,
        "flits_a_second": 7,
        "p": 0.1,
    }


def test_a_table_is_told_by_its_checksums_and_differs_where_its_rows_do(tmp_path: Path):
    tables = TableStore(tmp_path)
    weights = pd.DataFrame({"source": ["a", "b"], "weight": [0.25, 0.75]})
    tables.write("source_weights", {"whole": weights})
    told = table_data(tables, SOURCE_WEIGHTS, "evaluation")
    assert (told.name, told.context) == ("source_weights", "evaluation")
    assert told.columns == {"source": "string", "weight": "double"}
    assert told.profile == {"num_rows": 2, "parts": 1}
    tables.write("source_weights", {"whole": weights})
    assert table_data(tables, SOURCE_WEIGHTS).digest == told.digest
    tables.write("source_weights", {"whole": weights.assign(weight=0.5)})
    assert table_data(tables, SOURCE_WEIGHTS).digest != told.digest


def test_a_model_says_what_it_learnt_from_unless_it_comes_trained():
    [told] = lessons_data(model("cbow", training_data="ab" * 32, training_flits=7), CLEANED_TOKENS)
    assert (told.digest, told.profile) == ("ab" * 16, {"num_rows": 7})
    assert told.columns["created_at"] == "datetime"
    assert lessons_data(model("bert", training_data=""), CLEANED_TOKENS) == []


def test_the_network_is_told_by_its_version():
    network = Stored("network", "n1", NOTHING, {"flits": 5, "birds": 2, "as_of": 1})
    told = network_data(network)
    assert (told.digest, told.profile) == ("n1", {"flits": 5, "birds": 2})


def test_charts_have_a_section_for_each_method():
    found = as_sections({"ranked.ndcg": 1.0, "importance.group.taste": 2.0, "birds": 3.0})
    assert found == {"ranked/ndcg": 1.0, "importance/group.taste": 2.0, "birds": 3.0}


class Inner(BaseModel):
    on: bool = True


class Outer(BaseModel):
    dim: int = 2
    inner: Inner = Inner()


def test_a_config_within_a_config_is_told_by_both_names():
    assert flat(Outer()) == {"dim": 2, "inner.on": True}
