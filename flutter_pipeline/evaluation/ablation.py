"""Which source pays: feeds of all sources, and of all but each in turn, on the same past ground.

Weights are fitted anew for every set of sources, and the ranker is trained anew, on the training
moments alone: so what a source is missed for is what no other one could make up for. Knows no kind
of ranker and no way to fit; both are handed in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.backtest import BLEND, RANKED, Contest
from flutter_pipeline.evaluation.judging import shown_of
from flutter_pipeline.evaluation.metrics import Values, ndcg
from flutter_pipeline.evaluation.past import fused_by_moment, sources_of
from flutter_pipeline.evaluation.split import Trial
from flutter_pipeline.evaluation.summary import compared
from flutter_pipeline.evaluation.yardstick import Yardstick
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.ranker import Ranker

ALL = "all"

Fit = Callable[[pd.DataFrame, tuple[str, ...]], Mapping[str, float]]
"""(past candidates, sources) -> a weight for each source; looks at training moments only."""

Learn = Callable[[Mapping[int, pd.DataFrame], tuple[str, ...]], Ranker]
"""(fused candidates by training moment, sources) -> a ranker."""


@dataclass(frozen=True)
class Ground:
    """What an ablation works on."""

    past: pd.DataFrame
    """Wide candidates of all moments, with `moment` and `liked`, of all sources."""
    train: tuple[int, ...]
    trials: Sequence[Trial]
    contest: Contest
    """Rules, ``keep`` and k are those of the backtest; its ranker is not used."""


def ablation(
    ground: Ground, fit: Fit, learn: Learn | None = None, progress: Progress = no_progress
) -> pd.DataFrame:
    """A row for each method (blend and, with ``learn``, ranked) and each source.

    The columns `method, source, ndcg, gain, low, high, p, birds`: NDCG@k of the feeds without the
    source, and what the source adds to it, with its interval and Holm's p over the sources. The
    source ``all`` is the feed with every source; it adds nothing. Raises CorpusError where there
    is but one source, or no bird to judge.
    """
    sources = sources_of(ground.past)
    if len(sources) < 2 or not any(len(trial.birds) for trial in ground.trials):
        raise CorpusError(
            f"found {len(sources)} sources and {sum(len(one.birds) for one in ground.trials)} "
            "birds with a target; leaving a source out takes two sources and a bird: "
            "switch more sources on, or land more days"
        )
    sticks = [Yardstick(trial, ground.contest.config) for trial in ground.trials]
    rows = []
    for done, left_out in enumerate([ALL, *sources]):
        for method, stick, values in _judged(ground, left_out, (fit, learn), sticks):
            birds = {"bird": stick.trial.birds, "moment": stick.trial.moment, "ndcg": values}
            rows.append(pd.DataFrame({"by": method, "method": left_out, **birds}))
        progress(done + 1, len(sources) + 1)
    table = pd.concat(rows, ignore_index=True)
    methods = [name for name in (BLEND, RANKED) if (table["by"] == name).any()]
    return pd.concat(
        [
            _gains(table[table["by"] == name], ground.contest).assign(method=name)
            for name in methods
        ],
        ignore_index=True,
    )[["method", "source", "ndcg", "gain", "low", "high", "p", "birds"]]


def without_source(past: pd.DataFrame, source: str) -> pd.DataFrame:
    """The candidates that the other sources proposed; one that is not there takes nothing away.

    `because` and `best_source` may still speak of the source; neither orders anything.
    """
    other = past.drop(columns=[f"rank_{source}", f"score_{source}"], errors="ignore")
    ranks = [f"rank_{name}" for name in sources_of(other)]
    return other[(other[ranks] > 0).any(axis=1)]


def _judged(
    ground: Ground,
    left_out: str,
    ways: tuple[Fit, Learn | None],
    sticks: Sequence[Yardstick],
) -> Iterator[tuple[str, Yardstick, Values]]:
    """NDCG of each bird at each trial, for the blend and, where one is learnt, the ranker."""
    fit, learn = ways
    past, contest = without_source(ground.past, left_out), ground.contest
    sources = sources_of(past)
    weights = fit(past, sources)
    ranker = None
    if learn is not None:
        ranker = learn(fused_by_moment(past, ground.train, weights, contest.keep), sources)
    for stick in sticks:
        trial = stick.trial
        here = past[(past["moment"] == trial.moment) & past["bird"].isin(trial.birds)]
        kept = fused_by_moment(here, (trial.moment,), weights, contest.keep)[trial.moment]
        scores = {BLEND: kept["fused"].to_numpy()}
        if ranker is not None:
            scores[RANKED] = ranker.score(build_features(kept, trial.pool.history, sources))
        for method, score in scores.items():
            ranking = kept[["bird", "flit"]].assign(score=score)
            yield method, stick, ndcg(shown_of(stick, ranking, contest.filters), stick.k)


def _gains(per_bird: pd.DataFrame, contest: Contest) -> pd.DataFrame:
    """One method's rows of the table: its ``method`` is the source that was left out."""
    found = compared(per_bird, ALL, contest.config)
    means = per_bird.groupby(["method", "bird"])["ndcg"].mean().groupby("method").mean()
    gains = pd.DataFrame(
        {
            "source": found["method"],
            "gain": -found["difference"],
            "low": -found["high"],
            "high": -found["low"],
            "p": found["holm_p"],
            "birds": found["birds"],
        }
    )
    whole = pd.DataFrame({"source": [ALL], "birds": found["birds"].max()})
    table = pd.concat([whole, gains], ignore_index=True)
    return table.assign(ndcg=table["source"].map(means))
