"""One method's feeds of one moment, held to a yardstick: every metric, for every bird.

A new metric is its function and one line here. Knows no sources, no rankers and no other moments.
"""

import numpy as np
import pandas as pd

from flutter_pipeline.evaluation.beyond_accuracy import (
    coverage,
    diversity,
    gini,
    miscalibration,
    novelty,
    popularity,
    popularity_lift,
    serendipity,
)
from flutter_pipeline.evaluation.metrics import ACCURACY, Shown, Values, recall, share
from flutter_pipeline.evaluation.slices import place_among
from flutter_pipeline.evaluation.yardstick import Yardstick
from flutter_pipeline.filtering.feed import Extras, fill_feeds
from flutter_pipeline.filtering.rule import FilterConfig


def shown_of(
    stick: Yardstick, ranking: pd.DataFrame, filters: FilterConfig, extras: Extras | None = None
) -> Shown:
    """The feeds that ``ranking`` (`bird, flit, score`, higher is better) fills under the rules."""
    history = stick.trial.pool.history
    feeds = fill_feeds(ranking, history, filters, stick.k, extras or Extras()).rows
    bird, flit, rank = (feeds[name].to_numpy(dtype=np.int64) for name in ("bird", "flit", "rank"))
    return Shown(
        bird=place_among(bird, stick.trial.birds),
        flit=flit,
        rank=rank,
        hit=stick.hits(bird, flit),
        targets=stick.targets,
    )


def judged_birds(stick: Yardstick, shown: Shown, ranking: pd.DataFrame) -> pd.DataFrame:
    """A row a bird of the trial: its slices, and a column for each metric of its feed."""
    columns = {name: metric(shown, stick.k) for name, metric in ACCURACY.items()}
    for name, (mask, targets) in stick.kinds.items():
        only = shown.where(mask[shown.flit])
        of_kind = Shown(only.bird, only.flit, only.rank, only.hit, targets)
        columns[f"{name}_recall"] = recall(of_kind, stick.k)
    columns["candidate_recall"] = _candidate_recall(stick, ranking)
    expected = stick.expected(shown.bird, shown.flit)
    columns["serendipity"] = serendipity(shown, expected, stick.k)
    columns["novelty"] = novelty(shown, stick.likes)
    columns["popularity"] = popularity(shown, stick.likes)
    columns["popularity_lift"] = popularity_lift(shown, stick.likes, stick.own_popularity)
    for name, (category, wanted) in stick.mixes.items():
        columns[name] = miscalibration(shown, category, wanted)
    if stick.content is not None:
        columns["diversity"] = diversity(shown, stick.content.vectors)
    return pd.concat([stick.slices, pd.DataFrame(columns)], axis=1)


def judged_lists(stick: Yardstick, shown: Shown) -> dict[str, float]:
    """What belongs to the feeds of all birds together."""
    n_feeds = len(np.unique(shown.bird))
    pool = len(stick.trial.pool.flits)
    return {
        "coverage": coverage(shown.flit, pool),
        "gini": gini(shown.flit, pool),
        "feeds": n_feeds,
        "mean_length": len(shown.flit) / n_feeds if n_feeds else 0.0,
    }


def _candidate_recall(stick: Yardstick, ranking: pd.DataFrame) -> Values:
    """Share of each bird's targets that the method ranked at all, before rules and feed size."""
    bird, flit = (ranking[name].to_numpy(dtype=np.int64) for name in ("bird", "flit"))
    hit = stick.hits(bird, flit)
    row = place_among(bird[hit], stick.trial.birds)
    return share(np.bincount(row, minlength=len(stick.trial.birds)), stick.targets)
