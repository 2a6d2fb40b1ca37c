import dagster as dg
import pytest

from flutter_pipeline.contracts.results import EMBEDDING_COMPARISON
from flutter_pipeline.defs.resources import tracking_of
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import TinyFlutter


@pytest.fixture(scope="module")
def page(flutter_with_bert: TinyFlutter) -> dict[str, str]:
    """What the asset's page shows after a first run."""
    home = str(flutter_with_bert.data / "dagster")
    with dg.DagsterInstance.from_config(home) as instance:
        key = dg.AssetKey("embedding_comparison")
        event = instance.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    return {name: str(one.value) for name, one in event.asset_materialization.metadata.items()}


def test_the_page_shows_a_picture_and_how_alike_the_encoders_are(page: dict[str, str]):
    assert page["picture"].startswith("![The encoders beside one another](data:image/png;base64,")
    rows = page["encoders_alike"].splitlines()[2:]
    pairs = [tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows]
    assert pairs == [("tfidf", "cbow"), ("tfidf", "bert"), ("cbow", "bert")]


def test_where_nothing_served_before_the_page_says_so(page: dict[str, str]):
    for encoder in ("tfidf", "cbow", "bert"):
        assert page[f"{encoder}_since_before"] == "No version of it has served before."


def test_the_table_has_no_figures_of_a_version_that_is_not_there(flutter_with_bert: TinyFlutter):
    table = flutter_with_bert.read("embedding_comparison")
    assert list(table.columns) == EMBEDDING_COMPARISON.names
    assert table[["previous", "overlap", "cka", "residual", "divergence"]].isna().all(axis=None)


def test_the_run_keeps_figures_and_picture(flutter_with_bert: TinyFlutter):
    tracking = tracking_of(read_settings({"FLUTTER_DATA": str(flutter_with_bert.data)}))
    [run] = [run for run in tracking.runs() if run.name.startswith("embedding_comparison ")]
    assert 0 < run.metrics["tfidf-bert/overlap"] < 1
    assert 0 < run.metrics["cbow-bert/cka"] < 1
    artifacts = flutter_with_bert.data / "mlflow" / "artifacts"
    [picture] = artifacts.glob(f"{run.run_id}/**/*.png")
    assert picture.name == "embedding_comparison.png"
