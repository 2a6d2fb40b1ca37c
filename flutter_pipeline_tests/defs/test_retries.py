"""Which errors a step is tried again after."""

import errno

import dagster as dg
import pytest

from flutter_pipeline.defs import asset
from flutter_pipeline.defs.asset import Made, Stage, at_most, audited_asset

AWAY = ConnectionResetError("the server is away")
FULL = OSError(errno.ENOSPC, "No space left on device")


def tries_until_it_ends(monkeypatch, errors: list[Exception]) -> tuple[int, bool]:
    """How often an asset is tried that meets these errors first, and whether it ends well."""
    monkeypatch.setattr(asset, "RETRY_SECONDS", 0.0)
    left, tries = list(errors), []
    small = at_most("rows", 10, "it is small")

    @audited_asset(Stage("raw", frozenset(), io="io_manager", expectations=(small,)))
    def flaky() -> Made:
        """Meets one error after the other."""
        tries.append(1)
        if left:
            raise left.pop(0)
        return Made(1, {"rows": 1})

    result = dg.materialize([flaky], raise_on_error=False)
    return len(tries), result.success


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([], (1, True)),
        ([AWAY], (2, True)),
        ([AWAY, AWAY], (3, True)),
        ([AWAY, AWAY, AWAY], (3, False)),
        ([FULL], (1, False)),
        ([AWAY, KeyError("flit_id")], (2, False)),
    ],
)
def test_a_step_is_tried_three_times_at_most_and_only_after_what_passes(
    monkeypatch, errors: list[Exception], expected: tuple[int, bool]
):
    assert tries_until_it_ends(monkeypatch, errors) == expected
