"""Landed files are broken in every way that could be thought of, and cost nobody but themselves.

No crash, no hang, no unbalanced book, bounded memory, good reasons; the good files of a batch go
in, nothing is left behind, and no file is taken twice. A failure says how to try it again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

from flutter_pipeline_tests.faults.fuzzing.trials import Asked, Outcome, outcomes

SEED = 2025
AT_ONCE = 25
SHORT, LONG = 250, 9_000
MAPPINGS_SHORT, MAPPINGS_LONG = 25, 1_000
PEAK_MB = 1_000
"""Of the process that takes in; a quarter of it are the libraries."""
PATIENCE = 600.0
"""Seconds for a batch. The slowest bomb takes half a minute of a core; other work may slow it."""


def batches(first: int, last: int) -> list[Asked]:
    starts = range(first, last, AT_ONCE)
    return [Asked(SEED, tuple(range(at, min(at + AT_ONCE, last)))) for at in starts]


def mappings(first: int, last: int) -> list[Asked]:
    return [Asked(SEED, (number,), mapping=True) for number in range(first, last)]


def told(tried: Iterator[Outcome]) -> list[str]:
    """Every outcome that is not fine, with the way to see it again; prints what all came to."""
    counts: defaultdict[str, int] = defaultdict(int)
    faults, peak = [], 0
    for outcome in tried:
        counts[outcome.kind] += len(outcome.asked.numbers)
        peak = max(peak, outcome.peak_mb)
        if outcome.kind != "fine" or outcome.peak_mb > PEAK_MB:
            faults.append(
                f"{outcome.kind}, {outcome.peak_mb} MB: {outcome.said}\n{outcome.asked.replay}"
            )
    print(f"\nfuzzed landing: {dict(counts)}, peak {peak} MB")  # noqa: T201  # the table of faults
    return faults


def check(asked: Sequence[Asked]) -> None:
    faults = told(outcomes(asked, PATIENCE))
    assert not faults, "\n\n".join(faults[:5])


def test_some_hundred_broken_files_and_mappings_harm_nobody():
    check([*batches(0, SHORT), *mappings(0, MAPPINGS_SHORT)])


@pytest.mark.faults
def test_ten_thousand_broken_files_and_mappings_harm_nobody():
    check([*batches(SHORT, LONG), *mappings(MAPPINGS_SHORT, MAPPINGS_LONG)])
