"""How the whole run grows with the network: seconds and memory of every asset, by size.

Simulates networks of several sizes, runs the pipeline on each in a process of its own, and reads
what every asset took from the run's own record. ``exponent`` is the slope of log(CPU seconds)
over log(flits) between the two largest sizes: 1 is linear, n log n is about 1.1 here.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from math import log
from pathlib import Path

import dagster as dg
import pandas as pd

COST = ("seconds", "cpu_seconds", "peak_memory_mb")
FLITS_PER_BIRD = 10
FEEDS = ("network", "bird_interests", "candidates", "ranked_candidates")
"""What every day makes anew for all birds, however few flits it brings."""


def main() -> None:
    """Run the sizes and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 60_000, 200_000])
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--birds", type=int, help="else a tenth of the flits")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="folder for the data; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.keep or Path(temporary)
        costs = {size: run(root / str(size), size, options) for size in options.sizes}
    print(f"\n{options.sizes[-1]:,} flits, by asset")
    print(costs[options.sizes[-1]].to_string(float_format="%.1f"))
    if len(options.sizes) > 1:
        print("\nCPU seconds by number of flits")
        print(by_size(costs).to_string(float_format="%.2f"))


def run(folder: Path, flits: int, options: argparse.Namespace) -> pd.DataFrame:
    """One network through the whole pipeline; what each asset took."""
    birds = str(options.birds or max(50, flits // FLITS_PER_BIRD))
    network = folder / "network"
    flutter = [sys.executable, "-m", "flutter_pipeline.cli.app", "--data", str(folder / "data")]
    shape = ["--birds", birds, "--flits", str(flits), "--days", str(options.days)]
    call([*flutter, "simulate", *shape, "--seed", str(options.seed), "--out", str(network)])
    start = time.perf_counter()
    call([*flutter, "ingest", *map(str, sorted(network.glob("*.parquet")))])
    ingested = time.perf_counter()
    call([*flutter, "run"])
    ended = time.perf_counter()
    cost = costs_of(folder / "data")
    whole = ended - ingested
    feeds = cost.loc[[name for name in FEEDS if name in cost.index]]
    print(
        f"{flits:,} flits: intake {ingested - start:.1f} s, run {whole:.1f} s, "
        f"its assets {cost['seconds'].sum():.1f} s, ratio {whole / cost['seconds'].sum():.2f}, "
        f"peak {cost['peak_memory_mb'].max():.0f} MB; a day's feeds for {int(birds):,} birds "
        f"{feeds['seconds'].sum():.1f} s, peak {feeds['peak_memory_mb'].max():.0f} MB",
        flush=True,
    )
    return cost


def call(command: list[str]) -> None:
    """Run a command; its output is shown only where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def costs_of(data: Path) -> pd.DataFrame:
    """What the newest materialization of each asset says that it took."""
    os.environ["FLUTTER_DATA"] = str(data)
    rows = {}
    with dg.DagsterInstance.from_config(str(data / "dagster")) as instance:
        for key in instance.all_asset_keys():
            event = instance.get_latest_materialization_event(key)
            if event is not None and event.asset_materialization is not None:
                found = event.asset_materialization.metadata
                rows[key.to_user_string()] = [float(str(found[name].value)) for name in COST]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COST)).sort_index()


def by_size(costs: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """CPU seconds of each asset at each size, and how they grow between the two largest."""
    table = pd.DataFrame({size: cost["cpu_seconds"] for size, cost in costs.items()})
    table.loc["all assets"] = table.sum()
    small, large = list(costs)[-2:]
    ratio = table[large].clip(lower=0.01) / table[small].clip(lower=0.01)
    return table.assign(exponent=ratio.map(log) / log(large / small))


if __name__ == "__main__":
    main()
