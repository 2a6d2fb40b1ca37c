"""What MLflow's pages show at first: an experiment's description, and views saved there by name.

A view is a filter, an order and some columns; the menu *Views* of the runs' page lists them. Their
form is what MLflow 3.17 keeps in an experiment's tags; a page that knows another form shows its
usual columns. Nothing is told here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

VIEW_TAG = "mlflow.sharedViewState."
NOTE_TAG = "mlflow.note.content"
MADE_TAG = "flutter.views"
MADE = "1"
"""Raised when the views change: then those of an experiment that is there already do, too."""
WRITTEN = 1_767_225_600_000
"""When a view was saved, milliseconds since 1970; MLflow asks for it, and nobody for its value."""
KNOWN_SOURCES = ("interest_cbow", "interest_bert", "interest_tfidf", "taste", "factors")
RUN_NAME = "attributes.`Run Name`"
NAME_WIDTH, WIDTH = 300, 120
"""Of columns, in dots: a run's name is shown whole, and so is a figure."""
ENCODERS, RELEASES, FEATURES = "encoders", "releases", "features"


@dataclass(frozen=True)
class View:
    """One view of the runs."""

    name: str
    """What the menu calls it: the question that it answers."""
    where: str
    """A filter in MLflow's language."""
    order: str
    """The column whose largest comes first."""
    columns: Sequence[str]
    """Kind and name of each, such as ``metrics.loss``."""


def views(k: int) -> dict[str, View]:
    """By key the views of an experiment whose figures are ``at_<k>``."""
    ndcg = f"metrics.ndcg_at_{k}"
    interval = (ndcg, f"{ndcg}_low", f"{ndcg}_high")
    cost = ("train_seconds", "flits_a_second", "bytes_a_vector", "dims")
    gained = ("ranked_ndcg", "blend_ndcg", "calibration_error")
    groups = (*("blend", "flit", "author", "bird", "affinity"), *KNOWN_SOURCES)
    return {
        ENCODERS: View(
            "Which encoder wins, and at what cost",
            "tags.kind = 'encoder'",
            ndcg,
            ("tags.as_of", *interval, "metrics.behind_best", *(f"metrics.{one}" for one in cost)),
        ),
        RELEASES: View(
            "What changed from release to release",
            "tags.`dagster.asset_key` = 'offline_evaluation'",
            "attributes.start_time",
            (
                *("tags.as_of", "tags.release", *interval),
                *("metrics.above_popularity", f"metrics.hit_rate_at_{k}", "metrics.birds"),
                *("params.network_version", "params.ranker_version"),
            ),
        ),
        FEATURES: View(
            "Which features matter",
            "tags.`dagster.asset_key` = 'ranker'",
            "attributes.start_time",
            (
                *("tags.as_of", *(f"metrics.held_out/{one}" for one in gained)),
                *(f"metrics.importance/group.{one}" for one in groups),
            ),
        ),
    }


def experiment_tags(k: int) -> dict[str, str]:
    """Tags that give an experiment its description and its views."""
    found = views(k)
    links = "\n".join(f"- {one.name}: menu *Views*, top right" for one in found.values())
    return {
        NOTE_TAG: "A run for each asset that trains or measures, in each run of the pipeline, and "
        f"one for each encoder, `<encoder> <as_of> <version>`, with its worth and cost.\n{links}",
        MADE_TAG: MADE,
        **{f"{VIEW_TAG}{key}": _saved(one) for key, one in found.items()},
    }


def _saved(view: View) -> str:
    columns = [_quoted(column) for column in view.columns]
    state = {
        "searchFilter": view.where,
        "orderByKey": _quoted(view.order),
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {RUN_NAME: NAME_WIDTH, **dict.fromkeys(columns, WIDTH)},
    }
    envelope: Mapping[str, object] = {
        "name": view.name,
        "createdAt": WRITTEN,
        "updatedAt": WRITTEN,
        "state": json.dumps(state),
    }
    return json.dumps(envelope)


def _quoted(column: str) -> str:
    """A column as MLflow's pages call it: ``metrics.`loss```."""
    kind, name = column.split(".", 1)
    return f"{kind}.`{name}`" if kind != "attributes" else f"{kind}.{name}"
