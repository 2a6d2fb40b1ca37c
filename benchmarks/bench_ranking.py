"""What each kind of ranker is worth on a finished run, and which features it rests on.

    python benchmarks/bench_ranking.py --data FOLDER [--kinds logistic,lambdarank] [--test]

Every kind learns from all training moments but one and orders that one, in turn, so what is chosen
here is chosen without a look at the test moments; ``--test`` looks there, once per kind. NDCG is
over all flits that a bird came to like, reached or not; the difference to the logistic ranker is
paired, bird by bird. ECE is the expected calibration error over all candidates.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import Network, load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.defs.moments import backtest_config, pool_at
from flutter_pipeline.evaluation.calibration import expected_calibration_error
from flutter_pipeline.evaluation.held_out import of_feeds_with_likes
from flutter_pipeline.evaluation.importance import ablation, permutation_importance
from flutter_pipeline.evaluation.metrics import Shown, ndcg
from flutter_pipeline.evaluation.past import (
    fused_by_moment,
    ndcg_of_orders,
    sources_of,
    weights_of,
)
from flutter_pipeline.evaluation.significance import paired_difference
from flutter_pipeline.evaluation.split import BacktestConfig, Moments, Trial, moments, trial_at
from flutter_pipeline.ranking.features import feature_groups, signals_of
from flutter_pipeline.ranking.pairs import found_in, pair_keys
from flutter_pipeline.ranking.ranker import Ranker, ranker_kind
from flutter_pipeline.ranking.training import RowsConfig, TrainingSet, training_set
from flutter_pipeline.settings import Settings, read_settings

KINDS = ("blend", "logistic", "lambdarank", "wide_and_deep")
YARDSTICK = "logistic"


@dataclass(frozen=True)
class Ground:
    """A finished run, ready to learn from and to judge by."""

    network: Network
    moments: Moments
    candidates: Mapping[int, pd.DataFrame]
    trials: Mapping[int, Trial]
    backtest: BacktestConfig

    def rows(self, chosen: Sequence[int], config: RowsConfig | None = None) -> TrainingSet:
        """The training set of these moments."""
        some = {moment: self.candidates[moment] for moment in chosen}
        sources = sources_of(next(iter(some.values())))
        return training_set(self.network, some, sources, self.backtest.step, config)


def ground_of(settings: Settings) -> Ground:
    """Everything from the stores of the data folder."""
    models, tables = VersionStore(settings.data / "models"), TableStore(settings.data / "tables")
    stored = models.current("network")
    network, config = load_network(stored.state), backtest_config(settings)
    found = moments(network, stored.facts["as_of"], config)
    past = with_codes(tables.read("past_candidates"), network)
    every = (*found.train, *found.test)
    keep = settings.config(CandidateConfig, "candidates").keep
    fused = fused_by_moment(past, every, weights_of(tables.read("source_weights")), keep)
    trials = {moment: trial_at(pool_at(network, moment, settings), config) for moment in every}
    return Ground(network, found, fused, trials, config)


def ndcg_by_bird(trial: Trial, candidates: pd.DataFrame, score: np.ndarray, k: int) -> np.ndarray:
    """NDCG@k of each bird of the trial, by the order of ``score`` over its candidates."""
    frame = candidates.loc[:, ["bird", "flit"]].assign(score=-score)
    frame = frame[np.isin(frame["bird"], trial.birds)].sort_values(["bird", "score", "flit"])
    bird, flit = (frame[code].to_numpy(dtype=np.int64) for code in ("bird", "flit"))
    width = len(trial.pool.history.known)
    targets = pair_keys(trial.target_bird, trial.target_flit, width)
    row = np.searchsorted(trial.birds, bird)
    counts = np.bincount(
        np.searchsorted(trial.birds, trial.target_bird), minlength=len(trial.birds)
    )
    rank = np.arange(len(bird)) - np.searchsorted(bird, bird) + 1
    hit = found_in(pair_keys(bird, flit, width), targets)
    return ndcg(Shown(row, flit, rank, hit, counts), k)


def judged(kind: str, ground: Ground, test: bool, rows: RowsConfig | None) -> dict[str, np.ndarray]:
    """`ndcg` of each bird, `score` and `liked` of each candidate, `seconds` of each training."""
    train = ground.moments.train
    folds = (
        [(train, ground.moments.test)]
        if test
        else [(tuple(one for one in train if one != held), (held,)) for held in train]
    )
    found: dict[str, list[np.ndarray]] = {"ndcg": [], "score": [], "liked": [], "seconds": []}
    config = ranker_kind(kind).config()
    for learnt, held in folds:
        chosen = ground.rows(learnt, rows)
        start = time.perf_counter()
        ranker = ranker_kind(kind).train(chosen, config)
        found["seconds"].append(np.array([time.perf_counter() - start]))
        for moment in held:
            here = ground.rows([moment])
            score = ranker.score(here.features)
            table = ground.candidates[moment].sort_values("bird", kind="stable")
            found["ndcg"].append(
                ndcg_by_bird(ground.trials[moment], table, score, ground.backtest.k)
            )
            found["score"].append(score)
            found["liked"].append(here.labels)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def show_kinds(ground: Ground, kinds: Sequence[str], test: bool, rows: RowsConfig | None) -> None:
    """The table of kinds."""
    results = {kind: judged(kind, ground, test, rows) for kind in kinds}
    where = "test moments" if test else "training moments, each held out in turn"
    birds = len(next(iter(results.values()))["ndcg"])
    print(f"{birds:,} feeds of {where}")
    print(
        f"{'kind':16}{'NDCG@' + str(ground.backtest.k):>9}{'to ' + YARDSTICK:>27}{'ECE':>9}"
        f"{'train s':>9}"
    )
    for kind, one in results.items():
        beside = ""
        if YARDSTICK in results and kind != YARDSTICK:
            other = results[YARDSTICK]["ndcg"]
            gap = paired_difference(one["ndcg"][:, None], other[:, None], 2000, 0.95, 0)
            beside = f"{gap.mean[0]:+.4f} ({gap.low[0]:+.4f} to {gap.high[0]:+.4f})"
        error = expected_calibration_error(one["score"], one["liked"])
        print(
            f"{kind:16}{one['ndcg'].mean():9.4f}{beside:>27}{error:9.5f}"
            f"{one['seconds'].mean():9.1f}"
        )


def show_importance(ground: Ground, kind: str, rows: RowsConfig | None) -> None:
    """What the last training moment loses, feature by feature and group by group."""
    *earlier, last = ground.moments.train
    config = ranker_kind(kind).config()

    def train(some: TrainingSet) -> Ranker:
        return ranker_kind(kind).train(some, config)

    learnt, held = ground.rows(earlier, rows), ground.rows([last])
    table = ground.candidates[last].sort_values("bird", kind="stable")
    chosen = of_feeds_with_likes(held)
    held = held.where(chosen)
    number = np.unique(held.feed, return_inverse=True)[1]
    value = ndcg_of_orders(table[chosen].assign(feed=number, liked=held.labels), ground.backtest.k)
    groups = feature_groups(sources_of(table), signals_of(table))
    start = time.perf_counter()
    shuffled = permutation_importance(train(learnt), held.features, value, groups, seed=0)
    print(f"\n{kind}: NDCG lost when shuffled ({time.perf_counter() - start:.1f} s), most first")
    for by, some in shuffled.groupby("by", sort=False):
        for name, lost in some[["name", "lost"]].head(15).itertuples(index=False):
            print(f"  {by:8}{name:44}{lost:+.4f}")
    start = time.perf_counter()
    left_out = ablation(train, learnt, held, value, groups)
    print(f"{kind}: NDCG lost when never there ({time.perf_counter() - start:.1f} s)")
    for name, lost in left_out[["name", "lost"]].itertuples(index=False):
        print(f"  {name:44}{lost:+.4f}")


def main() -> None:
    """Print the table of kinds, then what the best known kind rests on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a data folder that has been run")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--test", action="store_true", help="judge on the test moments")
    parser.add_argument("--negatives", choices=["proposed", "shown"], default="proposed")
    parser.add_argument("--no-places", action="store_true", help="leave position bias as it is")
    parser.add_argument("--no-importance", action="store_true", help="print the first table only")
    asked = parser.parse_args()
    rows = RowsConfig(negatives=asked.negatives, correct_places=not asked.no_places)
    ground = ground_of(read_settings({"FLUTTER_DATA": str(asked.data)}))
    kinds = asked.kinds.split(",")
    show_kinds(ground, kinds, asked.test, rows)
    if not asked.no_importance:
        show_importance(ground, kinds[-1], rows)


if __name__ == "__main__":
    main()
