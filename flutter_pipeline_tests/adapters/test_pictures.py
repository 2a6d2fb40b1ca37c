import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from flutter_pipeline.adapters.pictures import (
    as_markdown,
    picture_of_comparison,
    picture_of_encoders,
    picture_of_importance,
)
from flutter_pipeline.embeddings.compare.comparison import CompareConfig, SeenTwice, compare
from flutter_pipeline_tests.embeddings.compare.spaces import ids, random_space

SMALL = 100_000
"""Bytes that a page can carry inside itself."""


@pytest.fixture(scope="module")
def found():
    seen = SeenTwice(ids(80), random_space(80, 6, seed=0), random_space(80, 6, seed=1))
    slices = pd.DataFrame({"language": pd.Categorical(["en"] * 70 + ["ja"] * 9 + ["th"])})
    return compare(seen, slices, CompareConfig())


def is_drawn(png: bytes) -> bool:
    """Whether it is a picture of some size, with something in it."""
    dots = imread(io.BytesIO(png))
    return min(dots.shape[:2]) > 300 and float(np.ptp(dots[..., :3])) > 0.5 and len(png) < SMALL


def test_a_comparison_is_a_small_picture_and_always_the_same(found):
    png = picture_of_comparison(found, "cbow/v1", "cbow/v2")
    assert is_drawn(png)
    assert png == picture_of_comparison(found, "cbow/v1", "cbow/v2")


def test_importance_is_drawn_whatever_features_are_called():
    rows = [("group", "taste", 0.2), ("feature", "$odd$", 0.1), ("feature", "worse", -0.1)]
    png = picture_of_importance(pd.DataFrame(rows, columns=["by", "name", "lost"]))
    assert is_drawn(png)


def test_equal_versions_can_be_drawn():
    space = random_space(30, 4, seed=0)
    slices = pd.DataFrame({"language": pd.Categorical(["en"] * 30)})
    equal = compare(SeenTwice(ids(30), space, space), slices, CompareConfig())
    assert is_drawn(picture_of_comparison(equal, "cbow/v1", "cbow/v1"))


def test_a_slice_that_is_called_like_a_formula_is_drawn_as_it_is_called():
    space = np.eye(30, 4, dtype=np.float32)
    slices = pd.DataFrame({"language": pd.Categorical([r"$\frac$ <b>"] * 30)})
    odd = compare(SeenTwice(ids(30), space, space), slices, CompareConfig())
    assert is_drawn(picture_of_comparison(odd, "a", "b"))


def test_encoders_are_drawn_with_a_version_before_and_without(found):
    alike = pd.DataFrame(
        {"first": ["tfidf"], "second": ["cbow"], "overlap": [0.3], "cka": [float("nan")]}
    )
    assert is_drawn(picture_of_encoders(alike, {}))
    assert is_drawn(picture_of_encoders(alike, {"cbow": found, "tfidf": found}))
    assert is_drawn(picture_of_encoders(alike.head(0), {}))


def test_a_page_carries_the_picture_inside_itself():
    assert as_markdown(b"abc", "Owls") == "![Owls](data:image/png;base64,YWJj)"
