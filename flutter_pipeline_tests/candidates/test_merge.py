import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.candidates.merge import (
    Objective,
    WeightsConfig,
    fit_weights,
    fuse,
    merge,
)
from flutter_pipeline.candidates.source import Proposals
from flutter_pipeline.errors import ConfigError


def proposals(*rows: tuple[int, int, int, float, int]) -> Proposals:
    """Bird, flit, rank, score, because."""
    bird, flit, rank, score, because = zip(*rows, strict=True) if rows else ([],) * 5
    return Proposals(
        bird=np.array(bird, dtype=np.int64),
        flit=np.array(flit, dtype=np.int64),
        rank=np.array(rank, dtype=np.int64),
        score=np.array(score, dtype=np.float32),
        because=np.array(because, dtype=np.int64),
    )


TASTE = proposals((3, 20, 1, 0.5, 7), (3, 10, 2, 0.25, 8), (1, 10, 1, 4, 9))
FRESH = proposals((3, 10, 1, 1, -1), (3, 30, 2, 0.5, -1), (1, 10, 1, 1, -1))
WIDE = merge({"taste": TASTE, "fresh": FRESH})


def test_each_pair_of_bird_and_flit_is_one_row_with_what_every_source_said():
    assert WIDE.to_dict("list") == {
        "bird": [1, 3, 3, 3],
        "flit": [10, 10, 20, 30],
        "rank_taste": [1, 2, 1, 0],
        "score_taste": [4, 0.25, 0.5, 0],
        "rank_fresh": [1, 1, 0, 2],
        "score_fresh": [1, 1, 0, 0.5],
        "because": [9, -1, 7, -1],
        "best_source": ["taste", "fresh", "taste", "fresh"],
    }


def test_columns_have_the_types_of_the_contract():
    assert WIDE.dtypes.astype(str).to_dict() == {
        "bird": "int64",
        "flit": "int64",
        "rank_taste": "int32",
        "score_taste": "float32",
        "rank_fresh": "int32",
        "score_fresh": "float32",
        "because": "int64",
        "best_source": "str",
    }


def test_no_proposals_make_a_table_of_no_rows():
    empty = merge({"taste": proposals()})
    assert len(empty) == 0
    assert empty.dtypes.astype(str).to_dict()["best_source"] == "str"
    fused = fuse(empty, {"taste": 1.0}, keep=10)
    assert len(fused) == 0
    assert "fused" in fused


def test_standardised_scores_add_up_by_weight():
    fused = fuse(WIDE, {"taste": 0.75, "fresh": 0.25}, keep=10)
    assert fused["bird"].tolist() == [1, 3, 3, 3]
    assert fused["flit"].tolist() == [10, 20, 10, 30]
    # Bird 3: taste scores .5, .25 and 0 (mean .25), fresh 0, 1 and .5 (mean .5).
    spread = np.sqrt(2 / 3)
    taste, fresh = np.array([1, 0, -1]) / spread, np.array([-1, 1, 0]) / spread
    # Bird 1 has one candidate, which has nothing to differ from.
    assert fused["fused"].tolist() == pytest.approx([0, *(0.75 * taste + 0.25 * fresh)])
    assert fused["fused"].dtype == np.float32


def test_feeds_of_one_bird_are_standardised_apart():
    frame = FRAME.assign(feed=np.arange(len(FRAME)) // 10)
    seen: list[FloatArray] = []

    def objective(fused: FloatArray) -> float:
        seen.append(fused)
        return 0.0

    fit_weights(frame, SOURCES, objective, WeightsConfig(rounds=1))
    for fused in seen:
        assert np.bincount(frame["feed"], weights=fused) == pytest.approx(0, abs=1e-4)


def test_a_source_that_scores_all_alike_moves_nothing():
    alike = merge({"a": proposals((0, 9, 1, 0.3, -1), (0, 4, 2, 0.3, -1))})
    assert fuse(alike, {"a": 1.0}, keep=5)["fused"].tolist() == [0, 0]


def test_only_the_best_of_each_bird_are_kept():
    fused = fuse(WIDE, {"taste": 1.0, "fresh": 0.0}, keep=1)
    assert fused["bird"].tolist() == [1, 3]
    assert fused["flit"].tolist() == [10, 20]
    assert fused.index.tolist() == [0, 1]


def test_equal_fused_scores_are_in_order_of_flit():
    twice = merge({"a": proposals((0, 9, 1, 1, -1)), "b": proposals((0, 4, 1, 1, -1))})
    assert fuse(twice, {"a": 1, "b": 1}, keep=10)["flit"].tolist() == [4, 9]


def test_fusing_again_with_other_weights_forgets_the_first_weights():
    once = fuse(WIDE, {"taste": 0.5, "fresh": 0.5}, keep=10)
    again = fuse(once, {"taste": 1.0, "fresh": 0.0}, keep=10)
    pd.testing.assert_frame_equal(again, fuse(WIDE, {"taste": 1.0, "fresh": 0.0}, keep=10))


def test_fusing_leaves_its_input_as_it_was():
    before = WIDE.copy()
    fuse(WIDE, {"taste": 1.0}, keep=1)
    pd.testing.assert_frame_equal(WIDE, before)


def test_a_weight_for_an_unknown_source_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"'gossip'.*taste, fresh"):
        fuse(WIDE, {"gossip": 1.0}, keep=10)


@pytest.mark.parametrize("weight", [-0.1, float("nan")])
def test_a_weight_below_zero_is_refused(weight: float):
    with pytest.raises(ConfigError, match="zero or more"):
        fuse(WIDE, {"taste": weight}, keep=10)


def labelled(seed: int) -> pd.DataFrame:
    """30 birds, 20 flits; `good` ranks liked flits high, `noise` ranks anything anyhow."""
    rng = np.random.default_rng(seed)
    bird, flit = np.repeat(np.arange(30), 20), np.tile(np.arange(20), 30)
    liked = rng.random((30, 20)) < 0.2
    good = np.argsort(np.argsort(-(liked + rng.random((30, 20)) * 1.2), axis=1), axis=1) + 1
    noise = np.argsort(rng.random((30, 20)), axis=1) + 1
    places = {"good": good.ravel(), "noise": noise.ravel()}
    ranks = {f"rank_{name}": place for name, place in places.items()}
    ranks |= {f"score_{name}": -place.astype(np.float32) for name, place in places.items()}
    return pd.DataFrame({"bird": bird, "flit": flit, **ranks, "liked": liked.ravel()})


def share_liked_of_first_five(frame: pd.DataFrame) -> Objective:
    def of_order(fused: FloatArray) -> float:
        ordered = frame.assign(fused=fused).sort_values(["bird", "fused"], ascending=[True, False])
        return float(ordered.groupby("bird").head(5)["liked"].to_numpy().mean())

    return of_order


FRAME = labelled(1)
SOURCES = ["noise", "good"]


def fitted(frame: pd.DataFrame, config: WeightsConfig | None = None) -> dict[str, float]:
    return fit_weights(frame, SOURCES, share_liked_of_first_five(frame), config)


def test_weights_add_up_to_one_and_favour_what_ranks_well():
    weights = fitted(FRAME)
    assert list(weights) == SOURCES
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["good"] > weights["noise"] >= 0


def test_the_blend_is_at_least_as_good_as_its_best_part():
    def value(weights: dict[str, float]) -> float:
        fused = fuse(FRAME, weights, keep=20)
        return share_liked_of_first_five(fused)(fused["fused"].to_numpy())

    assert value(fitted(FRAME)) >= max(value({"good": 1.0}), value({"noise": 1.0}))


def test_the_same_rows_give_the_same_weights_whatever_their_order():
    mixed = FRAME.sample(frac=1, random_state=0).reset_index(drop=True)
    assert fitted(FRAME) == fitted(mixed)


def test_an_objective_that_says_nothing_leaves_all_sources_alike():
    weights = fit_weights(FRAME, SOURCES, lambda _: float("nan"))
    assert weights == {"noise": 0.5, "good": 0.5}


def test_only_weights_of_the_grid_are_tried():
    weights = fitted(FRAME, WeightsConfig(grid=(3.0,)))
    assert set(weights.values()) <= {0.0, 0.25, 0.5, 0.75, 1.0}


def test_the_objective_sees_the_weighted_scores_of_the_rows_in_their_order():
    seen: list[FloatArray] = []

    def remember(fused: FloatArray) -> float:
        seen.append(fused)
        return 0.0

    fit_weights(WIDE, ["taste", "fresh"], remember, WeightsConfig(rounds=1))
    # Rows: bird 1 with flit 10; bird 3 with flits 10, 20 and 30, as above.
    spread = np.sqrt(2 / 3)
    np.testing.assert_allclose(seen[0] * spread, [0, 0 + 1, 1 - 1, -1 + 0], atol=1e-6)
