"""What a user can put right is told in one line on stderr, and leaves everything as it was."""

import json
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline_tests.conftest import SMALL, Call, TinyFlutter, files_of, flutter

FLITS = "flit_id,bird_id,text,created_at\nf1,b1,owls hoot,2026-01-01T00:00:00Z\n"
OTHERS = ("run.lock", "run.lock.guard", "intake/hashes.json")
"""Locks, and a cache."""


def state_of(data: Path) -> dict[str, tuple[int, int]]:
    """Every file of a data folder that says something."""
    return {name: file for name, file in files_of(data).items() if name not in OTHERS}


def refused(call: Call, data: Path, *arguments: str | Path) -> str:
    """The one line by which a command is refused, with exit code 1 and all state as it was."""
    before = state_of(data)
    answer = call(data, *arguments)
    assert answer.code == 1, answer
    [line] = answer.err.splitlines()
    assert line.startswith("flutter-pipeline: ")
    assert answer.out == ""
    assert state_of(data) == before
    return line.removeprefix("flutter-pipeline: ")


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_missing_file(call: Call, tmp_path: Path):
    told = refused(call, tmp_path, "ingest", tmp_path / "nowhere.csv")
    assert f"there is no file {tmp_path / 'nowhere.csv'}; check the path" in told


@pytest.mark.parametrize("name", ["flits.xlsx", "flits"])
def test_a_file_of_an_unknown_kind(call: Call, tmp_path: Path, name: str):
    file = written(tmp_path / name, FLITS)
    told = refused(call, tmp_path / "data", "ingest", file)
    assert name in told and "parquet" in told.lower()
    assert not (tmp_path / "data").exists()


def test_a_file_that_cannot_be_read(call: Call, tmp_path: Path):
    file = written(tmp_path / "flits.parquet", b"PAR1 this is no Parquet")
    assert "flits.parquet" in refused(call, tmp_path / "data", "ingest", file)


def test_a_data_folder_that_cannot_be_made(call: Call, tmp_path: Path):
    said = refused(call, Path("/proc/flutter"), "run", "--sample")
    assert "/proc/flutter cannot be used" in said and "--data" in said


def test_a_folder_where_a_file_belongs(call: Call, tmp_path: Path):
    assert str(tmp_path) in refused(call, tmp_path / "data", "ingest", tmp_path)


def test_wrong_columns(call: Call, tmp_path: Path):
    file = written(tmp_path / "flits.csv", "id,words\n1,owl\n")
    told = refused(call, tmp_path / "data", "ingest", file)
    assert "found id, words" in told and "flit_id" in told and "mapping.toml" in told


def test_a_column_that_is_lacking(call: Call, tmp_path: Path):
    file = written(tmp_path / "flits.csv", "flit_id,text\nf1,owl\n")
    told = refused(call, tmp_path / "data", "ingest", file)
    assert "need the column 'bird_id'" in told and "rename one, or map it" in told


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (
            '[[table]]\ntable = "engagements"\n[[table.actions]]\naction = "adore"',
            ["adore", "'like'"],
        ),
        ('[[table]]\ntable = "flits"\ncolumns = {text = "words"}', ["'words'", "found flit_id"]),
        ('[[table]]\ntable = "posts"', ["posts", "flits"]),
        ("[[table]\n", ["not TOML"]),
        ("colums = 1\n", ["colums", "expected one of table"]),
    ],
)
def test_a_mapping_that_cannot_be_used(call: Call, tmp_path: Path, mapping: str, told: list[str]):
    file = written(tmp_path / "flits.csv", FLITS)
    rules = written(tmp_path / "rules.toml", mapping)
    line = refused(call, tmp_path / "data", "ingest", file, "--mapping", rules)
    assert all(part in line for part in told), line


def test_a_mapping_that_is_not_there(call: Call, tmp_path: Path):
    file = written(tmp_path / "flits.csv", FLITS)
    line = refused(call, tmp_path / "data", "ingest", file, "--mapping", tmp_path / "none.toml")
    assert "none.toml" in line and "no such mapping" in line


@pytest.mark.parametrize(
    "command", [["feed", "b1"], ["similar", "owls"], ["evaluate"], ["versions"]]
)
def test_looking_before_the_first_run(call: Call, tmp_path: Path, command: list[str]):
    line = refused(call, tmp_path, *command)
    assert str(tmp_path) in line and "run" in line


LOOKING = (
    *(["feed", "b1"], ["similar", "owls"], ["evaluate"], ["evaluate", "--against", "blend"]),
    *(["versions"], ["versions", "list"], ["versions", "show"], ["drift"], ["verify"]),
    *(["verify", "--repair"], ["status"], ["status", "--json"], ["backfill", "2026-05-01"]),
)


@pytest.mark.parametrize(
    "command", [*LOOKING, ["tidy"], ["versions", "rollback"], ["report"], ["run"]], ids=" ".join
)
def test_a_mistyped_data_folder_is_told_and_not_made(
    call: Call, tmp_path: Path, command: list[str]
):
    line = refused(call, tmp_path / "dta", *command)
    assert f"there is no data folder {tmp_path / 'dta'}; check --data" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
def test_looking_where_nothing_has_run_makes_nothing(
    call: Call, tmp_path: Path, command: list[str]
):
    call(tmp_path, *command)
    assert list(tmp_path.iterdir()) == []


def test_running_where_nothing_has_landed(call: Call, tmp_path: Path):
    answer = call(tmp_path, "run")
    assert answer.code == 1
    [line] = answer.err.splitlines()
    assert "nothing has landed" in line and "run --sample" in line
    assert not (tmp_path / "tables").exists() and not (tmp_path / "models").exists()


@pytest.mark.parametrize("place", ["data", "data/below"])
def test_a_data_folder_that_is_a_file(call: Call, tmp_path: Path, place: str):
    (tmp_path / "data").touch()
    for command in (["versions"], ["run"], ["feed", "b1"]):
        answer = call(tmp_path / place, *command)
        assert answer.code == 1
        [line] = answer.err.splitlines()
        assert f"{tmp_path / 'data'} is a file" in line


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("cadence = 'weekly'", "'daily' or 'hourly'"),
        ("[encodres]", "no section 'encodres'"),
        ("use_encoders = ['word2vec']", "tfidf, cbow, bert"),
        ("cadence = ", "not valid TOML"),
    ],
)
def test_settings_that_cannot_be_used(call: Call, tmp_path: Path, toml: str, told: str):
    written(tmp_path / "flutter.toml", toml)
    line = refused(call, tmp_path, "versions")
    assert told in line and str(tmp_path / "flutter.toml") in line


@pytest.mark.parametrize(
    "toml",
    [
        "[ranker]\nkind = 'oracle'",
        "[ranker]\nkind = ['logistic']",
        "[ranker.logistic]\nc = -1",
        "[ranker]\nsort = 'logistic'",
        "[backtest]\nk = 0",
        "[candidates]\nkeep = 'all'",
        "[encoders.cbow]\ndims = 3",
        "[intake]\nsettle_seconds = -1",
        "[feeds.rules]\nmax_per_author = 0",
    ],
)
def test_a_setting_that_does_not_fit_stops_a_run_before_anything_is_done(
    call: Call, tmp_path: Path, toml: str
):
    written(tmp_path / "flutter.toml", f"{toml}\n")
    (tmp_path / "landing").mkdir()
    written(tmp_path / "landing" / "flits.csv", FLITS)
    line = refused(call, tmp_path, "run")
    assert toml.split("\n")[1].split(" = ", maxsplit=1)[0] in line or "oracle" in line
    assert str(tmp_path / "flutter.toml") in line or "oracle" in line


def test_a_bird_that_does_not_exist(flutter_with_bert: TinyFlutter, call: Call):
    line = refused(call, flutter_with_bert.data, "feed", "nobody")
    assert "no feed for bird 'nobody'" in line and "60 feeds, such as those of bird_00" in line


def test_an_encoder_that_is_none(flutter_with_bert: TinyFlutter, call: Call):
    line = refused(call, flutter_with_bert.data, "similar", "owls", "--encoder", "word2vec")
    assert "the encoder 'word2vec' is none; trained here: tfidf, cbow, bert; `use_enc" in line


def test_an_encoder_that_is_not_trained_here(flutter_without_bert: TinyFlutter, call: Call):
    line = refused(call, flutter_without_bert.data, "similar", "owls", "--encoder", "bert")
    assert "the encoder 'bert' is not trained; trained here: tfidf" in line


def test_a_text_that_the_encoder_knows_nothing_of(flutter_with_bert: TinyFlutter, call: Call):
    line = refused(call, flutter_with_bert.data, "similar", "qxzzy", "--encoder", "tfidf")
    assert "tfidf knows nothing of the text 'qxzzy'" in line and "another encoder" in line


def test_a_hub_model_that_is_not_on_disk(copied: TinyFlutter):
    encoders = json.dumps(["tfidf", "bert"])
    toml = f'use_encoders = {encoders}\n{SMALL}[encoders.bert]\nmodel = "nobody/nothing"\n'
    (copied.data / "flutter.toml").write_text(toml)
    feeds, models = copied.read("ranked_candidates"), VersionStore(copied.data / "models")
    serving = {name: models.current_version(name) for name in ("tfidf_model", "ranker")}
    answer = flutter(copied.data, "run", "--again")
    assert answer.code == 1
    # What a progress bar wrote is gone from a terminal.
    [line] = [line for line in answer.err.replace("\r", "\n").splitlines() if line.strip()]
    assert line.startswith("flutter-pipeline: ") and "nobody/nothing" in line
    assert "Traceback" not in answer.out
    pd.testing.assert_frame_equal(copied.read("ranked_candidates"), feeds)
    assert {name: models.current_version(name) for name in serving} == serving


@pytest.mark.parametrize(
    "wrong",
    [
        ["run", "--fast"],
        ["fly"],
        ["feed"],
        ["feed", "b1", "--size", "0"],
        ["feed", "b1", "--size", "many"],
        ["simulate"],
        ["ingest"],
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(call: Call, tmp_path: Path, wrong: list[str]):
    answer = call(tmp_path, *wrong)
    assert answer.code == 2
    assert "Usage: " in answer.err and "Error" in answer.err and "Traceback" not in answer.err
    assert list(tmp_path.iterdir()) == []


def test_a_real_process_shows_no_traceback_either(tmp_path: Path):
    answer = flutter(tmp_path, "feed", "b1")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
