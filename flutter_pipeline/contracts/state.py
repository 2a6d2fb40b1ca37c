"""The frozen state of a trained thing: what has to be kept to have it back, bit for bit.

Stages give and take states as values; writing them to disk is an adapter's work.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Progress = Callable[[int, int], None]
"""Called with (done, total) while something long goes on."""


def no_progress(done: int, total: int) -> None:
    """The progress that nobody watches."""


@dataclass(frozen=True)
class State:
    """Settings (JSON-able) and arrays (numeric, or fixed-width ``U`` strings; never objects)."""

    settings: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
