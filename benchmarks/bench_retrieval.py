"""The taste source alone against published recommenders: who finds the flit that comes next?

    python benchmarks/bench_retrieval.py --data FOLDER --set beauty

Leave one out on ``amazon_beauty/sequences.txt.gz`` (one bird a line, its flits in order of time):
a bird's last flit is the test, the one before it the validation. All 12,101 flits are ranked but
those that the bird has met; at test time the history includes the validation flit. Settings are
chosen by NDCG@10 on the validation flits only, and the test flits are looked at once.
"""

import argparse
import gzip
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flutter_pipeline.birds.history import DAY, Engagements, IntArray, Network, known_before
from flutter_pipeline.candidates.by_taste import TasteConfig, train_by_taste
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.contracts.tables import ACTIONS

K = 10
LAST_DAY = 10_000
PLAIN = TasteConfig(half_age_days=None)
"""Where tuning starts; the flits have no age."""

TUNED = {
    "decay_per_like": (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9),
    "popularity_exponent": (0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    "user_exponent": (0.25, 0.5, 0.75, 1.0),
}
"""What is tried for each setting, one setting after the other."""

PUBLISHED = {
    "PopRec": (0.0152, 0.0068),
    "GRU4Rec": (0.0283, 0.0137),
    "Caser": (0.0347, 0.0176),
    "BERT4Rec": (0.0347, 0.0170),
    "FDSA": (0.0407, 0.0208),
    "HGN": (0.0512, 0.0266),
    "SASRec": (0.0605, 0.0318),
    "S3-Rec": (0.0647, 0.0327),
    "TIGER": (0.0648, 0.0384),
    "SASRec, cross-entropy (RecBole)": (0.0848, 0.0432),
    "FEARec (RecBole)": (0.0854, 0.0433),
    "LightSANs (RecBole)": (0.0861, 0.0444),
}
"""HR@10 and NDCG@10 by the same protocol: Zhou et al. 2020, Rajput et al. 2023, and re-runs."""


@dataclass(frozen=True)
class Result:
    """How often, and how high, the flit that came next was among the first ten."""

    hit_rate: float
    ndcg: float
    seconds: float
    """To learn and to propose to every bird."""


def read_sequences(path: Path) -> list[IntArray]:
    """Each bird's flits in order of time, as codes from 0."""
    with gzip.open(path, "rt") as lines:
        return [np.array(line.split()[1:], dtype=np.int64) - 1 for line in lines]


def network_of_sequences(sequences: list[IntArray]) -> Network:
    """Every bird's last like on the last day, the one before it the day before, and so on.

    So one moment cuts off every bird's last like, whatever the length of its history. All flits
    are by one further bird, who likes nothing.
    """
    n_birds, n_flits = len(sequences), max(int(flits.max()) for flits in sequences) + 1
    lengths = np.array([len(flits) for flits in sequences])
    bird = np.repeat(np.arange(n_birds), lengths)
    flit = np.concatenate(sequences)
    from_end = np.concatenate([np.arange(length)[::-1] for length in lengths])
    at = (LAST_DAY - from_end) * DAY
    order = np.lexsort((bird, at))
    like = np.full(len(bird), ACTIONS.index("like"), dtype=np.int8)
    none = np.zeros(n_flits, dtype=np.int64)
    return Network(
        flit_ids=np.arange(n_flits).astype(object),
        bird_ids=np.arange(n_birds + 1).astype(object),
        author=np.full(n_flits, n_birds),
        created_at=none,
        arrived_at=none,
        n_tokens=none,
        lang=np.full(n_flits, "und", dtype=object),
        sensitive=none.astype(bool),
        spam=none.astype(bool),
        near_copies=np.arange(n_flits),
        engagements=Engagements(
            bird[order],
            flit[order],
            like,
            at[order],
            at[order],
            np.zeros(len(bird), dtype=np.int32),
        ),
        follower=none[:0],
        followed=none[:0],
        geo=np.full(n_birds + 1, "", dtype=object),
    )


def measure(sequences: list[IntArray], left_out: int, config: TasteConfig) -> Result:
    """Propose to every bird without its last ``left_out`` likes; the first of these is looked for.

    With 1 left out that is the test, with 2 the validation.
    """
    history = known_before(network_of_sequences(sequences), (LAST_DAY - left_out + 1) * DAY)
    pool = pool_of(history, max_age_days=None)
    start = time.perf_counter()
    source = train_by_taste(history, pool, config)
    proposals = source.propose(np.arange(len(sequences)), K)
    seconds = time.perf_counter() - start
    wanted = np.array([flits[-left_out] for flits in sequences])
    rank = proposals.rank[proposals.flit == wanted[proposals.bird]]
    return Result(
        hit_rate=len(rank) / len(sequences),
        ndcg=float(np.sum(1 / np.log2(rank + 1))) / len(sequences),
        seconds=seconds,
    )


def tuned(sequences: list[IntArray]) -> tuple[TasteConfig, Result]:
    """The best settings on the validation flits, from the defaults on, and their result."""
    best = PLAIN
    result = measure(sequences, 2, best)
    for name, values in TUNED.items():
        for value in values:
            trial = best.model_copy(update={name: value})
            tried = measure(sequences, 2, trial)
            if tried.ndcg > result.ndcg:
                best, result = trial, tried
    return best, result


def beauty(folder: Path) -> None:
    """Tune, test, and print the table."""
    sequences = read_sequences(folder / "amazon_beauty" / "sequences.txt.gz")
    start = time.perf_counter()
    config, validation = tuned(sequences)
    tuning = time.perf_counter() - start
    test = measure(sequences, 1, config)
    print(f"{len(sequences):,} birds, leave one out, {K} of all flits\n")
    print(f"{'':34}{'HR@10':>8}{'NDCG@10':>9}")
    for name, (hit_rate, ndcg) in PUBLISHED.items():
        print(f"{name:34}{hit_rate:8.4f}{ndcg:9.4f}")
    print(f"{'taste, validation':34}{validation.hit_rate:8.4f}{validation.ndcg:9.4f}")
    print(f"{'taste, test':34}{test.hit_rate:8.4f}{test.ndcg:9.4f}\n")
    print(f"settings: {config.model_dump()}")
    print(f"learning and proposing {test.seconds:.1f} s, tuning {tuning:.0f} s")


SETS = {"beauty": beauty}


def main() -> None:
    """Read the command line and run one set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=os.environ.get("FLUTTER_BENCHMARK_DATA"))
    parser.add_argument("--set", choices=sorted(SETS), default="beauty")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the data is: --data FOLDER, or FLUTTER_BENCHMARK_DATA")
    SETS[arguments.set](Path(arguments.data))


if __name__ == "__main__":
    main()
