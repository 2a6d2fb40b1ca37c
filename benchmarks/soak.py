"""How the daemon does when nobody looks: a day of files a minute, for half an hour or a weekend.

Prints how long it ran, how many days it turned into feeds, and whether memory, open files and
processes grew; ends with 1 where they did, where a run or a sensor failed, or where feeds are not
those of the last day. `make soak`; `--minutes 600` overnight.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from flutter_pipeline.adapters.alerts import alerts
from flutter_pipeline.adapters.landing.landed import books_so_far
from flutter_pipeline_tests.daily_loop import Producer, Served, served

FIRST_DAYS = 10
SAMPLE_SECONDS = 10
WARM_UP_SECONDS = 240
"""Servers load what they need in their first minutes; growth is counted from then on."""

CATCH_UP_SECONDS = 900
MOST_GROWTH = 1.15
"""Of the last third over the first; caches fill for a while, a leak does not stop."""


@dataclass(frozen=True)
class Sample:
    """The servers at one moment; the processes of runs, which come and go, are left out."""

    at: float
    by_pid: dict[int, tuple[float, int]]
    """Memory in MB (what the process has to itself), and open files."""


def main() -> int:
    """Drop days until the time is up, then look back."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds from day to day")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="flutter-soak-") as folder,
        served(Path(folder) / "data") as here,
    ):
        days = FIRST_DAYS + int(asked.minutes * 60 / asked.every) + 1
        producer = Producer.of(here.data / "landing", days=days)
        return soak(here, producer, asked.minutes * 60, asked.every)


def soak(here: Served, producer: Producer, seconds: float, every: float) -> int:
    """The soak itself; returns the exit code."""
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2026-01-01", periods=4000)]
    began = time.monotonic()
    drop(producer, 0, days[0], days[FIRST_DAYS - 1])
    here.wait_until("the first feeds", lambda: here.as_of == days[FIRST_DAYS], CATCH_UP_SECONDS)
    samples: list[Sample] = []
    seen: dict[str, float] = {}
    day = FIRST_DAYS
    while time.monotonic() - began < seconds:
        drop(producer, day, days[day])
        for sample in watched(here, every):
            samples.append(sample)
            seen.setdefault(here.as_of, sample.at)
        day += 1
    here.wait_until("feeds of the last day", lambda: here.as_of == days[day], CATCH_UP_SECONDS)
    hours = (time.monotonic() - began) / 3600
    say(f"unattended for {hours * 60:.0f} minutes; {day} days dropped, feeds of {here.as_of}")
    say(f"batches of new feeds: {len(seen)}; rows: {books_so_far(here.data)}")
    problems = [*wrong(here), *grown(samples)]
    for problem in problems:
        say(f"PROBLEM: {problem}")
    return 1 if problems else 0


def drop(producer: Producer, number: int, first: str, last: str = "") -> None:
    """A day's files; now and then one that is broken, and one that was there before."""
    flits, engagements = producer.day(first, last)
    producer.drop(f"engagements_{first}.jsonl", engagements)
    producer.drop(f"flits_{first}.csv", flits)
    if number % 5 == 1:
        producer.drop_text(f"broken_{first}.parquet", f"no Parquet, number {number}")
    if number % 7 == 1:
        producer.copy(f"flits_{first}.csv", f"again_{first}.csv")


def watched(here: Served, seconds: float) -> Iterator[Sample]:
    """Samples for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(SAMPLE_SECONDS, max(0.1, end - time.monotonic())))
        by_pid = {}
        for process in psutil.Process(here.process.pid).children(recursive=True):
            try:
                memory = process.memory_full_info().uss / 2**20
                by_pid[process.pid] = (memory, process.num_fds())
            except psutil.Error:
                continue
        yield Sample(time.monotonic(), by_pid)


def wrong(here: Served) -> list[str]:
    """What failed meanwhile."""
    code, status = here.status()
    # Some files are broken on purpose, and have to be told of.
    told = [alert.text for alert in alerts(here.data) if alert.kind != "refused"]
    if not books_so_far(here.data).balance:
        told.append("the books do not balance")
    return [*told, *here.failed_ticks(), *(status["problems"] if code else [])]


def grown(samples: list[Sample]) -> list[str]:
    """What the servers, the processes that were there all the time, need more of at the end."""
    warm = [one for one in samples if one.at - samples[0].at >= WARM_UP_SECONDS]
    if len(warm) < 6:
        say("too short to tell whether anything grows")
        return []
    servers = set.intersection(*(set(one.by_pid) for one in warm))
    third = len(warm) // 3
    problems = []
    for name, place in (("memory, MB", 0), ("open files", 1)):
        sums = [sum(one.by_pid[pid][place] for pid in servers) for one in warm]
        first, last = statistics.median(sums[:third]), statistics.median(sums[-third:])
        say(f"{name} of {len(servers)} servers: {first:.0f}, then {last:.0f}")
        if last > MOST_GROWTH * first:
            problems.append(f"{name} grew from {first:.0f} to {last:.0f}")
    # A run has five processes of its own while it lasts; between two runs there are only servers.
    first, last = (min(len(one.by_pid) for one in part) for part in (warm[:third], warm[-third:]))
    say(f"processes between runs: {first}, then {last}")
    if last > first:
        problems.append(f"processes grew from {first} to {last}")
    return problems


def say(line: str) -> None:
    """Print at once: somebody may be waiting."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
