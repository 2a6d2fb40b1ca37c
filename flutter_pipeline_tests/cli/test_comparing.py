import json
from pathlib import Path

import pytest
from matplotlib.image import imread

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline_tests.conftest import Call, TinyFlutter, files_of


def compared(call: Call, data: Path, *arguments: str | Path) -> dict:
    answer = call(data, "versions", "compare", *arguments, "--json")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out)


def test_what_serves_of_two_encoders_as_json(flutter_with_bert: TinyFlutter, call: Call):
    data = flutter_with_bert.data
    said = compared(call, data, "tfidf", "bert", "--size", "3")
    serving = VersionStore(data / "models").current_version
    assert said["first"]["version"] == serving("tfidf_model")
    assert said["second"]["version"] == serving("bert_model")
    assert said["shared_flits"] == 400 == said["compared_flits"] + said["silent_flits"]
    overlap, _, _, divergence = said["figures"]
    assert overlap["unrelated"] < overlap["found"] < overlap["identical"] == 1
    assert divergence["unrelated"] is None
    assert said["slices"][0]["slice"] == "all"
    assert {row["by"] for row in said["slices"]} == {
        *("all", "language", "age", "length", "author", "copies")
    }
    assert len(said["moved"]) == 3
    texts = flutter_with_bert.read("raw_flits").set_index("flit_id")["text"]
    for row in said["moved"]:
        assert row["text"] == texts[row["flit_id"]]
        assert row["text_second"] == texts[row["nearest_second"]]


def test_a_version_beside_itself_has_not_changed(flutter_with_bert: TinyFlutter, call: Call):
    version = VersionStore(flutter_with_bert.data / "models").current_version("cbow_model")
    said = compared(call, flutter_with_bert.data, "cbow@champion", f"cbow/{str(version)[:6]}")
    assert said["first"] == said["second"]
    overlap, cka, residual, divergence = (row["found"] for row in said["figures"])
    assert (overlap, cka, residual) == (1, pytest.approx(1), pytest.approx(0, abs=1e-6))
    assert divergence == pytest.approx(said["figures"][3]["identical"], abs=1e-3)


def test_tables_fit_a_terminal_and_a_picture_is_drawn(
    flutter_with_bert: TinyFlutter, call: Call, monkeypatch, tmp_path: Path
):
    monkeypatch.setenv("COLUMNS", "120")
    picture = tmp_path / "moved.png"
    before = files_of(flutter_with_bert.data / "embeddings")
    arguments = ("versions", "compare", "cbow", "bert", "--picture", picture)
    answer = call(flutter_with_bert.data, *arguments)
    lines = answer.out.splitlines()
    assert answer.code == 0 and max(map(len, lines)) <= 120
    for part in ("linear CKA", "language", "Flits that moved most", "400 are in both"):
        assert part in answer.out
    assert imread(picture).shape[1] > 600
    assert files_of(flutter_with_bert.data / "embeddings") == before


def test_versions_are_listed_as_ever(flutter_with_bert: TinyFlutter, call: Call):
    listed = call(flutter_with_bert.data, "versions")
    assert listed.code == 0 and "tfidf_model" in listed.out and "champion" in listed.out


@pytest.mark.parametrize("wrong", ["word2vec", "cbow@previous", "bert/zzz"])
def test_a_version_that_is_not_there_is_one_line_with_what_there_is(
    flutter_with_bert: TinyFlutter, call: Call, wrong: str
):
    answer = call(flutter_with_bert.data, "versions", "compare", wrong, "cbow")
    assert (answer.code, answer.out) == (1, "")
    [line] = answer.err.splitlines()
    stored = EmbeddingStore(flutter_with_bert.data / "embeddings").versions("bert")
    assert f"no version with embeddings is called '{wrong}'" in line
    assert f"bert/{stored[-1]} (serves)" in line


def test_a_picture_that_cannot_be_written_is_refused_before_any_work(
    flutter_with_bert: TinyFlutter, call: Call, tmp_path: Path
):
    nowhere = tmp_path / "none" / "moved.png"
    arguments = ("versions", "compare", "cbow", "bert", "--picture", nowhere)
    answer = call(flutter_with_bert.data, *arguments)
    assert answer.code == 1 and f"there is no folder {nowhere.parent}" in answer.err


def test_comparing_before_the_first_run(call: Call, tmp_path: Path):
    answer = call(tmp_path, "versions", "compare", "cbow", "bert")
    assert answer.code == 1 and "run the pipeline first" in answer.err
    assert call(tmp_path, "versions", "compare", "cbow").code == 2
