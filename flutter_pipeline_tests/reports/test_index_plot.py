import numpy as np
import pandas as pd

from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.reports.index_plot import EFFORTS, index_section, recall_curves
from flutter_pipeline_tests.reports.small_reports import words_of


def unit(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_an_exact_search_finds_all_and_more_effort_finds_more_and_costs_more():
    curves = recall_curves({"bert": unit(400, 0)}, IndexConfig())
    assert curves[curves["kind"] == "flat"]["recall"].tolist() == [1.0]
    assert set(curves["kind"]) == set(EFFORTS)
    for _, curve in curves.groupby("kind"):
        assert curve["microseconds"].is_monotonic_increasing
    lists = curves[curves["kind"] == "ivf"]["recall"]
    assert lists.is_monotonic_increasing and lists.iloc[0] < lists.iloc[-1]


def test_the_same_vectors_give_the_same_curves():
    vectors = {"bert": unit(300, 1)}
    first, second = (recall_curves(vectors, IndexConfig()) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_vectors_without_direction_and_encoders_of_a_few_flits_are_left_out():
    silent = np.vstack([unit(99, 0), np.zeros((500, 8), np.float32)])
    assert recall_curves({"tfidf": silent}, IndexConfig()).empty


def test_the_indexes_that_serve_say_why_they_are_of_their_kind():
    facts = {"encoder": "bert", "kind": "flat", "flits": 5, "recall_at_10": 1.0, "size_mb": 0.1}
    served = pd.DataFrame([{**facts, "why": "flat: 5 flits"}])
    none = recall_curves({}, IndexConfig())
    words = words_of(index_section(none, served, 0))
    assert "flat: 5 flits" in words and "those that had a vector" in words
    assert "No index has been built yet" in words_of(index_section(none, served.head(0), 0))
