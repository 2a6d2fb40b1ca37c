"""The command that measures retrieval on public sets: what it prints, and what it refuses."""

import json
import os
from pathlib import Path

import pytest

from flutter_pipeline.adapters.retrieval.sets import SETS
from flutter_pipeline_tests.adapters.retrieval.test_contest import small_set
from flutter_pipeline_tests.conftest import Call

DATA = os.environ.get("FLUTTER_BENCHMARK_DATA")


@pytest.fixture
def small(monkeypatch) -> None:
    """In place of Gowalla, the small made-up set."""
    monkeypatch.setitem(SETS, "gowalla", lambda folder, bars: small_set())


def asked(folder: Path, *more: str) -> list[str | Path]:
    return [folder / "data", "benchmark", "retrieval", "--data", folder, *more]


def test_one_command_prints_methods_beside_what_was_published(call: Call, small, tmp_path):
    said = call(*asked(tmp_path, "--set", "gowalla", "--no-track"))
    assert said.code == 0
    for words in (
        "* NESCL",
        "own kind",
        "blend",
        "learnt order",
        "Recall@20",
        "blend less own kind",
    ):
        assert words in said.out
    assert "MB at the peak" in said.out


def test_the_figures_come_as_json_too(call: Call, small, tmp_path):
    said = call(*asked(tmp_path, "--set", "gowalla", "--no-track", "--json"))
    found = json.loads(said.out)
    rows = {row["method"]: row for row in found["measured"]}
    assert rows["blend"]["birds"] == 59 and 0 <= rows["blend"]["ndcg"] <= 1
    assert rows["own kind"]["ndcg_low"] <= rows["own kind"]["ndcg"] <= rows["own kind"]["ndcg_high"]
    assert found["published"][0]["method"] == "ItemCF"


def test_the_test_is_left_alone_where_that_is_asked_for(call: Call, small, tmp_path):
    said = call(*asked(tmp_path, "--set", "gowalla", "--no-track", "--validation-only"))
    assert said.code == 0 and "the test is left alone" in said.out
    assert "learnt order less" not in said.out


@pytest.mark.parametrize("name", ["beauty", "gowalla", "birdwatch"])
def test_a_folder_without_the_set_is_one_clear_line(call: Call, tmp_path, name: str):
    said = call(*asked(tmp_path, "--set", name, "--no-track"))
    assert said.code == 1 and "there is no" in said.err and "Traceback" not in said.err


def test_birdwatch_has_no_validation(call: Call, tmp_path):
    said = call(*asked(tmp_path, "--set", "birdwatch", "--validation-only"))
    assert said.code == 1 and "leave out --validation-only" in said.err


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLUTTER_BENCHMARK_DATA names no folder of data")
def test_on_birdwatch_the_blend_is_above_popularity(call: Call, tmp_path):
    said = call(
        tmp_path,
        *("benchmark", "retrieval", "--data", str(DATA)),
        *("--set", "birdwatch", "--no-track", "--json"),
    )
    rows = {row["method"]: row for row in json.loads(said.out)["measured"]}
    assert rows["blend"]["ndcg_low"] > rows["popularity"]["ndcg_high"]
