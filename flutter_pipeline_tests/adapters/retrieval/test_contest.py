"""A contest on a small made-up set, and the sets as they are read from small made-up files."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.benchmark_data import read_gowalla
from flutter_pipeline.adapters.retrieval import gowalla as gowalla_module
from flutter_pipeline.adapters.retrieval.beauty import LEARNERS, without_last
from flutter_pipeline.adapters.retrieval.contest import BLEND, LEARNT, RetrievalSet, contest
from flutter_pipeline.adapters.retrieval.gowalla import gowalla, held_out
from flutter_pipeline.adapters.retrieval.sets import SETS
from flutter_pipeline.collaborative.likes import Likes
from flutter_pipeline.collaborative.transitions import TransitionsConfig, train_transitions
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.errors import ContractError
from flutter_pipeline.evaluation.ensemble import Method, ShortlistConfig
from flutter_pipeline.evaluation.full_ranking import Task, judge, without_met
from flutter_pipeline.evaluation.learnt_order import OrderConfig
from flutter_pipeline_tests.conformance.scorers import EVERY_FLIT, random_likes

DATA = os.environ.get("FLUTTER_BENCHMARK_DATA")


def bars(label: str, unit: str) -> Progress:
    return no_progress


class OwnKind:
    """Scores flits of the kind that a bird mostly likes; see the random world's two kinds."""

    columns = EVERY_FLIT

    def scores(self, likes: Likes) -> np.ndarray:
        odd = np.bincount(likes.row, weights=likes.flit % 2, minlength=len(likes))
        mostly_odd = odd > likes.lengths / 2
        own = mostly_odd[:, None] == EVERY_FLIT % 2
        return own.astype(np.float32) + Anything().scores(likes) / 2


class Anything:
    """Scores that know nothing of birds."""

    columns = EVERY_FLIT

    def scores(self, likes: Likes) -> np.ndarray:
        row = np.random.default_rng(1).random(len(EVERY_FLIT)).astype(np.float32)
        return np.tile(row, (len(likes), 1))


def small_set() -> RetrievalSet:
    likes = random_likes(3)
    return RetrievalSet(
        name="small",
        k=5,
        validation=Task(likes.older(2), likes.older(1).newest(1)),
        test=Task(likes.older(1), likes.newest(1)),
        methods=(
            Method("own kind", lambda likes: OwnKind()),
            Method("anything", lambda likes: Anything()),
        ),
        shortlists=ShortlistConfig(length=20),
        order=OrderConfig(trees=5, min_rows=5, min_lists=5),
    )


def test_every_method_the_blend_and_the_learnt_order_are_judged_on_the_same_birds():
    found = contest(small_set(), bars)
    assert list(found.test) == ["own kind", "anything", BLEND, LEARNT]
    assert {len(judged.ndcg) for judged in found.test.values()} == {59}
    assert found.test["own kind"].ndcg.mean() > found.test["anything"].ndcg.mean()
    assert set(found.spent.train) == set(found.spent.score) == {"own kind", "anything"}
    assert sum(found.learnt.weights.values()) == pytest.approx(1)


def test_the_test_can_be_left_alone():
    found = contest(small_set(), bars, test_too=False)
    assert found.test == {} and list(found.validation) == ["own kind", "anything"]


def test_what_is_learnt_does_not_depend_on_the_test():
    whole, without = contest(small_set(), bars), contest(small_set(), bars, test_too=False)
    assert whole.learnt.weights == without.learnt.weights
    assert whole.learnt.held_out == without.learnt.held_out


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def small_gowalla(tmp_path: Path) -> Path:
    put(tmp_path / "gowalla" / "train.txt.gz", "0 1 2 3\n1 0 2\n")
    put(tmp_path / "gowalla" / "test.txt.gz", "1 4\n")
    return tmp_path


def test_gowalla_is_read_by_bird(small_gowalla: Path):
    data = read_gowalla(small_gowalla)
    assert [row.tolist() for row in data.train] == [[1, 2, 3], [0, 2]]
    assert [row.tolist() for row in data.test] == [[], [4]]
    assert data.n_flits == 5


@pytest.mark.parametrize(
    ("train", "said"),
    [("0 1\n2 3\n", "birds 0, 1"), ("0 x\n", "numbers"), ("0 1\n\n", "empty line")],
)
def test_a_broken_gowalla_says_what_is_wrong(tmp_path: Path, train: str, said: str):
    put(tmp_path / "gowalla" / "train.txt.gz", train)
    put(tmp_path / "gowalla" / "test.txt.gz", "0 4\n")
    with pytest.raises(ContractError, match=said):
        read_gowalla(tmp_path)


@pytest.mark.parametrize("name", SETS)
def test_a_folder_without_the_set_says_which_file_is_not_there(tmp_path: Path, name: str):
    with pytest.raises(ContractError, match="there is no"):
        SETS[name](tmp_path, bars)


def test_what_is_held_out_is_not_learnt_from_and_nothing_is_lost(small_gowalla: Path):
    data = read_gowalla(small_gowalla)
    task = held_out(data, 0.5, seed=1)
    for row, flits in enumerate(data.train):
        kept = task.likes.flit[task.likes.starts[row] : task.likes.starts[row + 1]]
        out = task.targets.flit[task.targets.starts[row] : task.targets.starts[row + 1]]
        assert sorted([*kept, *out]) == sorted(flits)
    assert 0 < len(task.targets.flit) < 5


def test_popular_flits_are_held_out_more_often(monkeypatch):
    rows = [np.array([0, bird]) for bird in range(1, 2000)]
    data = gowalla_module.Gowalla(rows, [row[:0] for row in rows], 2000)
    monkeypatch.setattr(gowalla_module, "TILT", 0.1)
    flit = held_out(data, 0.1, seed=0).targets.flit
    # 2,000 ** 0.1 is 2.1: the popular flit is held out twice as often as the others together.
    assert 1.7 < np.sum(flit == 0) / np.sum(flit > 0) < 2.7


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLUTTER_BENCHMARK_DATA names no folder of data")
def test_transitions_alone_find_the_next_flit_among_their_first_ten():
    from flutter_pipeline.adapters.benchmark_data import read_beauty

    task = without_last(read_beauty(Path(DATA or "")), 1)
    config = LEARNERS["transitions"][1]
    assert isinstance(config, TransitionsConfig)
    scorer = train_transitions(task.likes, np.arange(task.likes.n_flits), config)
    judged = [
        judge(without_met(scorer.scores(likes), likes), task.targets.of(rows), 10)
        for rows in task.blocks()
        for likes in [task.likes.of(rows)]
    ]
    assert np.concatenate([one.hit_rate for one in judged]).mean() > 0.09
    assert np.concatenate([one.ndcg for one in judged]).mean() > 0.057


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLUTTER_BENCHMARK_DATA names no folder of data")
def test_gowalla_has_the_birds_and_engagements_that_its_readers_count():
    found = gowalla(Path(DATA or ""), bars)
    assert len(found.test.likes) == 29_858 and found.test.likes.n_flits == 40_981
    assert (len(found.test.likes.flit), len(found.test.targets.flit)) == (810_128, 217_242)
