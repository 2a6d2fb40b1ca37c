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


CURVE = "curve."
"""Begins the name of an array that tells how a figure moved while something was trained."""

FIGURES = "figures"
"""The setting that holds, by name, the figures that a training ended with."""


def curves_of(state: State) -> dict[str, list[float]]:
    """Each figure that moved, look after look; NaN where there was none at a look."""
    return {
        name.removeprefix(CURVE): [float(value) for value in array]
        for name, array in state.arrays.items()
        if name.startswith(CURVE)
    }


def figures_of(state: State) -> dict[str, float]:
    """The figures that the training ended with; none for most things."""
    return dict(state.settings.get(FIGURES, {}))
