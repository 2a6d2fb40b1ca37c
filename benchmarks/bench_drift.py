"""How often honest days alarm, and how often planted drifts are found.

Networks are walked day by day as a run would; each honest day makes a pair with its reference, and
every so many days each drift is planted into one. ``by shuffling alone`` says how many days would
stand out if chance within days were the only null. In a restless network every day favours some
topics by nature. With BENCHMARK_DATA real texts are dealt to days as well, those about learning
held back as the new topic; nothing of them is printed.
"""

import argparse
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from flutter_pipeline.adapters.benchmark_data import read_corpus
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.trials import rates, walk
from flutter_pipeline.drift.worlds import (
    ARRIVING,
    World,
    WorldConfig,
    dealt_texts,
    simulated_world,
)
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate

LEARNING = re.compile(
    r"\b(school|exams?|homework|class(es)?|college|study(ing)?|essays?|teachers?|revision)\b", re.I
)
RESTLESS = 1.0


def real_world(folder: Path, config: WorldConfig) -> World:
    """Tweets dealt to days; a topic of theirs held back, and a simulated language to arrive."""
    tweets = read_corpus(folder, "tweets_100k")
    topic = [text for text in tweets if LEARNING.search(text)]
    others = [text for text in tweets if not LEARNING.search(text)]
    flits = simulate(SimulationConfig(flits=20_000, birds=1_000, engagements=20_000)).flits
    speech = flits.loc[flits["lang"] == ARRIVING, "text"].to_list()
    return dealt_texts(others, topic, speech, config)


def worlds(asked: argparse.Namespace) -> Iterator[tuple[str, WorldConfig]]:
    """What is walked: each kind as often as there are to be networks."""
    size = {"flits_a_day": asked.flits, "birds": 3 * asked.flits, "days": asked.days}
    for seed in range(asked.networks):
        yield "simulated", WorldConfig(**size, seed=seed)
    for seed in range(asked.networks):
        yield "restless", WorldConfig(**size, seed=seed, restless=RESTLESS)
    if asked.data is not None:
        for seed in range(asked.networks):
            yield "real texts", WorldConfig(**size, seed=seed)


def main() -> None:
    """Walk all networks and print a table for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flits", type=int, default=500, help="flits a day")
    parser.add_argument("--days", type=int, default=120, help="days of a network")
    parser.add_argument("--networks", type=int, default=5, help="networks of each kind")
    parser.add_argument("--every", type=int, default=6, help="every so many days are planted")
    parser.add_argument("--data", type=Path, help="folder of the public data sets")
    asked = parser.parse_args()
    found: dict[str, list[pd.DataFrame]] = {}
    seconds: dict[str, float] = {}
    for kind, config in worlds(asked):
        world = real_world(asked.data, config) if kind == "real texts" else simulated_world(config)
        start = time.process_time()
        trials = walk(world.days, world.plantings(), asked.every, DriftConfig(seed=config.seed))
        seconds[kind] = seconds.get(kind, 0.0) + time.process_time() - start
        found.setdefault(kind, []).append(trials)
    for kind, parts in found.items():
        trials = pd.concat(parts)
        print(f"\n{kind}, {asked.flits} flits a day, {seconds[kind] / len(trials):.2f} CPU s a day")
        print(rates(trials).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
