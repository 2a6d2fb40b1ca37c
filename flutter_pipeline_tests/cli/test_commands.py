import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.cli.app import app
from flutter_pipeline.filtering.because import REASONS
from flutter_pipeline_tests.conftest import COMMAND, PROJECT, Call, TinyFlutter, succeed

COMMANDS = (
    *("run", "ingest", "feed", "similar", "evaluate", "benchmark", "versions"),
    *("simulate", "ui", "clean", "status", "backfill", "tidy", "drift", "report", "verify"),
)


def told(call: Call, data: Path, *arguments: str | Path) -> Any:
    """What a command says as JSON, and that it says nothing else."""
    answer = call(data, *arguments, "--json")
    assert (answer.code, answer.err) == (0, "")
    return json.loads(answer.out)


def test_a_feed_as_json(flutter_with_bert: TinyFlutter, call: Call):
    rows = told(call, flutter_with_bert.data, "feed", "bird_07", "--size", "3")
    feeds = flutter_with_bert.read("ranked_candidates")
    mine = feeds[feeds["bird_id"] == "bird_07"].sort_values("rank").head(3)
    assert [row["flit_id"] for row in rows] == list(mine["flit_id"])
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {*mine.columns, "text"}
    assert all(row["text"] for row in rows)


def test_the_nearest_flits_as_json(flutter_with_bert: TinyFlutter, call: Call):
    flits = flutter_with_bert.read("raw_flits").set_index("flit_id")["text"]
    text = max(flits, key=len)
    rows = told(call, flutter_with_bert.data, "similar", text, "--encoder", "tfidf", "--size", "4")
    assert len(rows) == 4 and rows[0]["text"] == text
    assert rows[0]["cosine"] == pytest.approx(1, abs=1e-4)
    cosines = [row["cosine"] for row in rows]
    assert cosines == sorted(cosines, reverse=True)


def test_figures_as_json(flutter_with_bert: TinyFlutter, call: Call):
    said = told(call, flutter_with_bert.data, "evaluate")
    assert set(said) == {"offline_evaluation", "embedding_comparison"}
    figures = {(row["by"], row["method"], row["metric"]) for row in said["offline_evaluation"]}
    assert ("all", "ranked", "ndcg") in figures
    assert [row["encoder"] for row in said["embedding_comparison"]] == ["tfidf", "cbow", "bert"]


def test_versions_as_json(flutter_with_bert: TinyFlutter, call: Call):
    said = told(call, flutter_with_bert.data, "versions")
    rows, [release] = said["versions"], said["releases"]
    assert release["aliases"] == ["champion"] and release["reason"] == "the first release"
    assert set(release["encoders"]) == {"tfidf", "cbow", "bert"}
    assert [row["model"] for row in rows] == ["tfidf_model", "cbow_model", "bert_model", "ranker"]
    assert {row["alias"] for row in rows} == {"champion"}
    assert [row["flits"] for row in rows] == [400, 400, 400, None]


def test_the_first_release_is_said_to_be_compared_with_nothing(
    flutter_with_bert: TinyFlutter, call: Call
):
    answer = call(flutter_with_bert.data, "versions")
    assert answer.code == 0 and "first, not compared" in answer.out


def test_books_as_json(tmp_path: Path, call: Call):
    file = tmp_path / "flits.csv"
    file.write_text(
        "flit_id,bird_id,text,created_at\n"
        "f1,b1,owls hoot,2026-01-01T00:00:00Z\n"
        "f1,b1,owls hoot,2026-01-01T00:00:00Z\n"
        "f2,b1,crows caw,long ago\n"
    )
    [row] = told(call, tmp_path / "data", "ingest", file)
    assert row == {
        "file": "flits.csv",
        "table": "flits",
        "landed": 3,
        "stored": 1,
        "duplicates": 1,
        "quarantined": 1,
    }


@pytest.mark.parametrize("command", [["feed", "bird_07"], ["evaluate"], ["versions"]])
def test_tables_fit_a_terminal(
    flutter_with_bert: TinyFlutter, call: Call, monkeypatch, command: list[str]
):
    monkeypatch.setenv("COLUMNS", "120")
    answer = call(flutter_with_bert.data, *command)
    lines = answer.out.splitlines()
    assert answer.code == 0 and len(lines) > 4 and max(map(len, lines)) <= 120


SCREEN = 45
"""Lines of a terminal that is not small."""


def test_a_run_says_what_it_does_and_where_to_look(flutter_with_bert: TinyFlutter):
    printed = flutter_with_bert.printed
    for stage in ("raw", "text", "embeddings", "training", "promotion", "ranking", "all"):
        assert any(line.startswith(stage) for line in printed.splitlines())
    assert len(printed.splitlines()) <= SCREEN
    assert "Backtest" in printed and "oracle" in printed
    assert "60 feeds are in" in printed and "feed bird_" in printed


def test_every_command_helps():
    group: Any = typer.main.get_command(app)
    assert set(group.commands) == set(COMMANDS)
    for name, command in group.commands.items():
        assert command.help, name
        for option in command.params:
            assert option.name == "help" or getattr(option, "help", None), (name, option.name)


def test_help_is_quick_and_loads_no_heavy_library():
    code = (
        "import sys; from flutter_pipeline.cli.app import app; app(['--help'], "
        "standalone_mode=False); "
        "heavy = {'torch', 'transformers', 'mlflow', 'dagster', 'sklearn', 'pandas'}; "
        "print(*heavy & set(sys.modules), file=sys.stderr, end='')"
    )
    ended = subprocess.run(
        [COMMAND[0], "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(name in ended.stdout for name in COMMANDS)


def test_a_second_run_on_one_data_folder_waits_and_says_so(copied: TinyFlutter):
    with run_lock(copied.data, "another run", 0, print):
        second = subprocess.Popen(
            [*COMMAND, "--data", str(copied.data), "run"],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert second.stdout is not None
        told = second.stdout.readline()
        assert f"waiting for run another run (process {os.getpid()})" in told
        assert second.poll() is None
    rest = second.stdout.read()
    assert second.wait(120) == 0 and "Nothing new has landed" in rest


def test_what_was_made_is_removed_and_what_was_given_stays(copied: TinyFlutter, call: Call):
    (copied.data / "landing").mkdir(exist_ok=True)
    (copied.data / "landing" / "mine.csv").touch()
    assert call(copied.data, "clean", "--yes").code == 0
    left = {path.name for path in copied.data.iterdir()}
    assert left - {"run.lock", "run.lock.guard"} == {"landing", "flutter.toml", "simulated"}
    assert "nothing to remove" in call(copied.data, "clean", "--yes").out


def test_flits_alone_give_feeds_without_a_backtest(tmp_path: Path, call: Call):
    flits = pd.DataFrame(
        {
            "flit_id": [f"f{n}" for n in range(30)],
            "bird_id": [f"b{n % 5}" for n in range(30)],
            "text": [f"owls and crows talk of tree {n % 7} and river {n % 3}" for n in range(30)],
            "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        }
    )
    flits.to_parquet(tmp_path / "flits.parquet")
    toml = 'use_encoders = ["tfidf"]\n[encoders.tfidf]\ndim = 4\nmax_share = 1.0\n'
    (tmp_path / "flutter.toml").write_text(toml)
    assert call(tmp_path, "ingest", tmp_path / "flits.parquet").code == 0
    assert "too few days or likes" in succeed(tmp_path, "run")
    feeds = TableStore(tmp_path / "tables").read("ranked_candidates")
    # The texts are near-copies, so a feed shows one of them at most.
    told = {REASONS[name] for name in ("fresh", "popular_local", "circle")}
    assert len(feeds) > 0 and set(feeds["because"]) <= told
    assert "too few days or likes" in call(tmp_path, "evaluate").out


def test_a_feed_says_how_much_longer_it_is(flutter_with_bert: TinyFlutter, call: Call):
    shown = call(flutter_with_bert.data, "feed", "bird_07", "--size", "3").out
    feeds = flutter_with_bert.read("ranked_candidates")
    assert f"the first 3 of {(feeds['bird_id'] == 'bird_07').sum()}" in " ".join(shown.split())
