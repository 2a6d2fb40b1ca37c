"""From landed files to measured feeds, as a user would have it: by the command line, on disk."""

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.promotion import models_of
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.adapters.tracking import MODEL_TAG, VERSION_TAG, Tracking
from flutter_pipeline.candidates.propose import CandidateConfig, source_names
from flutter_pipeline.contracts.tables import LIKED, RANKED_CANDIDATES
from flutter_pipeline.defs.resources import tracking_of
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import TinyFlutter, files_of, first_run, succeed

END = pd.Timestamp("2026-01-17", tz="UTC")
"""The simulated network ends with the 16th of January."""

MODELS = ("tfidf_model", "cbow_model", "bert_model", "ranker")
TRACKED = (*MODELS, "offline_evaluation", "champion", "embedding_comparison", "report")


def pairs(frame: pd.DataFrame, bird: str = "bird_id") -> set[tuple[str, str]]:
    return set(zip(frame[bird], frame["flit_id"], strict=True))


@pytest.fixture(scope="module")
def tracking(flutter_with_bert: TinyFlutter) -> Tracking:
    return tracking_of(read_settings({"FLUTTER_DATA": str(flutter_with_bert.data)}))


def test_every_bird_has_a_feed_as_the_contract_says(flutter_with_bert: TinyFlutter):
    feeds = flutter_with_bert.read("ranked_candidates")
    assert list(feeds.columns) == RANKED_CANDIDATES.names
    assert feeds["bird_id"].nunique() == 60
    assert set(feeds["as_of"]) == {END}
    assert feeds["score"].between(0, 1).all()
    for _, feed in feeds.groupby("bird_id"):
        assert feed["rank"].tolist() == list(range(1, len(feed) + 1))
        assert feed["score"].is_monotonic_decreasing


def test_no_feed_shows_what_was_met_written_or_shown_before(flutter_with_bert: TinyFlutter):
    feeds = flutter_with_bert.read("ranked_candidates")
    flits = pd.read_parquet(flutter_with_bert.sources / "flits.parquet")
    engagements = pd.read_parquet(flutter_with_bert.sources / "engagements.parquet")
    shown = pairs(feeds)
    assert len(shown) == len(feeds) > 1000
    assert not shown & pairs(engagements)
    assert not shown & pairs(flits)
    assert {flit for _, flit in shown} <= set(flits["flit_id"])


def test_feeds_say_why_and_by_which_version(flutter_with_bert: TinyFlutter):
    feeds = flutter_with_bert.read("ranked_candidates")
    models = VersionStore(flutter_with_bert.data / "models")
    assert (feeds["because"] != "").all()
    assert set(feeds["encoder"].dropna()) == {"tfidf", "cbow", "bert"}
    for encoder, rows in feeds.groupby("encoder"):
        assert set(rows["embedding_version"]) == {models.current_version(f"{encoder}_model")}
    assert set(feeds["ranker_version"]) == {models.current_version("ranker")}
    assert feeds["sources"].str.contains("interest_bert").any()


def test_every_method_is_measured(flutter_with_bert: TinyFlutter):
    table = flutter_with_bert.read("offline_evaluation")
    ndcg = table[(table["by"] == "all") & (table["metric"] == "ndcg")].set_index("method")["mean"]
    sources = source_names(["tfidf", "cbow", "bert"], CandidateConfig())
    baselines = ("random", "newest", "popularity", "oracle")
    assert set(ndcg.index) == {*baselines, *sources, "blend", "ranked"}
    assert ndcg["ranked"] > ndcg["random"]
    assert set(table[table["by"] == "cadence"]["slice"]) >= {"every 24 h", "every 1 h"}
    # A slice of fewer than twenty birds is none, and this network has sixty.
    assert set(table["by"]) == {"all", "cadence"}


def test_encoders_are_compared(flutter_with_bert: TinyFlutter):
    table = flutter_with_bert.read("embedding_comparison").set_index("encoder")
    assert list(table.index) == ["tfidf", "cbow", "bert"]
    assert (table["flits"] == 400).all() and (table["recall_at_10"] == 1.0).all()
    assert table["ndcg"].notna().all()


def test_each_asset_that_learns_or_measures_has_one_mlflow_run(
    flutter_with_bert: TinyFlutter, tracking: Tracking
):
    runs = [run for run in tracking.runs() if "kind" not in run.tags]
    assert sorted(run.tags["dagster.asset_key"] for run in runs) == sorted(TRACKED)
    assert {run.status for run in runs} == {"FINISHED"}
    [dagster_run] = {run.tags["dagster.run_id"] for run in runs}
    with dg.DagsterInstance.from_config(str(flutter_with_bert.data / "dagster")) as instance:
        assert instance.has_run(dagster_run)
    [cbow] = [run for run in runs if run.name.startswith("cbow_model ")]
    assert cbow.params["dim"] == "100" and cbow.metrics["loss"] > 0
    [measured] = [run for run in runs if run.name.startswith("offline_evaluation ")]
    assert {"ranked/ndcg", "random/ndcg", "oracle/recall"} <= set(measured.metrics)
    assert measured.metrics["ndcg_at_10"] == measured.metrics["ranked/ndcg"]


def test_encoders_stand_side_by_side_in_mlflow(flutter_with_bert: TinyFlutter, tracking: Tracking):
    runs = {run.tags["encoder"]: run for run in tracking.runs("tags.kind = 'encoder'")}
    assert set(runs) == {"tfidf", "cbow", "bert"}
    [names] = {tuple(sorted(run.metrics)) for run in runs.values()}
    cost = {"train_seconds", "flits_a_second", "bytes_a_vector", "dims"}
    assert {"ndcg_at_10", "ndcg_at_10_low", "ndcg_at_10_high", "behind_best", *cost} <= set(names)
    assert min(run.metrics["behind_best"] for run in runs.values()) == 0
    [version] = tracking.versions("cbow_model")
    assert runs["cbow"].params["version"] == version.tags[VERSION_TAG]
    model = tracking.client.get_logged_model(version.tags[MODEL_TAG])
    measured = {one.key: one.value for one in model.metrics or ()}
    assert measured["ndcg_at_10"] == runs["cbow"].metrics["ndcg_at_10"]


@pytest.mark.parametrize("model", [*MODELS, "release"])
def test_what_serves_is_the_champion(
    flutter_with_bert: TinyFlutter, tracking: Tracking, model: str
):
    [registered] = tracking.versions(model)
    assert registered.aliases == ("champion",)
    champion = ReleaseStore(flutter_with_bert.data / "releases").champion()
    assert champion is not None
    parts = {**models_of(champion), "release": champion.id}
    assert registered.tags[VERSION_TAG] == parts[model]


def test_a_second_run_has_nothing_to_do_and_changes_nothing(flutter_with_bert: TinyFlutter):
    data = flutter_with_bert.data
    before = {name: files_of(data / name) for name in ("tables", "models", "embeddings", "intake")}
    printed = succeed(data, "run")
    assert "Nothing new has landed" in printed
    assert before == {name: files_of(data / name) for name in before}


def test_the_same_input_gives_the_same_feeds_bit_for_bit(
    flutter_without_bert: TinyFlutter, tmp_path
):
    first_run(tmp_path, ["tfidf", "cbow"], flutter_without_bert.data)
    again = TinyFlutter(tmp_path, "")
    tables = ("cleaned_tokens", "past_candidates", "source_weights", "candidates")
    for table in (*tables, "ranked_candidates", "offline_evaluation"):
        pd.testing.assert_frame_equal(
            again.read(table), flutter_without_bert.read(table), check_exact=True
        )


def test_a_later_day_opens_that_day_alone_and_moves_the_feeds_on(copied: TinyFlutter):
    tables = TableStore(copied.data / "tables")
    before = {name: tables.parts(name) for name in ("raw_flits", "cleaned_tokens")}
    flits = pd.read_parquet(copied.sources / "flits.parquet").tail(20)
    later = flits.assign(
        flit_id=[f"later{place}" for place in range(20)],
        created_at=END + pd.to_timedelta(np.arange(20), unit="h"),
    )
    later.to_parquet(copied.data / "landing" / "later.parquet")
    succeed(copied.data, "run")
    for name, parts in before.items():
        changed = {day for day, part in tables.parts(name).items() if parts.get(day) != part}
        assert changed == {"2026-01-17"}
    feeds = copied.read("ranked_candidates")
    assert set(feeds["as_of"]) == {END + pd.Timedelta(days=1)}
    assert feeds["flit_id"].str.startswith("later").any()


def test_a_planted_future_changes_no_candidate_of_the_past(copied: TinyFlutter):
    past = copied.read("past_candidates")
    last = pd.Timestamp(past["moment"].max(), unit="us", tz="UTC")
    assert last == END - pd.Timedelta(days=1)
    # A bird that came by anyway likes everything that it was proposed, after the last moment.
    bird = past.loc[past["moment"] == past["moment"].max(), "bird_id"].iloc[0]
    mine = past[(past["bird_id"] == bird) & (past["moment"] == past["moment"].max())]
    planted = pd.DataFrame(
        {
            "bird_id": str(bird),
            "flit_id": mine["flit_id"].astype("str"),
            "action": LIKED[0],
            "occurred_at": last + pd.Timedelta(hours=20),
        }
    )
    planted.to_parquet(copied.data / "landing" / "planted.parquet")
    succeed(copied.data, "run")
    after = copied.read("past_candidates")
    unseen = past.columns.drop("liked")
    pd.testing.assert_frame_equal(after[unseen], past[unseen], check_exact=True)
    # It is there: these candidates are labelled by it, and nothing of it is shown again.
    assert after["liked"].sum() >= past["liked"].sum() + len(mine) // 2
    assert not pairs(copied.read("ranked_candidates")) & pairs(planted)
