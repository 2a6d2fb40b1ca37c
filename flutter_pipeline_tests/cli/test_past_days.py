import json
from pathlib import Path

import pytest

from flutter_pipeline_tests.conftest import Call, TinyFlutter


def test_every_method_is_compared_with_the_one_that_was_named(
    flutter_without_bert: TinyFlutter, call: Call
):
    answer = call(flutter_without_bert.data, "evaluate", "--against", "blend", "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = {row["method"]: row for row in json.loads(answer.out)}
    assert {"ranked", "taste", "random", "oracle"} <= set(rows) and "blend" not in rows
    for row in rows.values():
        assert row["low"] <= row["difference"] <= row["high"]
        assert 0 < row["randomisation_p"] <= row["holm_p"] <= 1
    table = flutter_without_bert.read("offline_evaluation")
    table = table[(table["by"] == "all") & (table["metric"] == "ndcg")].set_index("method")["mean"]
    for method, row in rows.items():
        assert row["difference"] == pytest.approx(table[method] - table["blend"], abs=1e-6)


def test_the_comparison_fits_a_terminal(
    flutter_without_bert: TinyFlutter, call: Call, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "120")
    answer = call(flutter_without_bert.data, "evaluate", "--against", "popularity")
    lines = answer.out.splitlines()
    assert answer.code == 0 and len(lines) > 4 and max(map(len, lines)) <= 120
    assert "NDCG@10 less that of popularity" in answer.out


def test_an_unknown_method_is_told_which_there_are(flutter_without_bert: TinyFlutter, call: Call):
    answer = call(flutter_without_bert.data, "evaluate", "--against", "magic")
    assert answer.code == 1
    assert "no method is called 'magic'; there is" in answer.err and "blend" in answer.err


def test_without_a_run_there_is_nothing_to_compare(tmp_path: Path, call: Call):
    answer = call(tmp_path, "evaluate", "--against", "blend")
    assert answer.code == 1 and "there are no feeds" in answer.err
