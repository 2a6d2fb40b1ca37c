"""A small network, cut in two; the folders that unharmed runs made of it; and how to look at one.

Nobody may change these folders: a trial works on a copy.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flutter_pipeline_tests.faults.forge import Ended, Forge, Suffering
from flutter_pipeline_tests.faults.published import (
    Pieces,
    books_balance,
    half_visible,
    pieces_of,
    torn,
)

SETTINGS = """
use_encoders = ["tfidf"]
[encoders.tfidf]
dim = 16
[ranker]
kind = "logistic"
[backtest]
train_moments = 2
test_moments = 2
resamples = 100
[intake]
settle_seconds = 0
"""
CUT = pd.Timestamp("2026-01-07", tz="UTC")
"""Of eight simulated days, what comes from then on lands second."""


@dataclass(frozen=True)
class World:
    """The folders, and the zygote that runs commands on them."""

    root: Path
    forge: Forge

    @property
    def empty(self) -> Path:
        """Everything has landed, nothing has run."""
        return self.root / "empty"

    @property
    def old(self) -> Path:
        """The first part was run, the second has landed."""
        return self.root / "old"

    @property
    def new(self) -> Path:
        """As ``old``, and run undisturbed."""
        return self.root / "new"

    @property
    def first(self) -> Path:
        """As ``empty``, and run undisturbed."""
        return self.root / "first"


def make_world(root: Path, forge: Forge) -> str:
    """Simulate, cut, and run undisturbed."""
    size = ("--birds", "30", "--flits", "150", "--days", "8")
    forge.succeed(root / "none", "simulate", *size, "--out", root / "network")
    for name in ("empty", "old"):
        (root / name / "landing").mkdir(parents=True)
        (root / name / "flutter.toml").write_text(SETTINGS)
    for table, time in (("flits", "created_at"), ("engagements", "occurred_at")):
        rows = pd.read_parquet(root / "network" / f"{table}.parquet")
        early = rows[time] < CUT
        for number, part in ((1, rows[early]), (2, rows[~early])):
            part.to_parquet(root / "empty" / "landing" / f"{table}_{number}.parquet", index=False)
            if number == 1:
                part.to_parquet(root / "old" / "landing" / f"{table}_1.parquet", index=False)
    for name in ("birds", "follows"):
        for folder in ("empty", "old"):
            place = root / folder / "landing" / f"{name}.parquet"
            shutil.copyfile(root / "network" / f"{name}.parquet", place)
    modules = forge.learn_from(root / "old", "run")
    (root / "modules.json").write_text(json.dumps(modules))
    for table in ("flits", "engagements"):
        name = f"{table}_2.parquet"
        shutil.copyfile(root / "empty" / "landing" / name, root / "old" / "landing" / name)
    # To make MLflow's database takes longer than everything else.
    shutil.copytree(root / "old" / "mlflow", root / "empty" / "mlflow")
    _undisturbed(root / "old", root / "new", forge)
    _undisturbed(root / "empty", root / "first", forge)
    return json.dumps({name: pieces_of(root / name) for name in ("old", "new", "first")})


def _undisturbed(source: Path, target: Path, forge: Forge) -> None:
    shutil.copytree(source, target)
    started = forge.start(target, "run")
    ended = started.wait()
    assert ended.code == 0, ended.out[-4000:]
    facts = {"seconds": ended.seconds, "changes": started.changes}
    (target.parent / f"{target.name}.json").write_text(json.dumps(facts))


def unharmed(world: World, name: str) -> Pieces:
    """What is published in one of the folders."""
    printed = json.loads((world.root.parent / "fault_world.json").read_text())
    return json.loads(printed)[name]


def seconds_of(world: World, name: str) -> float:
    """How long the undisturbed run took."""
    return json.loads((world.root / f"{name}.json").read_text())["seconds"]


def changes_of(world: World, name: str) -> list[str]:
    """What the undisturbed run changed on disk, in order."""
    return json.loads((world.root / f"{name}.json").read_text())["changes"]


def publishing(changes: list[str]) -> list[int]:
    """Numbers of the changes that publish something, and of those that come next."""
    renames = [number for number, change in enumerate(changes, 1) if change.startswith("os.rename")]
    return sorted({n for number in renames for n in (number, number + 1) if n <= len(changes)})


def copied(source: Path, target: Path) -> Path:
    """A copy that a trial may change."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return target


def look(world: World, data: Path, *states: Pieces) -> list[str]:
    """What readers meet that is neither of ``states`` whole; and commands that end unclearly."""
    wrong = half_visible(pieces_of(data), *states)
    for command in (("feed", "bird_00", "--json"), ("versions", "--json")):
        ended = world.forge.run(data, *command)
        if not ended.clear:
            wrong.append(f"{command[0]} ended with {ended.code}: {ended.out[-1500:]}")
    if not books_balance(data):
        wrong.append("the books do not balance")
    return wrong


def rerun(world: World, data: Path, expected: Pieces) -> list[str]:
    """What differs, after one more run, from what an undisturbed run publishes."""
    ended = world.forge.run(data, "run")
    if ended.code != 0:
        return [f"the rerun ended with {ended.code}: {ended.out[-3000:]}"]
    wrong = torn(pieces_of(data), expected)
    return wrong if books_balance(data) else [*wrong, "the books do not balance"]


def suffered(world: World, data: Path, suffering: Suffering, kill_after: float) -> Ended:
    """A run that meets ``suffering``, and is killed after so many seconds."""
    return world.forge.start(data, "run", suffering=suffering).wait(kill_after)
