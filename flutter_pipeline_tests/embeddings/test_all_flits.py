from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest
import torch

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.bert import all_flits
from flutter_pipeline.embeddings.bert.all_flits import Passage
from flutter_pipeline.embeddings.bert.parallel import ahead, in_parallel
from flutter_pipeline.embeddings.bert.pieces import Cutter, Pieces
from flutter_pipeline.embeddings.encoder import Matrix


class Letters:
    """A tokenizer for which each letter is a piece, its code its place in the alphabet."""

    def __call__(self, flits: list[str], max_length: int, **_: bool) -> dict[str, list[list[int]]]:
        return {"input_ids": [[ord(sign) - 96 for sign in flit[:max_length]] for flit in flits]}

    def num_special_tokens_to_add(self) -> int:
        return 0


@dataclass
class SumAndCount:
    """A network that gives the sum of a flit's codes and how many there are."""

    given: list[list[int]] = field(default_factory=list)
    dim: int = 2

    def vectors(self, pieces: Pieces) -> Matrix:
        self.given.append(pieces.lengths.tolist())
        starts = np.cumsum(pieces.lengths) - pieces.lengths
        sums = np.add.reduceat(pieces.codes, starts)
        return np.stack([sums, pieces.lengths], axis=1).astype(np.float32)


def passage(network: SumAndCount, tokens_per_batch: int = 0) -> Passage:
    return Passage(Cutter(Letters(), max_tokens=4), network, tokens_per_batch)


def test_rows_come_in_the_order_of_the_flits(monkeypatch):
    monkeypatch.setattr(all_flits, "SECTION", 2)
    rows = passage(SumAndCount(), 3)(["ab", "c", "", "aaaaaa", "bc"], no_progress)
    # The fourth flit is cut off after four letters: 1 + 1 + 1 + 1 = 4.
    assert rows.tolist() == [[3, 2], [3, 1], [0, 0], [4, 4], [5, 2]]


def test_flits_of_one_length_go_together():
    network = SumAndCount()
    passage(network, 4)(["ab", "c", "de", "f", "g"], no_progress)
    assert sorted(network.given) == [[1, 1, 1], [2, 2]]


def test_equal_flits_are_computed_once_and_all_are_told_of():
    network, told = SumAndCount(), []
    rows = passage(network)(["ab", "ab", "c", "", "ab"], lambda *done: told.append(done))
    assert network.given == [[2, 1]]
    assert rows.tolist() == [[3, 2], [3, 2], [3, 1], [0, 0], [3, 2]]
    assert told == [(4, 5), (5, 5)]


def test_no_flits_are_no_rows():
    assert passage(SumAndCount())([], no_progress).shape == (0, 2)


def test_chosen_flits_keep_their_pieces():
    pieces = Pieces(np.array([1, 2, 3, 4, 5, 6]), np.array([2, 0, 1, 3]))
    chosen = pieces.of(np.array([3, 0]))
    assert chosen.codes.tolist() == [4, 5, 6, 1, 2]
    assert chosen.lengths.tolist() == [3, 2]


@pytest.mark.parametrize("threads", [1, 2, 40])
def test_results_come_in_the_order_of_the_tasks(threads: int):
    squares = list(in_parallel(lambda task: task * task, range(50), threads))
    assert squares == [(task, task * task) for task in range(50)]


def test_few_tasks_are_taken_before_they_are_worked_on():
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for task in count():
            taken.append(task)
            yield task

    results = in_parallel(lambda task: task, tasks(), 2)
    assert [next(results)[0] for _ in range(10)] == list(range(10))
    results.close()
    assert len(taken) <= 13


def test_each_worker_computes_with_its_share_of_the_threads_and_leaves_no_trace():
    before = torch.get_num_threads()
    shares = {result for _, result in in_parallel(lambda _: torch.get_num_threads(), "abc", 2)}
    assert shares == {1}
    assert torch.get_num_threads() == before


def test_what_fails_in_a_worker_is_raised_where_results_are_read():
    def fail(task: int) -> int:
        raise ValueError(f"task {task}")

    with pytest.raises(ValueError, match="task 0"):
        list(in_parallel(fail, [0, 1], 2))


def test_what_is_made_ahead_comes_in_order():
    assert list(ahead(iter("abc"))) == ["a", "b", "c"]
    assert list(ahead(iter(""))) == []
