"""Rows a second that intake takes in: validated, rid of duplicates, split by day and stored.

The peer does with plain pandas what a script would: read, check, drop duplicates, one Parquet file
a day; it keeps no line numbers, no quarantine and no ledger. Figures are medians, and rates of
whole files with the reading of them.

    python benchmarks/bench_intake.py --rows 1000000
"""

import argparse
import gzip
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.contracts.tables import ACTIONS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
START = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp())
COPIES = 0.01
KEY = ["bird_id", "flit_id", "action", "occurred_at"]


def engagements(rows: int, days: int, seed: int) -> pl.DataFrame:
    """Random engagements, one in a hundred of them twice, in no order of time."""
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "bird_id": rng.integers(0, max(rows // 100, 1), rows),
            "flit_id": rng.integers(10**17, 10**17 + max(rows // 10, 1), rows),
            "action": rng.choice(np.array(ACTIONS), rows),
            "occurred_at": (START + rng.random(rows) * days * 86_400) * 1e6,
        }
    ).with_columns(
        pl.format("bird-{}", "bird_id").alias("bird_id"),
        pl.col("flit_id").cast(pl.String),
        pl.col("occurred_at").cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )
    copies = frame[rng.integers(0, rows, int(rows * COPIES))]
    return pl.concat([frame[: rows - copies.height], copies])


def write_files(frame: pl.DataFrame, folder: Path) -> dict[str, Path]:
    """The same rows in every format, by the name of the format."""
    paths = {
        "parquet": folder / "engagements.parquet",
        "csv": folder / "engagements.csv",
        "csv.gz": folder / "engagements.csv.gz",
        "jsonl": folder / "engagements.jsonl",
    }
    text = frame.with_columns(pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
    frame.write_parquet(paths["parquet"])
    text.write_csv(paths["csv"])
    text.write_ndjson(paths["jsonl"])
    with paths["csv"].open("rb") as plain, gzip.open(paths["csv.gz"], "wb", 1) as packed:
        shutil.copyfileobj(plain, packed)
    return paths


def by_intake(path: Path, data: Path) -> int:
    """Rows that intake stores."""
    intake = take_in([path], data, IntakeConfig(), NOW)
    assert intake.balance
    return intake.books["engagements"].stored


def by_pandas(path: Path, data: Path) -> int:
    """Rows that a plain pandas script stores."""
    readers: dict[str, Callable[..., pd.DataFrame]] = {
        ".parquet": pd.read_parquet,
        ".csv": lambda one: pd.read_csv(one, dtype=dict.fromkeys(KEY[:3], "str")),
        ".gz": lambda one: pd.read_csv(one, dtype=dict.fromkeys(KEY[:3], "str")),
        ".jsonl": lambda one: pd.read_json(one, lines=True, dtype=dict.fromkeys(KEY, "str")),
    }
    frame = readers[path.suffix](path)
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], utc=True)
    fine = frame[KEY].notna().all(axis=1) & frame["action"].isin(ACTIONS)
    fine &= (frame["occurred_at"] >= "2000-01-01") & (frame["occurred_at"] <= pd.Timestamp(NOW))
    fresh = frame.loc[fine].drop_duplicates(KEY)
    for day, rows in fresh.groupby(fresh["occurred_at"].dt.strftime("%Y-%m-%d")):
        place = data / str(day) / "part.parquet"
        place.parent.mkdir(parents=True)
        rows.sort_values(KEY[::-1]).to_parquet(place)
    return len(fresh)


def seconds(take: Callable[[Path, Path], int], path: Path) -> tuple[float, int]:
    """Time of one run into a fresh folder, and how many rows were stored."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        stored = take(path, Path(folder))
        return time.perf_counter() - start, stored


def main() -> None:
    """Print a table of rows a second."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000, help="engagements (default 1e6)")
    parser.add_argument("--days", type=int, default=30, help="days they spread over (default 30)")
    parser.add_argument("--repeats", type=int, default=3, help="runs a figure (default 3)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the data (default 0)")
    parser.add_argument("--only", help="one format: parquet, csv, csv.gz or jsonl")
    parser.add_argument("--no-peer", action="store_true", help="leave pandas out")
    options = parser.parse_args()
    takers = {"intake": by_intake} | ({} if options.no_peer else {"pandas": by_pandas})
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(engagements(options.rows, options.days, options.seed), Path(folder))
        print(f"{options.rows:,} engagements over {options.days} days, {options.repeats} runs each")
        for name, path in paths.items():
            if options.only not in (None, name):
                continue
            for taker, take in takers.items():
                runs = [seconds(take, path) for _ in range(options.repeats)]
                median = statistics.median(time for time, _ in runs)
                rate = options.rows / median
                print(
                    f"{name:8} {taker:7} {rate:12,.0f} rows/s {median:8.2f} s"
                    f"  stored {runs[0][1]:,}"
                )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process, data generation included: {peak:.1f} GiB")


if __name__ == "__main__":
    main()
