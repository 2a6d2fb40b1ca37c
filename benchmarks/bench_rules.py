"""What every rule of the feeds costs and buys, and diversity by its strength, on past days.

    python benchmarks/bench_rules.py --data FOLDER
    python benchmarks/bench_rules.py --data FOLDER --strengths 0.1 0.3 0.5 --slots 2

FOLDER holds a finished run. Its candidates, ranker and vectors are used as they are, and feeds of
the test days are filled with and without each thing. The strength of diversity is tuned on the
days before those, with the ranker that learnt from them. Nothing is written.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import Network, known_before, load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.defs.moments import backtest_config, pool_at
from flutter_pipeline.evaluation.backtest import Contest
from flutter_pipeline.evaluation.past import fused_by_moment, sources_of, weights_of
from flutter_pipeline.evaluation.price_of_rules import BOUGHT, ndcg_by_strength, price_of_rules
from flutter_pipeline.evaluation.split import Trial, moments, trial_at
from flutter_pipeline.filtering.diversity import DiversityConfig, diversified, tune_strength
from flutter_pipeline.filtering.exploration import ExplorationConfig, tries_for
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.filtering.rule import FilterConfig, Rows
from flutter_pipeline.settings import Settings, read_settings

BIRDS, PER_BIRD, FLITS = 100_000, 50, 100_000
"""The size at which seconds are taken."""


class Run:
    """A finished run, opened."""

    def __init__(self, data: Path, encoder: str | None) -> None:
        self.settings: Settings = read_settings({"FLUTTER_DATA": str(data)})
        models, tables = VersionStore(data / "models"), TableStore(data / "tables")
        network = models.current("network")
        self.network: Network = load_network(network.state)
        self.config = backtest_config(self.settings)
        self.found = moments(self.network, network.facts["as_of"], self.config)
        self.past = with_codes(tables.read("past_candidates"), self.network)
        self.weights = weights_of(tables.read("source_weights"))
        encoder = encoder or self.settings.use_encoders[-1]
        version = read_json(data / "embeddings" / encoder / "current.json")["version"]
        store = EmbeddingStore(data / "embeddings")
        self.contest = Contest(
            sources=sources_of(self.past),
            filters=FilterConfig(),
            config=self.config,
            keep=self.settings.config(CandidateConfig, "candidates").keep,
            ranker=ranker_of(models.current("ranker")),
            vectors=store.open(encoder, version).vectors(self.network.flit_ids),
        )

    def at(self, wanted: tuple[int, ...]) -> tuple[list[Trial], dict[int, pd.DataFrame]]:
        """Trials and candidates of these moments."""
        trials = [
            trial_at(pool_at(self.network, moment, self.settings), self.config) for moment in wanted
        ]
        return trials, fused_by_moment(self.past, wanted, self.weights)


def prices(run: Run, asked: argparse.Namespace) -> None:
    """The table of rules, with diversity and exploration as they are asked for."""
    config = FeedConfig(
        rules=FilterConfig(author_decay=asked.author_decay),
        exploration=ExplorationConfig(slots=asked.slots),
    )
    started = time.perf_counter()
    table = price_of_rules(*run.at(run.found.test), run.contest, config)
    print(f"\nRules, test days ({time.perf_counter() - started:.1f} s); NDCG@{run.config.k}")
    _print(table)


def by_strength(run: Run, asked: argparse.Namespace) -> None:
    """What diversity of each strength costs and buys, and which strength is tuned."""
    before, test = run.at(run.found.train), run.at(run.found.test)
    tables = []
    for strength in asked.strengths:
        config = FeedConfig(diversity=DiversityConfig(strength=strength, window=asked.window))
        table = price_of_rules(*test, run.contest, config)
        tables.append(table.loc[table["rule"] == "diversity"].assign(rule=f"strength {strength}"))
    print("\nDiversity, test days")
    _print(pd.concat(tables))
    config = FeedConfig(diversity=DiversityConfig(window=asked.window))
    best = tune_strength(ndcg_by_strength(*before, run.contest, config), asked.strengths)
    print(f"Tuned on the days before, margin 1 %: strength {best}")


def seconds(asked: argparse.Namespace) -> None:
    """How long diversity and exploration take for many birds, on one core or more."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((FLITS, asked.dim), dtype=np.float32)
    flit = rng.integers(FLITS, size=BIRDS * PER_BIRD)
    rows = Rows(np.repeat(np.arange(BIRDS), PER_BIRD), flit, np.full(len(flit), -1), PER_BIRD)
    score = -np.sort(-rng.random((BIRDS, PER_BIRD)), axis=1).ravel()
    print(f"\n{BIRDS:,} birds x {PER_BIRD} candidates, vectors of {asked.dim}")
    started, used = time.perf_counter(), time.process_time()
    diversified(rows, score, vectors, DiversityConfig(strength=0.3, window=PER_BIRD))
    print(_taken("diversity", started, used))


def exploring(run: Run) -> None:
    """How long it takes to draw fresh flits for many birds."""
    history = known_before(run.network, run.found.test[-1])
    started, used = time.perf_counter(), time.process_time()
    tries_for(np.arange(BIRDS), history, ExplorationConfig(slots=1))
    print(_taken("exploration", started, used))


def _taken(what: str, started: float, used: float) -> str:
    clock, cores = time.perf_counter() - started, time.process_time() - used
    return f"{what}: {clock:.1f} s by the clock, {cores:.1f} s of cores"


def _print(table: pd.DataFrame) -> None:
    short = table.drop(columns=[f"{name}_{end}" for name in BOUGHT for end in ("with", "without")])
    for name in (*BOUGHT, "coverage"):
        with_it, without = (
            table[f"{name}_{end}"].map("{:.3f}".format) for end in ("with", "without")
        )
        short[name] = without + " -> " + with_it
    short = short.drop(columns=["coverage_with", "coverage_without"])
    print(short.to_string(index=False, float_format="{:.4f}".format))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="The price of every rule.")
    parser.add_argument("--data", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--encoder", help="whose vectors tell what is alike; the last one used")
    parser.add_argument("--slots", type=int, default=1, help="places for fresh flits")
    parser.add_argument("--author-decay", type=float, default=1.0, help="1: off")
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.05, 0.1, 0.2, 0.3, 0.5])
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--dim", type=int, default=384, help="of the vectors that are timed")
    asked = parser.parse_args()
    run = Run(asked.data, asked.encoder)
    prices(run, asked)
    by_strength(run, asked)
    seconds(asked)
    exploring(run)


if __name__ == "__main__":
    main()
