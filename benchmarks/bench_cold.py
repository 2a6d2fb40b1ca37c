"""Cold birds and cold flits: what each source, and their blend, does for whom little is known of.

    python benchmarks/bench_cold.py --data FOLDER

``FOLDER`` is the data folder of a finished run; nothing is written there. The last five days are
replayed from what was known each morning, and weights of blends are fitted on the seven before.
Birds are told apart by what they had liked at the moment, targets by how often they had been liked.
Feeds are the first ten candidates, before any rule. Intervals are by bootstrap over birds, those
of differences paired: what the blend loses where sources are left out, with weights fitted anew.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.birds.history import DAY, Network, Told, build_network, known_before
from flutter_pipeline.candidates.merge import fuse, merge, score_all
from flutter_pipeline.candidates.propose import CandidateConfig, sources_at
from flutter_pipeline.candidates.source import Pool, Proposals, Source, pool_of
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.evaluation.metrics import Shown, ndcg, recall
from flutter_pipeline.evaluation.past import validated_weights
from flutter_pipeline.evaluation.significance import interval
from flutter_pipeline.evaluation.slices import likes_of_birds, likes_of_flits
from flutter_pipeline.evaluation.split import BacktestConfig, Trial, moments, trial_at
from flutter_pipeline.ranking.labels import label
from flutter_pipeline.text.cleaned import TextConfig
from flutter_pipeline.text.copy_groups import near_copy_groups

K = 10
FEW = 5
"""A bird with fewer likes is new, and a flit cold."""
GROUPS = {"0 likes": (0, 0), "1-4": (1, FEW - 1), "5 and more": (FEW, np.inf)}
COLD = ("popular_local", "followed_likes", "by_author", "circle_")
"""Names, or how they begin, of the sources that are there for the cold."""
RESAMPLES, LEVEL = 1000, 0.95

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Day:
    """One moment: who came by, and what every source proposed to them."""

    trial: Trial
    sources: dict[str, Source]
    proposed: dict[str, Proposals]

    def table(self, sources: Sequence[str]) -> pd.DataFrame:
        """The wide candidate table of these sources, and what was liked."""
        network, moment = self.trial.pool.history.network, self.trial.moment
        merged = merge({name: self.proposed[name] for name in sources})
        wide = score_all(merged, [self.sources[name] for name in sources])
        liked = label(wide, network, (moment, moment + DAY))
        return wide.assign(moment=np.int64(moment), liked=liked)


def read_run(folder: Path) -> tuple[Network, dict[str, Matrix]]:
    """The network of a data folder, and the vectors of each encoder that serves there."""
    tables = TableStore(folder / "tables")
    tokens = tables.read("cleaned_tokens")
    copies = near_copy_groups(tokens["minhash"], TextConfig().near_copies)
    told = Told(follows=tables.read("follows"), birds=tables.read("birds"))
    network = build_network(tokens, tables.read("raw_engagements"), copies, told)
    store = EmbeddingStore(folder / "embeddings")
    vectors = {}
    for place in sorted((folder / "embeddings").glob("*/current.json")):
        embeddings = store.open(place.parent.name, read_json(place)["version"])
        vectors[place.parent.name] = embeddings.vectors(network.flit_ids)
    return network, vectors


def every_source(pool: Pool, vectors: Mapping[str, Matrix]) -> dict[str, Source]:
    """Those of the candidate stage and those for the cold, by name."""
    sources = sources_at(pool.history, pool, vectors, CandidateConfig())
    return {source.name: source for source in sources}


def days_of(
    network: Network, vectors: Mapping[str, Matrix], at: Sequence[int], config: BacktestConfig
) -> list[Day]:
    """What every source proposes at each moment."""
    candidates = CandidateConfig()
    days = []
    for moment in at:
        pool = pool_of(known_before(network, moment), candidates.max_age_days)
        trial = trial_at(pool, config)
        sources = every_source(pool, vectors)
        proposed = {
            name: source.propose(trial.birds, candidates.per_source)
            for name, source in sources.items()
        }
        days.append(Day(trial, sources, proposed))
    return days


def weights_for(days: Sequence[Day], sources: Sequence[str]) -> Weights:
    """Weights fitted on ``days``."""
    past = pd.concat([day.table(sources) for day in days], ignore_index=True)
    return validated_weights(past, tuple(sources), tuple(day.trial.moment for day in days), K)


def blended(day: Day, weights: Weights) -> pd.DataFrame:
    """Each bird's candidates, best first, with `place` from 1."""
    table = day.table(list(weights))
    rows = fuse(table, weights, len(table))
    return rows.assign(place=rows.groupby("bird").cumcount() + 1)


def judged(day: Day, rows: pd.DataFrame) -> pd.DataFrame:
    """`bird, likes` and the metrics of ``rows`` (`bird, flit, place`), a row a bird."""
    trial, history = day.trial, day.trial.pool.history
    width = len(history.known)
    bird, flit = rows["bird"].to_numpy(), rows["flit"].to_numpy()
    hit = np.isin(bird * width + flit, trial.target_bird * width + trial.target_flit)
    row, of = np.searchsorted(trial.birds, bird), np.searchsorted(trial.birds, trial.target_bird)
    n_birds = len(trial.birds)
    shown = Shown(row, flit, rows["place"].to_numpy(), hit, np.bincount(of, minlength=n_birds))
    is_cold = likes_of_flits(trial.target_flit, history) < FEW
    targets = np.bincount(of[is_cold], minlength=n_birds)
    cold = Shown(row, flit, shown.rank, hit & (likes_of_flits(flit, history) < FEW), targets)
    return pd.DataFrame(
        {
            "bird": trial.birds,
            "likes": likes_of_birds(trial.birds, history),
            "NDCG@10": ndcg(shown, K),
            "recall@10": recall(shown, K),
            "recall@10 of cold flits": recall(cold, K),
            "recall of candidates": recall(shown, len(history.known)),
        }
    )


def alone(days: Sequence[Day], source: str) -> pd.DataFrame:
    """The source's own feeds, judged."""
    tables = []
    for day in days:
        of = day.proposed[source]
        rows = pd.DataFrame({"bird": of.bird, "flit": of.flit, "place": of.rank})
        tables.append(judged(day, rows))
    return pd.concat(tables, ignore_index=True)


def blend_of(train: Sequence[Day], test: Sequence[Day], sources: Sequence[str]) -> pd.DataFrame:
    """Feeds of these sources together, judged."""
    weights = weights_for(train, sources)
    return pd.concat([judged(day, blended(day, weights)) for day in test], ignore_index=True)


def by_group(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Means of each bird over its moments, for birds by what they had liked."""
    groups = {"all birds": (0, np.inf), **GROUPS}
    metrics = table.columns.drop("likes")
    return {
        name: table.loc[table["likes"].between(*ends), metrics].groupby("bird").mean()
        for name, ends in groups.items()
    }


def show(found: Mapping[str, pd.DataFrame], minus: pd.DataFrame | None = None) -> None:
    """A table for each metric: methods down, birds across; or what ``minus`` is ahead of each."""
    whole = by_group(minus) if minus is not None else None
    grouped = {method: by_group(table) for method, table in found.items()}
    first = next(iter(grouped.values()))
    for metric in first["all birds"].columns:
        heads = (f"{name} ({len(rows)})" for name, rows in first.items())
        print(f"\n{metric:28}" + "".join(f"{head:>28}" for head in heads))
        for method, groups in grouped.items():
            cells = []
            for name, rows in groups.items():
                values = rows[[metric]] if whole is None else whole[name][[metric]] - rows[[metric]]
                cells.append(f"{_interval(values.to_numpy(), whole is not None):>28}")
            print(f"{method:28}" + "".join(cells))


def _interval(values: np.ndarray, signed: bool) -> str:
    """Mean and interval in words; a difference whose interval excludes 0 is marked."""
    if not len(values):
        return "-"
    of = interval(values, RESAMPLES, LEVEL, 0)
    mean, low, high = (float(one[0]) for one in (of.mean, of.low, of.high))
    if not signed:
        return f"{mean:.4f} [{low:.4f}, {high:.4f}]"
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]" + (" " if low <= 0 <= high else "*")


def compared(train: Sequence[Day], test: Sequence[Day]) -> None:
    """Show every source alone, the blend, and what it owes to the sources for the cold."""
    names = list(test[0].proposed)
    found = {name: alone(test, name) for name in names}
    found["blend"] = blend_of(train, test, names)
    show(found)
    without = {"all for the cold": COLD, **{one.rstrip("_"): (one,) for one in COLD}}
    rest = {
        f"without {name}": blend_of(
            train, test, [source for source in names if not source.startswith(left_out)]
        )
        for name, left_out in without.items()
    }
    print("\nThe blend minus the blend")
    show(rest, found["blend"])


def main() -> None:
    """Read the command line, replay the days, and show who gets what."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="data folder of a finished run")
    network, vectors = read_run(parser.parse_args().data)
    config = BacktestConfig()
    as_of = math.ceil(network.engagements.occurred_at.max() / DAY) * DAY
    found = moments(network, as_of, config)
    train, test = (days_of(network, vectors, at, config) for at in (found.train, found.test))
    compared(train, test)


if __name__ == "__main__":
    main()
