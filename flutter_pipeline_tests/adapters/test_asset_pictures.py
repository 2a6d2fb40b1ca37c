import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from flutter_pipeline.adapters.asset_pictures import (
    picture_of_counts,
    picture_of_curves,
    picture_of_figures,
    picture_of_maps,
    picture_of_recall,
)

FIGURES = pd.DataFrame(
    {"name": ["blend", "$ranked$"], "mean": [0.2, 0.3], "low": [0.1, np.nan], "high": [0.4, np.nan]}
)

CURVES = pd.DataFrame(
    {
        "encoder": ["cbow", "cbow", "bert"],
        "kind": ["ivf", "ivf", "flat"],
        "recall": [0.9, 0.99, 1.0],
        "microseconds": [4.0, 20.0, 25.0],
    }
)


def pixels(png: bytes) -> np.ndarray:
    return imread(io.BytesIO(png))


def ink(png: bytes) -> int:
    """How many dots are not white."""
    return int((pixels(png)[..., :3].min(axis=2) < 0.9).sum())


def test_a_line_more_makes_a_picture_of_figures_taller():
    more = pd.concat([FIGURES] * 4)
    assert (
        pixels(picture_of_figures(more, "NDCG")).shape[0]
        > pixels(picture_of_figures(FIGURES, "NDCG")).shape[0]
    )


def test_an_interval_is_drawn():
    without = FIGURES.assign(low=np.nan, high=np.nan)
    assert ink(picture_of_figures(FIGURES, "NDCG")) > ink(picture_of_figures(without, "NDCG"))


@pytest.mark.parametrize("name", ["$x", "a\\nb", "<b>", "\\frac{", ""])
def test_any_name_can_be_drawn(name: str):
    assert ink(picture_of_counts(pd.DataFrame({"name": [name], "count": [3]}), "rows"))
    assert ink(picture_of_curves({name: [3.0, 2.0, np.nan]}, "epoch"))
    assert ink(picture_of_maps({name: np.zeros((2, 2), np.float32)}, [name, name]))


def test_nothing_can_be_drawn_of_nothing_without_an_error():
    assert picture_of_counts(pd.DataFrame({"name": [], "count": []}), "rows")
    assert picture_of_figures(FIGURES.head(0), "NDCG")
    assert picture_of_maps({"cbow": np.zeros((0, 2), np.float32)}, [])
    assert picture_of_recall(CURVES.head(0))


def test_equal_pictures_are_equal_bytes():
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    groups = ["a", "b"] * 25
    assert picture_of_maps({"a": points}, groups) == picture_of_maps({"a": points}, groups)


def test_a_map_or_an_encoder_more_makes_a_picture_wider():
    points = np.zeros((2, 2), np.float32)
    one, two = (dict.fromkeys(names, points) for names in (["a"], ["a", "b"]))
    assert width(picture_of_maps(two, ["x", "y"])) > width(picture_of_maps(one, ["x", "y"]))
    assert width(picture_of_recall(CURVES)) > width(picture_of_recall(CURVES.head(2)))


def width(png: bytes) -> int:
    return pixels(png).shape[1]
