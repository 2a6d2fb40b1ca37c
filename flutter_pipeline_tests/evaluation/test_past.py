import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.candidates.propose import CandidateConfig, source_names
from flutter_pipeline.evaluation.past import (
    fused_by_moment,
    moments_if_any,
    past_candidates_of,
    past_frames,
    sources_of,
    validated_weights,
)
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.ranking.labels import label
from flutter_pipeline_tests.birds.small_networks import days, random_network, random_vectors

NETWORK, VECTORS = random_network(), {"tfidf": random_vectors()}
NOW = int(days([20])[0])
BACKTEST = BacktestConfig(train_moments=2, test_moments=2, history_days=1)
CANDIDATES = CandidateConfig(per_source=10)
SOURCES = source_names(["tfidf"], CandidateConfig())


@pytest.fixture(scope="module")
def past() -> pd.DataFrame:
    return past_candidates_of(NETWORK, VECTORS, NOW, (CANDIDATES, BACKTEST))


def feed_of(bird: int, moment: int, first: str, second: str, liked: bool = True) -> list[dict]:
    """Two flits that two sources rank the other way round; the second one is liked."""
    ranks = {first: (1, 2), second: (2, 1)}
    return [
        {
            "moment": moment,
            "bird": bird,
            "flit": flit,
            **{f"rank_{name}": np.int32(places[flit]) for name, places in ranks.items()},
            **{f"score_{name}": np.float32(-places[flit]) for name, places in ranks.items()},
            "liked": liked and flit == 1,
        }
        for flit in (0, 1)
    ]


def test_training_moments_come_before_test_moments_and_all_before_now(past: pd.DataFrame):
    found = moments_if_any(NETWORK, NOW, BACKTEST)
    assert found is not None
    assert found.train == tuple(days([16, 17])) and found.test == tuple(days([18, 19]))
    assert past["moment"].unique().tolist() == [*found.train, *found.test]


def test_a_label_says_what_was_liked_in_the_day_after_the_moment(past: pd.DataFrame):
    assert past["liked"].any() and not past["liked"].all()
    for moment, rows in past.groupby("moment"):
        start = int(str(moment))
        expected = label(rows, NETWORK, (start, start + BACKTEST.step))
        assert rows["liked"].tolist() == expected.tolist()


def test_the_sources_are_told_by_their_ranks(past: pd.DataFrame):
    assert sources_of(past) == SOURCES


def test_a_moment_is_a_frame_of_its_own_so_that_none_waits_for_the_others():
    frames = list(past_frames(NETWORK, VECTORS, NOW, (CANDIDATES, BACKTEST)))
    assert [frame["moment"].unique().tolist() for frame in frames] == [
        [moment] for moment in days([16, 17, 18, 19])
    ]
    assert [str(frame.columns[0]) for frame in frames] == ["moment"] * 4


def test_too_short_a_past_has_no_moments_and_no_rows():
    short = BacktestConfig(history_days=30)
    assert moments_if_any(NETWORK, NOW, short) is None
    assert len(past_candidates_of(NETWORK, VECTORS, NOW, (CANDIDATES, short))) == 0


def test_the_ranker_is_given_the_best_fused_of_each_bird_without_labels(past: pd.DataFrame):
    first, last = int(past["moment"].min()), int(past["moment"].max())
    weights = {"taste": 1.0, "interest_tfidf": 0.0, "fresh": 0.0}
    fused = fused_by_moment(past, (last, first), weights, 3)
    assert list(fused) == [last, first]
    for frame in fused.values():
        assert "liked" not in frame and "moment" not in frame
        assert frame.groupby("bird").size().max() == 3
        # By taste alone, whom it ranks first is first.
        first_of_all = frame.groupby("bird").head(1)
        told = first_of_all[first_of_all["fused"] > 0]
        assert len(told) and (told["rank_taste"] == 1).all()


def test_a_source_whose_first_is_liked_outweighs_one_whose_last_is():
    rows = [row for bird in range(5) for row in feed_of(bird, 1, "bad", "good")]
    weights = validated_weights(pd.DataFrame(rows), ("bad", "good"), (1,), 10)
    assert weights["good"] > weights["bad"]
    assert sum(weights.values()) == pytest.approx(1)


def test_weights_look_at_training_moments_only():
    train = [row for bird in range(5) for row in feed_of(bird, 1, "bad", "good")]
    test = [row for bird in range(50) for row in feed_of(bird, 2, "good", "bad")]
    both = pd.DataFrame(train + test)
    expected = validated_weights(pd.DataFrame(train), ("bad", "good"), (1,), 10)
    assert validated_weights(both, ("bad", "good"), (1,), 10) == expected


@pytest.mark.parametrize("train", [(), (1,)])
def test_where_nothing_was_liked_all_sources_weigh_alike(train: tuple[int, ...]):
    rows = pd.DataFrame(feed_of(0, 1, "a", "b", liked=False))
    assert validated_weights(rows, ("a", "b"), train, 10) == {"a": 0.5, "b": 0.5}
