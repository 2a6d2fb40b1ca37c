"""One day held against its reference: every measure's score, and then which of them are alarms.

Text, language, topics and vectors are measured on what a feed could show: without spam, and with
one flit of each group of near-copies of a day. So a flood of copies moves the share of near-copies
and nothing else, and a day's alarms say by themselves whether models are out of date or somebody
floods the network. Which days there are, and where rows come from, is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.drift.bundles import Bundles, Features, Statistic, bundles_of
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.distances import (
    bursts,
    collisions,
    gaussian_columns,
    gaussian_divergence,
    jensen_shannon,
    mean_distance,
    repeated_share,
    unseen_share,
)
from flutter_pipeline.drift.features import (
    clusters_of,
    copy_columns,
    fourier_columns,
    frequent,
    one_of,
    said_by,
    space_of,
    words_and_counts,
)
from flutter_pipeline.drift.scores import Score, adjusted, p_among, score_at, score_of
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.text.copy_groups import near_copy_groups
from flutter_pipeline.text.near_copies import NearCopyConfig

COPYING = ("near_copies", "floods")
"""The measures that a flood moves; no reason to learn anything anew."""

FEWEST_BIRDS = 3
"""Whatever fewer birds say in a whole window is no burst, and takes room."""

CUBE_ROOT, SQUARE_ROOT = 1 / 3, 1 / 2
FLIT_COLUMNS = ("flit_id", "bird_id", "tokens", "lang", "spam", "minhash")
"""What is looked at of cleaned tokens."""


@dataclass(frozen=True)
class Window:
    """A day and its reference, as rows."""

    today: str
    flits: pd.DataFrame
    """``FLIT_COLUMNS`` and the ``day``."""
    vectors: Mapping[str, Matrix]
    """By encoder, a row a flit. The last encoder's clusters are the topics."""
    engagements: pd.DataFrame
    """``day``, ``bird_id``, and a column for each action that counts the bird's of that day."""
    copies: NearCopyConfig


@dataclass(frozen=True)
class DayRows:
    """What is looked at of one day; parts of a :class:`Window`."""

    day: str
    flits: pd.DataFrame
    vectors: Mapping[str, Matrix]
    engagements: pd.DataFrame


@dataclass(frozen=True)
class Judged:
    """A measure of a day, and what is made of it. NaN where there was too little to say."""

    score: Score
    limit: float
    """The value above which this measure alone would stand out."""
    matters: float
    """The value from which its effect is large enough."""
    p: float
    adjusted_p: float
    threshold: float
    counts_as: float
    """The score that later days are held against: the day's own, or what just stands out."""
    earlier: int
    """Scores of earlier days that it was held against."""

    def stands_out(self, level: float) -> bool:
        """Whether chance is no good reason."""
        return self.adjusted_p <= level

    def alarm(self, level: float) -> bool:
        """Whether it stands out, and by enough to matter."""
        return self.stands_out(level) and self.score.effect >= self.threshold


def window_of(days: Sequence[DayRows], copies: NearCopyConfig) -> Window:
    """The last of ``days`` beside all others."""
    names = list(days[-1].vectors)
    return Window(
        today=days[-1].day,
        flits=pd.concat([one.flits.assign(day=one.day) for one in days], ignore_index=True),
        vectors={name: np.concatenate([one.vectors[name] for one in days]) for name in names},
        engagements=pd.concat(
            [one.engagements.assign(day=one.day) for one in days], ignore_index=True
        ),
        copies=copies,
    )


def scores_of(window: Window, config: DriftConfig) -> dict[str, Score]:
    """The score of every measure that the day is large enough for."""
    flits = window.flits
    groups = near_copy_groups(flits["minhash"], window.copies)
    found: dict[str, Score] = {}
    everything = _bundles(flits, window.today, config)
    if everything is not None:
        copies = copy_columns(groups)
        share = _Measure(copies, repeated_share, SQUARE_ROOT)
        flood = _Measure(copies, collisions, SQUARE_ROOT, rooted=True)
        found = dict(zip(COPYING, (share.score(everything), flood.score(everything)), strict=True))
    kept = shown_rows(flits, groups)
    shown = flits.iloc[kept]
    bundles = _bundles(shown, window.today, config)
    if bundles is not None:
        vectors = {name: rows[kept] for name, rows in window.vectors.items()}
        measures = _text(shown, config)
        is_reference = (shown["day"] != window.today).to_numpy()
        for name, rows in vectors.items():
            measures |= _space(name, rows, rows[is_reference], config)
        if vectors:
            # One cloud's clusters are enough; the other encoders would say the same again.
            last = list(vectors)[-1]
            measures["topics"] = _topics(vectors[last], is_reference, config)
        found |= {name: measure.score(bundles) for name, measure in measures.items()}
    actions = _bundles(window.engagements, window.today, config)
    if actions is not None:
        counts = window.engagements[list(ACTIONS)].to_numpy(np.float64)
        found["engagements"] = _Measure(counts, jensen_shannon).score(actions)
    return found


def judged(
    scores: Mapping[str, Score], earlier: Mapping[str, list[float]], config: DriftConfig
) -> dict[str, Judged]:
    """``scores`` beside those of ``earlier`` days, corrected for there being so many."""
    enough = {name: past for name, past in earlier.items() if len(past) >= config.min_history}
    p = {
        name: p_among(one.score, enough[name]) if name in enough else float("nan")
        for name, one in scores.items()
    }
    after = adjusted(p)
    # What the smallest of so many p-values has to be below.
    first = config.level / max(1, sum(not np.isnan(value) for value in p.values()))
    limits = {
        name: score_at(first, enough[name]) if name in enough else float("nan") for name in scores
    }
    return {
        name: Judged(
            score=one,
            limit=one.value_at(limits[name]),
            matters=one.value_of(threshold_of(name, config)),
            p=p[name],
            adjusted_p=after[name],
            threshold=threshold_of(name, config),
            # Left out, days that stand out by chance would make later ones stand out too often;
            # taken in full, a day of real drift would hide the next.
            counts_as=float(np.fmin(one.score, limits[name])),
            earlier=len(earlier.get(name, ())),
        )
        for name, one in scores.items()
    }


def threshold_of(measure: str, config: DriftConfig) -> float:
    """The least effect of a measure that matters."""
    return getattr(config.thresholds, measure.partition(" ")[0])


@dataclass(frozen=True)
class _Measure:
    """What is summed of each row, and how far the sums of a day are from the rest's."""

    features: Features
    statistic: Statistic
    power: float = CUBE_ROOT
    rooted: bool = False
    by_birds: bool = False
    """Whether it counts who says a word, rather than how often it is said."""

    def score(self, bundles: Bundles) -> Score:
        by_bundle = bundles.by_bundle(self.features)
        if self.by_birds and isinstance(by_bundle, csr_matrix):
            by_bundle = said_by(by_bundle, FEWEST_BIRDS)
        sums = bundles.over_days(by_bundle)
        return score_of(self.statistic(*sums), self.power, self.rooted)


def shown_rows(flits: pd.DataFrame, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows that are no spam, and the first of their group on their day."""
    first = ~pd.DataFrame({"day": flits["day"].to_numpy(), "group": groups}).duplicated()
    return np.flatnonzero(first.to_numpy() & ~flits["spam"].to_numpy(dtype=np.bool_))


def _bundles(rows: pd.DataFrame, today: str, config: DriftConfig) -> Bundles | None:
    """Bundles of ``rows``, or None where the day or its reference has too few birds."""
    if rows.empty:
        return None
    bundles = bundles_of(rows["bird_id"], rows["day"], today, config.permutations, config.seed)
    mine = int(np.count_nonzero(bundles.is_today))
    fewest = min(mine, len(bundles.is_today) - mine)
    return bundles if fewest >= config.min_birds else None


def _text(flits: pd.DataFrame, config: DriftConfig) -> dict[str, _Measure]:
    _, counts = words_and_counts(flits["tokens"])
    return {
        "tokens": _Measure(frequent(counts, config.words), jensen_shannon),
        "bursts": _Measure(counts, bursts, SQUARE_ROOT, by_birds=True),
        "new_words": _Measure(counts, unseen_share, SQUARE_ROOT),
        "languages": _Measure(one_of(flits["lang"]), jensen_shannon),
    }


def _space(
    encoder: str, vectors: Matrix, reference: Matrix, config: DriftConfig
) -> dict[str, _Measure]:
    waves = fourier_columns(vectors, reference, config)
    points = gaussian_columns(space_of(reference, config).points(vectors))
    return {
        f"vectors {encoder}": _Measure(waves, mean_distance, rooted=True),
        f"gaussian {encoder}": _Measure(points, gaussian_divergence),
    }


def topics_of(
    vectors: Matrix, is_reference: NDArray[np.bool_], config: DriftConfig
) -> NDArray[np.int64]:
    """For each row the cluster of the reference's vectors that it is nearest to."""
    points = space_of(vectors[is_reference], config).points(vectors)
    return clusters_of(points, points[is_reference], config)


def _topics(vectors: Matrix, is_reference: NDArray[np.bool_], config: DriftConfig) -> _Measure:
    nearest = topics_of(vectors, is_reference, config)
    return _Measure(one_of(pd.Series(nearest)), jensen_shannon)
