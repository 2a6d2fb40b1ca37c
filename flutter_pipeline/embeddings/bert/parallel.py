"""Run a function over many batches on several threads, each computing with one core.

Two batches on two cores come through sooner than each by turns on both: nobody waits for the
other at the end of every operation, and what is worked on stays in a core's own cache.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

MOST_WORKERS = 16
"""More would wait for the interpreter; cores beyond are given to the single operations."""

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(
    work: Callable[[T], R], tasks: Iterable[T], threads: int
) -> Generator[tuple[T, R], None, None]:
    """Each task with its result, in order; few tasks are taken before they are worked on.

    ``threads`` are the cores to use; ``work`` computes with torch.
    """
    workers = min(threads, MOST_WORKERS)
    with _pool(workers, threads // workers) as pool:
        waiting: deque[tuple[T, Future[R]]] = deque()
        coming = iter(tasks)
        while True:
            for task in islice(coming, workers + 1 - len(waiting)):
                waiting.append((task, pool.submit(work, task)))
            if not waiting:
                return
            task, result = waiting.popleft()
            yield task, result.result()


def ahead(tasks: Iterable[T]) -> Iterator[T]:
    """``tasks``, of which the next is made by another thread while one is used."""
    coming = iter(tasks)
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(list, islice(coming, 1))
        while some := following.result():
            following = pool.submit(list, islice(coming, 1))
            yield from some


@contextmanager
def _pool(workers: int, threads_each: int) -> Iterator[ThreadPoolExecutor]:
    """Workers that compute with so many threads each, and are gone afterwards."""
    import torch

    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, initializer=lambda: torch.set_num_threads(threads_each))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        # What a thread sets, those that come after it start with.
        torch.set_num_threads(before)
