"""What a day costs beside everything: seconds, CPU seconds and memory of every asset.

Simulates a network whose last day brings ``--new`` flits after ``--stored`` earlier ones. All
earlier days go through intake and the job `everything`, then the last day through intake and the
job `one_day`, each in a process of its own. An asset's seconds hold the reading of what it needs,
its audit and its publishing; its CPU seconds are of the computing alone, those of the totals are of
the whole processes. On a busy machine only CPU seconds can be compared.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg
import pandas as pd
import polars as pl

EVERYTHING, ONE_DAY = "everything", "one_day"
TIMES = {"flits": "created_at", "engagements": "occurred_at"}
GOAL = 20
"""A day costs at most one part in so many of everything."""


def main() -> None:
    """Run the two jobs and print what they took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--stored", type=int, default=1_000_000, help="flits of earlier days")
    parser.add_argument("--new", type=int, default=10_000, help="flits of the last day")
    parser.add_argument("--birds", type=int, default=2_000, help="who get a feed")
    parser.add_argument("--encoders", nargs="+", default=["tfidf", "cbow", "bert"])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for the data, else a temporary one; what is finished there is not run again",
    )
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        run_job(options.job, options.keep)
        return
    with tempfile.TemporaryDirectory() as temporary:
        compare(options, options.keep or Path(temporary))


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Everything but the last day, then the last day; both beside one another."""
    data, network = folder / "data", folder / "network"
    if not network.exists():
        simulate(options, network)
    before, last = split(network, folder)
    if not figures_of(data, EVERYTHING).exists():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        (data / "flutter.toml").write_text(f"use_encoders = {json.dumps(options.encoders)}\n")
        measure(data, before, EVERYTHING)
    if not figures_of(data, ONE_DAY).exists():
        measure(data, last, ONE_DAY)
    show(*(json.loads(figures_of(data, job).read_text()) for job in (EVERYTHING, ONE_DAY)))


def simulate(options: argparse.Namespace, network: Path) -> None:
    """A network whose days bring about ``--new`` flits each."""
    flits = options.stored + options.new
    call(
        *("-m", "flutter_pipeline.cli.app", "simulate", "--out", str(network)),
        *("--birds", str(options.birds), "--flits", str(flits), "--seed", str(options.seed)),
        *("--days", str(round(flits / options.new))),
    )


def split(network: Path, folder: Path) -> tuple[list[Path], list[Path]]:
    """Files of all days but the last, and of the last; who follows whom is told at first."""
    tables = {name: pl.scan_parquet(network / f"{name}.parquet") for name in TIMES}
    newest = tables["flits"].select(pl.col("created_at").max()).collect().item()
    midnight = newest.replace(hour=0, minute=0, second=0, microsecond=0)
    before, last = [network / "birds.parquet", network / "follows.parquet"], []
    for name, rows in tables.items():
        is_new = pl.col(TIMES[name]) >= midnight
        for files, part, kept in ((before, "before", ~is_new), (last, "last", is_new)):
            files.append(folder / f"{name}-{part}.parquet")
            rows.filter(kept).sink_parquet(files[-1])
            count = pl.scan_parquet(files[-1]).select(pl.len()).collect().item()
            print(f"{part}: {count:,} {name}", flush=True)
    return before, last


def measure(data: Path, files: list[Path], job: str) -> None:
    """Take ``files`` in and run the job; what both took goes into a file beside the data."""
    totals = {}
    for name, command in (
        ("intake", ["-m", "flutter_pipeline.cli.app", "--data", str(data), "ingest"]),
        ("run", [__file__, "--keep", str(data), "--job", job]),
    ):
        start, cpu = time.perf_counter(), children_cpu()
        call(*command, *(map(str, files) if name == "intake" else ()))
        totals[f"{name}_seconds"] = time.perf_counter() - start
        totals[f"{name}_cpu_seconds"] = children_cpu() - cpu
    path = figures_of(data, job)
    assets = json.loads(path.with_suffix(".assets").read_text())
    path.write_text(json.dumps({**totals, "assets": assets}))


def figures_of(data: Path, job: str) -> Path:
    """Where the figures of a finished job lie."""
    return data.parent / f"{data.name}-{job}.json"


def children_cpu() -> float:
    """CPU seconds of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(*arguments: str) -> None:
    """Run Python on ``arguments``; output is shown only where it fails."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def show(whole: dict, day: dict) -> None:
    """Both jobs beside one another, by asset and in all."""
    tables = [pd.DataFrame(figures["assets"]).T for figures in (whole, day)]
    table = pd.concat(tables, axis=1, keys=[EVERYTHING, ONE_DAY]).reindex(tables[0].index)
    print("\nBy asset (MB: of the process, at its peak meanwhile)")
    print(table.to_string(float_format="%.1f", na_rep=""))
    for figures, job in ((whole, EVERYTHING), (day, ONE_DAY)):
        print(
            f"{job}: intake {figures['intake_seconds']:.1f} s ({figures['intake_cpu_seconds']:.1f} "
            f"CPU), run {figures['run_seconds']:.1f} s ({figures['run_cpu_seconds']:.1f} CPU), "
            f"peak {max(asset.get('MB', 0) for asset in figures['assets'].values()):,.0f} MB"
        )
    for kind in ("seconds", "cpu_seconds"):
        of_whole, of_day = (one[f"intake_{kind}"] + one[f"run_{kind}"] for one in (whole, day))
        said = "at most" if of_day * GOAL <= of_whole else "MORE than"
        print(
            f"{kind}: {of_day:.1f} of {of_whole:.1f}, one in {of_whole / of_day:.1f}; "
            f"{said} one in {GOAL}"
        )


def run_job(job: str, data: Path) -> None:
    """One job over the days that are open, in this process."""
    os.environ["FLUTTER_DATA"] = str(data)
    os.environ["DAGSTER_HOME"] = str(data / "dagster")
    from flutter_pipeline.adapters.instance import prepare_instance
    from flutter_pipeline.settings import prepare_environment, read_settings

    prepare_environment()
    settings = read_settings()
    prepare_instance(settings)
    from flutter_pipeline.definitions import defs
    from flutter_pipeline.defs.partitions import open_days, stored_days

    # Where a former try has published the day and then failed, the day is made once more.
    days = list(open_days(settings)) or stored_days(settings)[-1:]
    tags = {
        "dagster/asset_partition_range_start": min(days),
        "dagster/asset_partition_range_end": max(days),
    }
    definition = defs().resolve_job_def(job)
    with dg.DagsterInstance.get() as instance:
        result = definition.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        if not result.success:
            sys.exit(f"{job} failed")
        assets = costs_of(instance, result)
    figures_of(data, job).with_suffix(".assets").write_text(json.dumps(assets))


def costs_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> dict:
    """By asset: seconds from its start to its end, CPU seconds, and MB."""
    found = {}
    for step in instance.get_run_step_stats(result.run_id):
        made = result.asset_materializations_for_node(step.step_key)
        told = made[0].metadata if made else {}
        found[step.step_key] = {
            "seconds": (step.end_time or 0.0) - (step.start_time or 0.0),
            **{
                short: float(str(told[name].value))
                for short, name in (("CPU", "cpu_seconds"), ("MB", "peak_memory_mb"))
                if name in told
            },
        }
    return found


if __name__ == "__main__":
    main()
