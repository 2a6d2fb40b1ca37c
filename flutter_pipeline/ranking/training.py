"""The past candidates that a ranker learns from, with what became of each.

Each moment's features come from that moment's history; only labels, actions and places look at
what followed. Rows that were not liked are those that were proposed, or only those that the log
says were shown. A like further down counts more, since fewer look there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import (
    BoolArray,
    Engagements,
    FloatArray,
    IntArray,
    Network,
    known_before,
)
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.ranking.examination import (
    ExaminationConfig,
    examination_curve,
    weights_of_places,
)
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.labels import label
from flutter_pipeline.ranking.pairs import pair_keys

IMPRESSION = ACTIONS.index("impression")


class RowsConfig(BaseModel, frozen=True, extra="forbid"):
    """Which past candidates a ranker learns from, and what each counts."""

    negatives: Literal["proposed", "shown"] = Field(
        default="proposed",
        description="What was not liked: all that was proposed, or only what was shown then, "
        "where showings are logged.",
    )
    correct_places: bool = Field(
        default=True, description="Let a like count more where fewer look, if places are known."
    )
    examination: ExaminationConfig = Field(
        default=ExaminationConfig(), description="How it is learnt where birds look."
    )


class LearnerConfig(BaseModel, frozen=True, extra="forbid"):
    """What every ranker that learns can be told."""

    min_positives: int = Field(
        default=20, ge=1, description="Liked candidates below which nothing is learnt."
    )
    rows: RowsConfig = Field(
        default=RowsConfig(), description="Which past candidates it learns from."
    )


@dataclass(frozen=True)
class TrainingSet:
    """Features and what became of the same rows, moment after moment, a feed's rows together."""

    features: pd.DataFrame
    labels: BoolArray
    """Whether it was liked."""
    moment: IntArray
    """The moment of each row, ascending."""
    feed: IntArray
    """Number of the row's feed (a bird at a moment), ascending."""
    acted: BoolArray
    """Shape (rows, actions): what the bird did with it in the time that followed."""
    weights: FloatArray
    """What each row counts."""

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, keep: BoolArray) -> "TrainingSet":
        """Only the rows where ``keep`` is true."""
        return TrainingSet(
            self.features[keep],
            self.labels[keep],
            self.moment[keep],
            self.feed[keep],
            self.acted[keep],
            self.weights[keep],
        )


def training_set(
    network: Network,
    candidates: Mapping[int, pd.DataFrame],
    sources: Sequence[str],
    horizon: int,
    config: RowsConfig | None = None,
) -> TrainingSet:
    """Stack the candidate tables of several moments (the mapping's keys, microseconds).

    A candidate's label says whether it was liked within ``horizon`` microseconds. What arrived
    after the last moment's horizon was not yet known then, and counts as absent.
    """
    if not candidates:
        raise CorpusError(
            "no past moment to train a ranker on; land more days, or lower the test moments"
        )
    config = config or RowsConfig()
    known_by = max(candidates) + horizon
    parts = [
        _of_moment(network, candidates[moment], sources, (moment, moment + horizon, known_by))
        for moment in sorted(candidates)
    ]
    place = np.concatenate([place for _, place in parts])
    rows = _stacked([rows for rows, _ in parts])
    if config.correct_places:
        rows = _weighted(rows, place, network, known_by, config.examination)
    return _shown_or_liked(rows) if config.negatives == "shown" else rows


def _of_moment(
    network: Network,
    candidates: pd.DataFrame,
    sources: Sequence[str],
    window: tuple[int, int, int],
) -> tuple[TrainingSet, NDArray[np.int32]]:
    """One moment's rows, and the place where each was shown, 0 where it was not or is not known.

    ``window`` is the moment, its end, and the time by which all had to be known.
    """
    moment, end, known_by = window
    bird = candidates["bird"].to_numpy(dtype=np.int64)
    order = np.argsort(bird, kind="stable")
    frame = candidates.iloc[order]
    followed = network.engagements.between(moment, end)
    acted, place = _what_followed(frame, followed.where(followed.arrived_at < known_by))
    rows = TrainingSet(
        features=build_features(frame, known_before(network, moment), sources),
        labels=label(frame, network, (moment, end), known_by),
        moment=np.full(len(frame), moment, dtype=np.int64),
        feed=bird[order],
        acted=acted,
        weights=np.ones(len(frame), dtype=np.float32),
    )
    return rows, place


def _what_followed(
    frame: pd.DataFrame, followed: Engagements
) -> tuple[BoolArray, NDArray[np.int32]]:
    """What each row's bird did with its flit, shape (rows, actions), and where it was shown."""
    width = 1 + max(
        int(frame["flit"].max()) if len(frame) else 0, int(followed.flit.max(initial=0))
    )
    wanted = pair_keys(
        frame["bird"].to_numpy(dtype=np.int64), frame["flit"].to_numpy(dtype=np.int64), width
    )
    order = np.argsort(wanted, kind="stable")
    keys = pair_keys(followed.bird, followed.flit, width)
    at = np.searchsorted(wanted[order], keys)
    found = (
        (at < len(wanted)) & (wanted[order][np.minimum(at, len(wanted) - 1)] == keys)
        if len(wanted)
        else np.zeros(len(keys), dtype=bool)
    )
    row = order[at[found]]
    acted = np.zeros((len(wanted), len(ACTIONS)), dtype=bool)
    acted[row, followed.action[found]] = True
    place = np.zeros(len(wanted), dtype=np.int32)
    np.maximum.at(place, row, followed.position[found])
    return acted, place


def _stacked(parts: Sequence[TrainingSet]) -> TrainingSet:
    """Moments as one; feeds are numbered anew, over all of them."""
    moment = np.concatenate([part.moment for part in parts])
    bird = np.concatenate([part.feed for part in parts])
    starts = (np.diff(moment, prepend=-1) != 0) | (np.diff(bird, prepend=-1) != 0)
    return TrainingSet(
        features=pd.concat([part.features for part in parts], ignore_index=True),
        labels=np.concatenate([part.labels for part in parts]),
        moment=moment,
        feed=np.cumsum(starts) - 1,
        acted=np.concatenate([part.acted for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )


def _weighted(
    rows: TrainingSet,
    place: NDArray[np.int32],
    network: Network,
    known_by: int,
    config: ExaminationConfig,
) -> TrainingSet:
    """Likes weighed by the inverse of how many look where they stood; other rows count 1."""
    curve = examination_curve(known_before(network, known_by).engagements, config)
    weights = rows.weights.copy()
    weights[rows.labels] = weights_of_places(place[rows.labels], curve)
    return TrainingSet(rows.features, rows.labels, rows.moment, rows.feed, rows.acted, weights)


def _shown_or_liked(rows: TrainingSet) -> TrainingSet:
    """Without what was neither shown nor liked; all rows where no showing is logged."""
    shown = rows.acted[:, IMPRESSION]
    return rows.where(shown | rows.labels) if shown.any() else rows


def check_enough(rows: TrainingSet, min_positives: int) -> None:
    """Raise CorpusError where fewer rows were liked, or none was not."""
    n_liked = int(np.count_nonzero(rows.labels))
    if n_liked < min_positives or n_liked == len(rows):
        raise CorpusError(
            f"cannot learn to rank from {n_liked} liked among {len(rows)} candidates; expected "
            f"at least {min_positives} liked and some that were not: "
            "take more training moments or birds, or land more days"
        )


def parted(rows: TrainingSet) -> tuple[TrainingSet, TrainingSet]:
    """The rows to learn from, and those of the last moment to stop and calibrate by.

    Of a single moment, or where one side would hold no like, every fifth feed is held out.
    """
    last = rows.moment == rows.moment.max()
    if not (rows.labels[last].any() and rows.labels[~last].any()):
        last = rows.feed % 5 == 4
    if not (rows.labels[last].any() and rows.labels[~last].any()):
        # Too few likes to part; what is stopped by is then what was learnt from.
        return rows, rows
    return rows.where(~last), rows.where(last)
