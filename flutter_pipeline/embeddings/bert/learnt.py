"""What a training adds to a model as it was found: new weights, a whitening, or nothing.

Knows how to put it into a model and how to keep it; not how it is learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flutter_pipeline.contracts.state import CURVE, FIGURES, Progress, State, curves_of
from flutter_pipeline.embeddings.bert.fine_tuning.tuning import Tuned
from flutter_pipeline.embeddings.bert.whitening import Whitening, load_whitening
from flutter_pipeline.errors import VersionError

WEIGHTS = "weights."
WHITENING = "whitening."
LOSS, GAIN = "loss", "next_like_gain"
PART = 1000
"""Steps that each of several trainings counts for in the progress of all."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """What came on top; by default nothing."""

    tuned: Tuned | None = None
    whitening: Whitening | None = None

    def put_into(self, model: Any) -> None:
        """Replace weights of ``model`` (of transformers, just loaded) by those that are new."""
        import torch

        if self.tuned is None:
            return
        new = {name: torch.from_numpy(array) for name, array in self.tuned.weights.items()}
        strange = sorted(set(new) - set(model.state_dict()))
        if strange:
            raise VersionError(
                f"the model has no weights called {strange[0]}, which this version has learnt; "
                "train the encoder anew"
            )
        model.load_state_dict(new, strict=False)

    def state(self) -> State:
        """The part of an encoder's state that tells what was learnt."""
        settings: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        if self.tuned is not None:
            settings[FIGURES] = {
                "fine_tuned_steps": self.tuned.step,
                f"{GAIN}_before": self.tuned.gains[0],
                f"{GAIN}_after": max(self.tuned.gains),
            }
            arrays |= {WEIGHTS + name: array for name, array in self.tuned.weights.items()}
            arrays[CURVE + LOSS] = np.array(self.tuned.losses)
            arrays[CURVE + GAIN] = np.array(self.tuned.gains)
        if self.whitening is not None:
            kept = self.whitening.state().arrays
            arrays |= {WHITENING + name: array for name, array in kept.items()}
        return State(settings, arrays)


NOTHING = Learnt()


def load_learnt(state: State) -> Learnt:
    """What was learnt by the encoder whose state this is."""
    whitening = _below(WHITENING, state)
    curves = curves_of(state)
    tuned = None
    if GAIN in curves:
        tuned = Tuned(
            weights=_below(WEIGHTS, state),
            step=state.settings[FIGURES]["fine_tuned_steps"],
            losses=tuple(curves[LOSS]),
            gains=tuple(curves[GAIN]),
        )
    return Learnt(tuned, load_whitening(State({}, whitening)) if whitening else None)


def sample_of(flits: Sequence[str], most: int, seed: int = 0) -> list[str]:
    """At most ``most`` of the different flits that are not empty, whatever their order was."""
    different = sorted({flit for flit in flits if flit.strip()})
    chosen = np.random.default_rng(seed).permutation(len(different))[:most]
    return [different[place] for place in np.sort(chosen)]


def in_turn(progress: Progress, *parts: bool) -> list[Progress]:
    """A progress for each part of a training; those that are not there never call theirs.

    Together they rise once from nothing to all, whatever each of them counts.
    """
    there = sum(parts)
    if there <= 1:
        return [progress] * len(parts)

    def part(place: int) -> Progress:
        def report(done: int, total: int) -> None:
            progress(PART * place + PART * done // total, PART * there)

        return report

    return [part(sum(parts[:place])) for place in range(len(parts))]


def _below(prefix: str, state: State) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in state.arrays.items()
        if name.startswith(prefix)
    }
