"""Landed files are broken in every way that could be thought of, and cost nobody but themselves.

No crash, no hang, no unbalanced book, bounded memory, good reasons; the good files of a batch go
in, nothing is left behind, and no file is taken twice. A failure says how to try it again.
"""

from collections.abc import Callable, Sequence

import pytest

from flutter_pipeline_tests.faults.fault_table import Told
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


def fault_of(outcome: Outcome) -> str:
    """What is wrong with an outcome, and the way to see it again; empty where all is fine."""
    if outcome.kind == "fine" and outcome.peak_mb <= PEAK_MB:
        return ""
    return f"{outcome.kind}, {outcome.peak_mb} MB: {outcome.said}\n{outcome.asked.replay}"


def check(asked: Sequence[Asked], tell: Callable[[Told], None]) -> None:
    faults, tried = [], 0
    for outcome in outcomes(asked, PATIENCE):
        tried += len(outcome.asked.numbers)
        fault = fault_of(outcome)
        faults += [fault] if fault else []
        case = "broken mappings" if outcome.asked.mapping else "broken landing files"
        tell(Told(case, trials=len(outcome.asked.numbers), lost=int(bool(fault))))
    assert not faults, "\n\n".join(faults[:5])
    # The table is a file that others may clear away; what was tried is counted here.
    assert tried == sum(len(batch.numbers) for batch in asked)


def test_some_hundred_broken_files_and_mappings_harm_nobody(tell):
    check([*batches(0, SHORT), *mappings(0, MAPPINGS_SHORT)], tell)


@pytest.mark.faults
def test_ten_thousand_broken_files_and_mappings_harm_nobody(tell):
    check([*batches(SHORT, LONG), *mappings(MAPPINGS_SHORT, MAPPINGS_LONG)], tell)
