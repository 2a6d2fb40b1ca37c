"""What MLflow's pages show at first."""

import json

from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.adapters.tracking_views import (
    ENCODERS,
    MADE_TAG,
    NOTE_TAG,
    VIEW_TAG,
    experiment_tags,
    views,
)


def test_a_view_is_kept_as_mlflow_keeps_those_that_are_saved_by_hand():
    kept = json.loads(experiment_tags(5)[f"{VIEW_TAG}{ENCODERS}"])
    assert kept["name"] == "Which encoder wins, and at what cost"
    state = json.loads(kept["state"])
    assert state["searchFilter"] == "tags.kind = 'encoder'"
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`ndcg_at_5`", False)
    assert state["columnOrder"] == state["selectedColumns"]
    assert state["selectedColumns"][:2] == ["tags.`as_of`", "metrics.`ndcg_at_5`"]


def test_the_description_names_every_view():
    note = experiment_tags(10)[NOTE_TAG]
    assert all(view.name in note for view in views(10).values())


def test_views_are_saved_once_so_that_what_somebody_changes_stays(tmp_path):
    address = f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts", "flutter"
    Tracking(*address).prepare()
    # An experiment of before there were views gets them.
    tracking = Tracking(*address, tags={MADE_TAG: "1", "view": "ours"})
    assert tags(tracking)["view"] == "ours"
    tracking.client.set_experiment_tag(tracking.experiment_id, "view", "theirs")
    assert tags(Tracking(*address, tags={MADE_TAG: "1", "view": "ours"}))["view"] == "theirs"
    assert tags(Tracking(*address, tags={MADE_TAG: "2", "view": "new"}))["view"] == "new"


def tags(tracking: Tracking) -> dict[str, str]:
    return tracking.client.get_experiment(tracking.experiment_id).tags
