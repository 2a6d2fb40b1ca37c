"""PinnerSage's medoids against their alternatives: what should a bird's likes be searched by?

    python benchmarks/bench_interests.py --data FOLDER
    python benchmarks/bench_interests.py --data FOLDER --set beauty

Feeds by content alone, in two encoders' vectors: the packaged MiniLM and TF-IDF. Three sets:

``beauty``     leave one out on ``amazon_beauty``, titles as flits: the last flit is the test, the
               one before it the validation, and a day passes with every like.
``birdwatch``  notes as flits and helpful ratings as likes (``mappings/birdwatch.toml``); the last
               25 daily moments are the test, the 15 before them the validation.
``sample``     the embedded one; the last 5 daily moments are the test, the 4 before validation.

For each recipe the half-life is chosen by NDCG@10 on validation data; then the test is looked at,
once. Intervals are by bootstrap over birds, those of differences paired; ``*`` marks one without 0.
"""

import argparse
import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.benchmark_data import read_beauty
from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.landing.store import days_stored, read_days
from flutter_pipeline.birds.history import (
    DAY,
    Engagements,
    Network,
    Told,
    build_network,
    known_before,
)
from flutter_pipeline.birds.interests import InterestConfig, find_interests
from flutter_pipeline.candidates.nearest import Queries, exact_search
from flutter_pipeline.candidates.source import Found, Proposals, best_proposals, pool_of
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.tfidf import TfidfConfig, train_tfidf
from flutter_pipeline.evaluation.metrics import Shown, hit_rate, ndcg, recall
from flutter_pipeline.evaluation.significance import interval, paired_difference
from flutter_pipeline.evaluation.split import BacktestConfig, Trial, moments, trial_at
from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.copy_groups import near_copy_groups

K = 10
LAST_DAY = 10_000
MAX_AGE_DAYS = 14.0
VALIDATED = 3000
"""Birds of the largest set that half-lives are chosen by."""
RESAMPLES, LEVEL = 2000, 0.95
METRICS = ("NDCG@10", "HR@10", "recall@10")
REFERENCE = "top-3 medoids (PinnerSage)"
RECIPES = {
    "last like": InterestConfig(recipe="last_likes", keep=1),
    "last 3 likes": InterestConfig(recipe="last_likes", keep=3),
    "decayed mean": InterestConfig(recipe="decayed_mean"),
    REFERENCE: InterestConfig(recipe="medoids", keep=3),
    "all medoids": InterestConfig(recipe="medoids", keep=None),
    "top-3 cluster means": InterestConfig(recipe="cluster_means", keep=3),
    "all cluster means": InterestConfig(recipe="cluster_means", keep=None),
}
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ground:
    """What recipes are put to."""

    validation: Sequence[Trial]
    test: Sequence[Trial]
    vectors: dict[str, Matrix]
    half_lives: tuple[float, ...]
    half_age_days: float | None


def proposals(trial: Trial, vectors: Matrix, config: InterestConfig, ground: Ground) -> Proposals:
    """The ten flits of the pool nearest to each bird's interests."""
    pool = trial.pool
    found = find_interests(pool.history, vectors, trial.birds, config)
    search = exact_search(pool, pool.freshness(ground.half_age_days), vectors)
    hits = search.nearest(Queries(found.queries(vectors), found.bird), K)
    near = Found(
        row=np.searchsorted(trial.birds, found.bird[hits.query]),
        place=hits.place,
        score=hits.nearness * found.weight[hits.query],
        because=found.flit[hits.query],
    )
    return best_proposals(pool, trial.birds, near, K)


def measured(
    trials: Sequence[Trial], vectors: Matrix, config: InterestConfig, ground: Ground
) -> np.ndarray:
    """Shape (birds, metrics): each bird's mean over its moments."""
    tables = []
    for trial in trials:
        made = proposals(trial, vectors, config, ground)
        width = len(vectors)
        wanted = trial.target_bird * width + trial.target_flit
        row = np.searchsorted(trial.birds, trial.target_bird)
        shown = Shown(
            bird=np.searchsorted(trial.birds, made.bird),
            flit=made.flit,
            rank=made.rank,
            hit=np.isin(made.bird * width + made.flit, wanted),
            targets=np.bincount(row, minlength=len(trial.birds)),
        )
        values = [metric(shown, K) for metric in (ndcg, hit_rate, recall)]
        tables.append(pd.DataFrame(dict(zip(METRICS, values, strict=True)), index=trial.birds))
    together = pd.concat(tables)
    return together.groupby(together.index).mean().to_numpy()


def chosen(config: InterestConfig, vectors: Matrix, ground: Ground) -> InterestConfig:
    """``config`` with the half-life that does best on validation data."""
    tried = [
        config.model_copy(update={"half_life_days": half_life}) for half_life in ground.half_lives
    ]
    if config.recipe == "last_likes" and config.keep == 1:
        return tried[0]
    return max(
        tried, key=lambda one: measured(ground.validation, vectors, one, ground)[:, 0].mean()
    )


def show(name: str, ground: Ground) -> None:
    """Choose, test, and print a table for each encoder."""
    for encoder, vectors in ground.vectors.items():
        configs = {name: chosen(one, vectors, ground) for name, one in RECIPES.items()}
        found = {name: measured(ground.test, vectors, one, ground) for name, one in configs.items()}
        birds = len(found[REFERENCE])
        print(f"\n{name}, {encoder}: {birds:,} birds, {len(ground.test)} test moments")
        print(f"{'':28}{'half-life':>10}" + "".join(f"{metric:>26}" for metric in METRICS))
        for recipe, values in found.items():
            said = interval(values, RESAMPLES, LEVEL, 0)
            cells = zip(said.mean, said.low, said.high, strict=True)
            row = "".join(
                f"{f'{mean:.4f} [{low:.4f}, {high:.4f}]':>26}" for mean, low, high in cells
            )
            print(f"{recipe:28}{configs[recipe].half_life_days:>10g}{row}")
        print(f"minus {REFERENCE}")
        for recipe, values in found.items():
            if recipe != REFERENCE:
                print(f"{recipe:38}{_differences(values, found[REFERENCE])}")


def _differences(values: np.ndarray, reference: np.ndarray) -> str:
    apart = paired_difference(values, reference, RESAMPLES, LEVEL, 0)
    cells = []
    for mean, low, high in zip(apart.mean, apart.low, apart.high, strict=True):
        mark = " " if low <= 0 <= high else "*"
        cells.append(f"{f'{mean:+.4f} [{low:+.4f}, {high:+.4f}]{mark}':>26}")
    return "".join(cells)


def beauty(folder: Path) -> Ground:
    """Titles as flits; a bird's last like is on the last day, the one before a day earlier."""
    data = read_beauty(folder)
    lengths = np.diff(data.starts)
    bird = np.repeat(np.arange(len(lengths)), lengths)
    from_end = data.starts[bird + 1] - 1 - np.arange(len(bird))
    network = _network_of_likes(bird, data.flits, (LAST_DAY - from_end) * DAY, len(data.titles))
    birds = np.arange(len(lengths))

    def left_out(n: int) -> Trial:
        pool = pool_of(known_before(network, (LAST_DAY - n + 1) * DAY), None)
        return Trial(pool, birds, birds, data.flits[data.starts[1:] - n], len(birds), len(birds))

    tokens = clean_flits(_flits_of(data.titles), TextConfig())["tokens"]
    vectors = {
        "MiniLM": _cached("bert", data.titles, _by_bert),
        "TF-IDF": _cached("tfidf", tuple(tokens), _by_tfidf(len(tokens))),
    }
    validation = left_out(2)
    some = birds[:: max(len(birds) // VALIDATED, 1)]
    fewer = Trial(validation.pool, some, some, validation.target_flit[some], len(some), len(some))
    return Ground([fewer], [left_out(1)], vectors, (0.7, 1.5, 4.0), None)


def birdwatch(folder: Path) -> Ground:
    """Notes and votes as published."""
    files = [folder / "birdwatch" / name for name in ("notes.tsv.gz", "ratings.tsv.gz")]
    config = IntakeConfig(mapping=read_mapping(ROOT / "mappings" / "birdwatch.toml"))
    # Few birds come by on any one day, so many days are needed to tell recipes apart.
    return _by_day(files, config, BacktestConfig(train_moments=15, test_moments=25))


def sample(_: Path) -> Ground:
    """The sample that comes with the code."""
    files = sorted((ROOT / "data" / "sample").glob("*.parquet"))
    return _by_day(files, IntakeConfig(), BacktestConfig(train_moments=4, test_moments=5))


def _by_day(files: Sequence[Path], config: IntakeConfig, backtest: BacktestConfig) -> Ground:
    """Take ``files`` in as a run does, and replay the last days."""
    with tempfile.TemporaryDirectory() as scratch:
        take_in(list(files), Path(scratch), config, datetime.now(UTC))
        tables = {
            name: read_days(Path(scratch), name, days_stored(Path(scratch), name))
            for name in ("flits", "engagements", "follows", "birds")
        }
    cleaned = clean_flits(tables["flits"], TextConfig())
    copies = near_copy_groups(cleaned["minhash"], TextConfig().near_copies)
    told = Told(follows=tables["follows"], birds=tables["birds"])
    network = build_network(cleaned, tables["engagements"], copies, told)
    as_of = math.ceil(network.engagements.occurred_at.max() / DAY) * DAY
    found = moments(network, as_of, backtest)
    place = pd.Index(cleaned["flit_id"]).get_indexer(pd.Index(network.flit_ids))
    texts = cleaned.take(place)
    known = int(np.count_nonzero(network.created_at < found.test_start))
    vectors = {
        "MiniLM": _cached("bert", tuple(texts["text_clean"]), _by_bert),
        "TF-IDF": _cached(f"tfidf{known}", tuple(texts["tokens"]), _by_tfidf(known)),
    }

    def trials(at: Sequence[int]) -> list[Trial]:
        pools = [pool_of(known_before(network, moment), MAX_AGE_DAYS) for moment in at]
        return [trial_at(pool, backtest) for pool in pools]

    half_lives = (7.0, 30.0, 1000.0)
    return Ground(trials(found.train), trials(found.test), vectors, half_lives, 1.0)


def _network_of_likes(bird: np.ndarray, flit: np.ndarray, at: np.ndarray, n_flits: int) -> Network:
    """Likes alone; all flits are by one further bird, and of no age."""
    order = np.lexsort((bird, at))
    n_birds = int(bird.max()) + 1
    like = np.full(len(bird), ACTIONS.index("like"), dtype=np.int8)
    none = np.zeros(n_flits, dtype=np.int64)
    position = np.zeros(len(bird), dtype=np.int32)
    done = Engagements(bird[order], flit[order], like, at[order], at[order], position)
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
        engagements=done,
        follower=none[:0],
        followed=none[:0],
        geo=np.full(n_birds + 1, "", dtype=object),
    )


def _flits_of(texts: Sequence[str]) -> pd.DataFrame:
    """Texts as flits, all by one bird at one time."""
    ids = pd.Series(range(len(texts))).astype("str")
    at = pd.Timestamp(0, tz="UTC")
    return pd.DataFrame({"flit_id": ids, "bird_id": "a", "text": list(texts), "created_at": at})


def _by_bert(texts: Sequence[str]) -> Matrix:
    return train_bert([], BertConfig()).encode(list(texts))


def _by_tfidf(known: int) -> Callable[[Sequence[str]], Matrix]:
    """Learnt from the first ``known`` texts."""
    return lambda texts: train_tfidf(list(texts[:known]), TfidfConfig()).encode(list(texts))


def _cached(name: str, texts: tuple[str, ...], encode: Callable[[Sequence[str]], Matrix]) -> Matrix:
    """The vectors of ``texts``, kept in the system's scratch folder for the next time."""
    folder = Path(tempfile.gettempdir()) / "flutter_benchmark_vectors"
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256("\n".join(texts).encode("utf-8", "replace")).hexdigest()[:16]
    path = folder / f"{name}-{digest}.npy"
    if not path.is_file():
        np.save(path, encode(texts))
    return np.load(path)


SETS = {"beauty": beauty, "birdwatch": birdwatch, "sample": sample}


def main() -> None:
    """Read the command line and show the sets that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("FLUTTER_BENCHMARK_DATA"))
    parser.add_argument("--set", choices=sorted(SETS), help="one of the sets; without it, all")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("say where the data is: --data FOLDER, or FLUTTER_BENCHMARK_DATA")
    for name in [asked.set] if asked.set else SETS:
        show(name, SETS[name](Path(asked.data)))


if __name__ == "__main__":
    main()
