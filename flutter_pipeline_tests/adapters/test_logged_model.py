"""Versions as models of MLflow: asked in a process that knows nothing but where MLflow is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters import handing
from flutter_pipeline.adapters.encoding import Known, encoder_of, train_version
from flutter_pipeline.adapters.letter import KeptDataset
from flutter_pipeline.adapters.mlflow_loader import _load_pyfunc
from flutter_pipeline.adapters.model_form import encoder_form, ranker_form
from flutter_pipeline.adapters.registry import sync, told
from flutter_pipeline.adapters.stage_run import About, Measured, StageRun
from flutter_pipeline.adapters.store.files import dump_json
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.adapters.tracking import MODEL_TAG, Tracking, tracking_of
from flutter_pipeline.embeddings.encoders import encoder_kind
from flutter_pipeline.embeddings.tfidf import TfidfConfig
from flutter_pipeline.errors import VersionError
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline.settings import Settings, read_settings
from flutter_pipeline.text.cleaned import TextConfig

TEXTS = ["learning to fly", "learning to sing", "fly to the sea", "sing to the sea"]
ASK = """
import json, sys
import mlflow
vectors = mlflow.pyfunc.load_model("models:/tfidf_model@champion").predict(["Learning to FLY!"])
ranker = mlflow.pyfunc.load_model("models:/ranker@champion")
scores = ranker.predict(ranker.input_example)
print(json.dumps({"vectors": vectors.tolist(), "scores": scores.tolist()}))
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """A data folder with an encoder and a ranker that MLflow was told of."""
    settings = read_settings({"FLUTTER_DATA": str(tmp_path_factory.mktemp("data"))})
    tracking_of(settings).prepare()
    encoder, ranker = encoder_in(settings), Stored("ranker", "r1", *blend())
    tell(settings, encoder, About("Words.", {"flits": 4}, encoder_form(encoder, TextConfig())))
    example = pd.DataFrame({"fused": [0.0, 0.5]})
    tell(settings, ranker, About("Order.", {}, ranker_form(ranker, example)))
    return settings


def blend():
    return BlendRanker().state(), {"ranker": "blend"}


def encoder_in(settings: Settings) -> Stored:
    flits = pd.DataFrame({"flit_id": list("abcd"), "tokens": TEXTS, "text_clean": TEXTS})
    config = TfidfConfig(dim=2, max_share=1.0)
    store = VersionStore(settings.data / "models")
    return train_version(encoder_kind("tfidf"), config, Known(flits), store).stored


def tell(settings: Settings, stored: Stored, about: About) -> StageRun:
    tags = {"as_of": "2026-01-31"}
    with told(tracking_of(settings), settings.data, stored.name, tags, "d1") as run:
        run.log({"dim": 2}, {"loss": 0.5})
        run.log_data(KeptDataset(name="cleaned_tokens", digest="d0", source="tables/x"))
        run.register(stored, VersionStore(settings.data / "models").keep(stored), about)
        run.point({stored.name: {"champion": stored.version}})
    return run


def data_of(tracking: Tracking, run_id: str) -> list[tuple[str, str]]:
    used = tracking.client.get_run(run_id).inputs
    assert used is not None
    return [(one.dataset.name, one.dataset.digest) for one in used.dataset_inputs]


def test_the_models_that_serve_load_and_predict_in_a_clean_process(settings: Settings):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "MLFLOW_TRACKING_URI": settings.mlflow_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        check=False,
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    # Texts are cleaned as flits are, so shouting makes no difference.
    expected = encoder_of(encoder_in(settings)).encode(["learning to fly"])
    np.testing.assert_allclose(answer["vectors"], expected, atol=1e-6)
    assert np.linalg.norm(answer["vectors"][0]) == pytest.approx(1, abs=1e-5)
    scores = BlendRanker().score(pd.DataFrame({"fused": [0.0, 0.5]}))
    np.testing.assert_allclose(answer["scores"], scores)


def test_a_version_says_what_it_was_made_from_and_is_linked_to_its_run(settings: Settings):
    tracking = tracking_of(settings)
    [version] = tracking.versions("tfidf_model")
    [run] = [one for one in tracking.runs() if one.run_id == version.run_id]
    assert (version.tags["as_of"], version.tags["flits"]) == ("2026-01-31", "4")
    kept = tracking.client.get_model_version("tfidf_model", "1")
    assert kept.description == "- as_of: `2026-01-31`\n- flits: `4`"
    assert tracking.client.get_registered_model("tfidf_model").description == "Words."
    model = tracking.client.get_logged_model(version.tags[MODEL_TAG])
    assert (model.source_run_id, model.model_type, model.name) == (
        run.run_id,
        "encoder",
        "tfidf_model",
    )
    assert data_of(tracking, run.run_id) == [("cleaned_tokens", "d0")]


def test_nothing_in_a_model_is_pickled(settings: Settings):
    kept = [path for path in (settings.data / "mlflow").rglob("*") if path.is_file()]
    assert any(path.name == "MLmodel" for path in kept)
    assert not [path for path in kept if path.suffix in (".pkl", ".pickle", ".joblib")]


def test_parts_are_runs_of_their_own_whose_figures_are_their_models_too(settings: Settings):
    tracking = tracking_of(settings)
    [version] = tracking.versions("tfidf_model")
    with told(tracking, settings.data, "comparison", {"as_of": "2026-01-31"}, "d1") as run:
        run.tag(release="r7")
        named = {"model": "tfidf_model", "version": version.tags["version"]}
        run.log_part(Measured("tfidf", {"dim": 2}, {"ndcg_at_10": 0.5}, {"kind": "x"}, **named))
        run.log_part(Measured("oracle", {}, {"ndcg_at_10": 0.75, "none": None}))
    runs = {one.name: tracking.client.get_run(one.run_id) for one in tracking.runs()}
    one, other, whole = (runs[name] for name in ("tfidf", "oracle", "comparison"))
    assert {part.data.tags[handing.PART_OF] for part in (one, other)} == {whole.info.run_id}
    assert (one.data.params, one.data.metrics) == ({"dim": "2"}, {"ndcg_at_10": 0.5})
    assert (one.data.tags["release"], one.data.tags["as_of"]) == ("r7", "2026-01-31")
    assert other.data.metrics == {"ndcg_at_10": 0.75}
    model = tracking.client.get_logged_model(version.tags[MODEL_TAG])
    assert [(one.key, one.value) for one in model.metrics or ()] == [("ndcg_at_10", 0.5)]


def test_what_is_told_twice_is_there_once(settings: Settings):
    tracking, encoder = tracking_of(settings), encoder_in(settings)
    made = encoder_form(encoder, TextConfig())
    run = tell(settings, Stored("again", "v1", encoder.state, encoder.facts), About(form=made))
    with told(tracking, settings.data, "whole", {}, "d1") as parent:
        parent.log_part(Measured("part", {"a": 1}, {"x": 1.0}, model="again", version="v1"))
    for one in (run, parent):
        run.outbox.put(one.finished(failed=False))
        handing.Handing(tracking, run.outbox, one.finished(failed=False), float("inf")).hand_over()
    assert [one.number for one in tracking.versions("again")] == [1]
    found = tracking.client.search_logged_models([tracking.experiment_id], "name = 'again'")
    assert len(found) == 1
    assert [(one.key, one.value) for one in found[0].metrics or ()] == [("x", 1.0)]
    names = sorted(one.name for one in tracking.runs())
    assert [names.count(name) for name in ("again", "whole", "part")] == [1, 1, 1]
    [told_once] = [one for one in tracking.runs() if one.name == "again"]
    assert data_of(tracking, told_once.run_id) == [("cleaned_tokens", "d0")]


def test_a_model_that_was_cut_off_is_made_whole_the_next_time(settings: Settings, monkeypatch):
    tracking, encoder = tracking_of(settings), encoder_in(settings)
    about = About(form=encoder_form(encoder, TextConfig()))
    with monkeypatch.context() as patched:
        patched.setattr("mlflow.MlflowClient.finalize_logged_model", refuse)
        run = tell(settings, Stored("cut", "v1", encoder.state, encoder.facts), about)
    assert "no answer" in run.undelivered and tracking.versions("cut") == []
    assert sync(settings).left == 0
    [version] = tracking.versions("cut")
    [model] = tracking.client.search_logged_models([tracking.experiment_id], "name = 'cut'")
    assert (model.model_id, model.status) == (version.tags[MODEL_TAG], "READY")
    outputs = tracking.client.get_run(version.run_id).outputs
    assert outputs is not None
    assert [one.model_id for one in outputs.model_outputs] == [model.model_id]


def refuse(*args, **kwargs):
    raise OSError("no answer")


def test_what_mlflow_cannot_ask_is_kept_as_mere_files(settings: Settings):
    encoder = encoder_in(settings)
    form = encoder_form(encoder, TextConfig()).model_copy(update={"inputs": ({"type": "song"},)})
    run = tell(settings, Stored("odd", "v1", encoder.state, encoder.facts), About(form=form))
    assert run.undelivered == ""
    [version] = tracking_of(settings).versions("odd")
    assert version.source == f"runs:/{version.run_id}/odd" and MODEL_TAG not in version.tags


def test_a_ranker_that_read_no_row_can_be_tried_all_the_same():
    stored = Stored("ranker", "r", *blend())
    assert ranker_form(stored, pd.DataFrame(columns=["fused"])).example == {"fused": [0.0]}


def test_a_model_of_a_kind_that_is_not_known_is_refused(tmp_path: Path):
    stored = encoder_in_a_store(tmp_path)
    dump_json(tmp_path / "reading.json", {"kind": "song", "name": stored.name, "version": "v"})
    with pytest.raises(VersionError, match=r"holds a 'song'; .* encoders and rankers"):
        _load_pyfunc(str(tmp_path))


def encoder_in_a_store(folder: Path) -> Stored:
    store = VersionStore(folder)
    stored = Stored("state", "v", BlendRanker().state(), {"ranker": "blend"})
    store.keep(stored).rename(folder / "moved")
    (folder / "state").rmdir()
    (folder / "moved").rename(folder / "state")
    return stored
