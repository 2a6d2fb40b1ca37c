import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.features import (
    clusters_of,
    copy_columns,
    fourier_columns,
    frequent,
    one_of,
    said_by,
    space_of,
    words_and_counts,
)

CONFIG = DriftConfig(topics=2, components=2)


def test_words_are_counted_row_by_row():
    words, counts = words_and_counts(pd.Series(["owl owl crow", "", "wren"]))
    assert words == ["crow", "owl", "wren"]
    assert counts.toarray().tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_no_words_at_all_are_no_columns():
    words, counts = words_and_counts(pd.Series(["", ""]))
    assert words == [] and counts.shape == (2, 0)


def test_rare_words_share_the_last_column():
    _, counts = words_and_counts(pd.Series(["owl owl owl crow crow wren", "lark"]))
    assert frequent(counts, 2).toarray().tolist() == [[3, 2, 1], [0, 0, 1]]


def test_what_enough_rows_say_counts_once_a_row():
    _, counts = words_and_counts(pd.Series(["owl owl crow", "owl", "owl wren wren wren"]))
    assert said_by(counts, 2).toarray().tolist() == [[1], [1], [1]]
    assert said_by(counts, 4).shape == (3, 0)
    assert counts.toarray().tolist() == [[1, 2, 0], [0, 1, 0], [0, 1, 3]]


def test_every_name_has_a_column():
    assert one_of(pd.Series(["en", "de", "en"])).toarray().tolist() == [[0, 1], [1, 0], [0, 1]]


def test_only_groups_of_several_have_a_column_and_the_last_counts_rows():
    columns = copy_columns(np.array([0, 1, 0, 3]))
    assert columns.toarray().tolist() == [[1, 1], [0, 1], [1, 1], [0, 1]]


def test_fourier_features_multiply_to_the_kernel():
    vectors = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    config = DriftConfig(frequencies=20_000)
    features = fourier_columns(vectors, vectors, config)[:, :-1].astype(np.float64)
    width = np.median(np.linalg.norm(vectors[:30] - vectors[30:], axis=1))
    apart = np.linalg.norm(vectors[:5, None] - vectors[None, :5], axis=2)
    kernel = np.exp(-(apart**2) / (2 * width**2))
    assert features[:5] @ features[:5].T == pytest.approx(kernel, abs=0.05)


def test_a_space_has_variance_1_in_every_direction_and_no_empty_ones():
    rng = np.random.default_rng(0)
    flat = np.zeros((200, 4), dtype=np.float32)
    flat[:, 0], flat[:, 2] = rng.normal(0, 5, size=200), rng.normal(3, 0.1, size=200)
    points = space_of(flat, DriftConfig(components=4)).points(flat)
    assert points.shape == (200, 2)
    assert points.var(axis=0) == pytest.approx([1, 1], rel=1e-5)


def test_two_clouds_are_two_clusters_and_a_new_point_joins_the_nearer():
    rng = np.random.default_rng(0)
    clouds = np.concatenate([rng.normal(-5, 1, size=(50, 2)), rng.normal(5, 1, size=(50, 2))])
    found = clusters_of(np.vstack([clouds, [[4.0, 4.0]]]), clouds, CONFIG)
    assert len(set(found[:50])) == len(set(found[50:100])) == 1
    assert found[0] != found[50] == found[100]


def test_equal_points_are_one_cluster():
    points = np.ones((10, 2))
    assert set(clusters_of(points, points, CONFIG)) == {0}
