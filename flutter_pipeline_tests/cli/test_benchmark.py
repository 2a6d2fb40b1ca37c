"""The table that answers which encoder is worth its cost, on made-up data and on the real one."""

import gzip
import json
import os
from pathlib import Path

import pytest

from flutter_pipeline.adapters.encoder_benchmark import (
    BenchmarkConfig,
    measure_variant,
    read_benchmark,
)
from flutter_pipeline.adapters.tracking import Tracking
from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.variants import VARIANTS
from flutter_pipeline.text.cleaned import TextConfig
from flutter_pipeline_tests.conftest import Call, TinyFlutter

DATA = os.environ.get("FLUTTER_BENCHMARK_DATA")
GLAD, SAD = "what a lovely sunny day", "such a gloomy rainy night"
GLADLY, SADLY = "how the garden blooms", "nothing but bleak news"
FOUR = f"{GLAD}\n{SAD}\n{GLADLY}\n{SADLY}\n"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


@pytest.fixture
def folder(tmp_path) -> Path:
    """Benchmark data in which two sentences of each of two classes come again and again."""
    root = tmp_path / "benchmark"
    for task in ("emotion", "offensive"):
        for part, times in (("train", 10), ("val", 5), ("test", 5)):
            put(root / f"tweeteval/{task}/{part}_text.txt", FOUR * times)
            put(root / f"tweeteval/{task}/{part}_labels.txt", "0\n1\n0\n1\n" * times)
    pairs = [f"{GLAD},{GLAD},5", f"{GLAD},a sunny day,3", f"{GLAD},{SAD},1", f"{SAD},{GLAD},1"]
    put(root / "stsb/en-dev.csv.gz", "\n".join(pairs) + "\n")
    words = "sunny\tlovely\t9\nsunny\trainy\t2\ngloomy\tnight\t8\nnight\tunheard\t5\n"
    put(root / "word_similarity/EN-WS-353-ALL.txt", words)
    put(root / "word_similarity/EN-SIMLEX-999.txt", words)
    put(root / "corpora/tweets_100k.txt.gz", FOUR * 15)
    put(root / "corpora/text8_prefix.txt.gz", f"{GLAD} {SAD} " * 30)
    return root


def test_one_command_prints_what_encoders_are_worth_and_what_they_cost(
    call: Call, folder, tmp_path
):
    asked = (
        "benchmark",
        "encoders",
        "--data",
        folder,
        "--encoders",
        "tfidf_words,cbow",
        "--no-track",
    )
    answer = call(tmp_path / "state", *asked)
    assert answer.code == 0, answer.err
    for expected in ("tfidf_words", "cbow", "emotion", "STS-B", "WS353", "flits/s", "BERTweet"):
        assert expected in answer.out
    # 60 tweets, a run of 300 words, 40 train texts of each labelled task.
    assert "Learnt from 141 texts" in answer.out
    assert "cbow 75% and 75%" in answer.out


def test_the_figures_are_kept_as_an_experiment_with_a_run_for_each(call: Call, folder, tmp_path):
    state = tmp_path / "state"
    answer = call(
        state, "benchmark", "encoders", "--data", folder, "--encoders", "bag_of_words", "--json"
    )
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    row = found["measured"][0]
    assert (row["encoder"], row["emotion"], row["offensive"]) == ("bag_of_words", 100.0, 100.0)
    assert row["wordsim353"] is None
    assert {"encoder": "FastText *", "emotion": 65.2, "offensive": 73.4} in found["published"]
    uri = f"sqlite:///{state / 'mlflow' / 'mlflow.db'}"
    runs = Tracking(uri, state / "mlflow" / "artifacts", "benchmark_encoders").runs()
    assert [run.name for run in runs] == ["bag_of_words"]
    assert runs[0].metrics["emotion"] == 100.0
    assert runs[0].params["min_flits"] == "2"


def test_a_variant_that_cannot_be_trained_is_named_and_left_out(call: Call, folder, tmp_path):
    # A handful of words cannot be folded into 128 dimensions.
    answer = call(
        tmp_path / "state", "benchmark", "encoders", "--data", folder,
        "--encoders", "tfidf,bag_of_words", "--tasks", "sts", "--no-track",
    )  # fmt: skip
    assert answer.code == 0
    assert "tfidf is left out: cannot fold" in answer.err
    assert "bag_of_words" in answer.out
    assert "emotion" not in answer.out.splitlines()[2]
    assert not (tmp_path / "state" / "mlflow").exists()


def test_where_no_variant_can_be_trained_the_command_fails(call: Call, folder, tmp_path):
    answer = call(
        tmp_path / "state", "benchmark", "encoders", "--data", folder, "--encoders", "tfidf"
    )
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("flutter-pipeline: cannot fold")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--encoders", "word2vec"), "there is no variant 'word2vec'; use 'all', or some of"),
        (("--tasks", "irony"), "there is no task 'irony'; use some of emotion, offensive"),
    ],
)
def test_names_that_there_are_not_are_answered_with_those_there_are(
    call: Call, folder, tmp_path, option, said
):
    answer = call(tmp_path / "state", "benchmark", "encoders", "--data", folder, *option)
    assert answer.code == 1
    assert said in answer.err


def test_a_folder_of_something_else_is_refused(call: Call, tmp_path):
    answer = call(tmp_path / "state", "benchmark", "encoders", "--data", tmp_path)
    assert answer.code == 1
    assert "is not a whole folder of benchmark data" in answer.err


def test_encoders_are_compared_on_the_days_that_have_landed(call: Call, copied: TinyFlutter):
    answer = call(copied.data, "evaluate", "--encoders", "bag_of_words,tfidf,cbow", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    rows = {row["method"]: row for row in found["measured"]}
    assert set(rows) == {"bag_of_words", "tfidf", "cbow"}
    # The same figure as that of the source alone in the backtest of the run.
    table = copied.read("offline_evaluation")
    everybody = table[(table["by"] == "all") & (table["metric"] == "ndcg")]
    known = everybody.set_index("method")["mean"]
    assert rows["tfidf"]["ndcg"] == pytest.approx(known["interest_tfidf"], abs=1e-9)
    assert {row["method"] for row in found["baselines"]} == {"random", "newest", "popularity"}
    uri = f"sqlite:///{copied.data / 'mlflow' / 'mlflow.db'}"
    runs = Tracking(uri, copied.data / "mlflow" / "artifacts", "evaluate_encoders").runs()
    assert {run.name for run in runs} == {"bag_of_words", "tfidf", "cbow"}


def test_the_comparison_says_who_is_best_and_who_is_as_good(call: Call, copied: TinyFlutter):
    answer = call(copied.data, "evaluate", "--encoders", "bag_of_words,tfidf_words", "--no-track")
    assert answer.code == 0, answer.err
    assert "Best here:" in answer.out
    assert "Holm" in answer.out


def test_before_the_first_run_there_is_nothing_to_compare_on(call: Call, tmp_path):
    answer = call(tmp_path, "evaluate", "--encoders", "all")
    assert answer.code == 1
    assert "there is nothing in" in answer.err


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLUTTER_BENCHMARK_DATA names no folder of data")
def test_encoders_reach_what_is_published():
    config = BenchmarkConfig(tasks=("emotion", "offensive", "sts"), corpus_size=20_000)
    benchmark = read_benchmark(Path(DATA or ""), config, TextConfig())
    found = {
        name: measure_variant(VARIANTS[name], benchmark, lambda label, unit: no_progress)
        for name in ("tfidf_words", "bert", "bert_last4")
    }
    assert found["bert"]["sts"] >= 86.5
    # Within two points of the n-gram SVM, or above.
    assert found["tfidf_words"]["emotion"] >= 64.7 - 2
    assert found["tfidf_words"]["offensive"] >= 52.3 - 2
    # Above FastText.
    assert found["bert_last4"]["emotion"] > 65.2
    assert found["bert_last4"]["offensive"] > 73.4
