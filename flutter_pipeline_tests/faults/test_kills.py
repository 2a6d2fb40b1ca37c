"""SIGKILL at any moment: readers see the old state or the new one, and a rerun mends the rest.

There are two kinds of moments: drawn at random over the length of a run, and, since most of these
fall where nothing is written, before and after each rename that publishes something.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from flutter_pipeline.adapters.store.files import read_manifest
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline_tests.faults.acts import ENCODER, VERSION, store_of, vectors_of
from flutter_pipeline_tests.faults.conftest import TRIALS
from flutter_pipeline_tests.faults.fault_table import Told
from flutter_pipeline_tests.faults.forge import UNHARMED, Forge, Suffering
from flutter_pipeline_tests.faults.published import Pieces, half_visible, pieces_of, torn
from flutter_pipeline_tests.faults.worlds import (
    World,
    changes_of,
    copied,
    look,
    publishing,
    rerun,
    seconds_of,
    suffered,
    unharmed,
)

Tell = Callable[[Told], None]

SEVERAL = 6
"""Moments of the short form of a rollback."""


def spread(numbers: Sequence[int], count: int) -> list[int]:
    """``count`` of ``numbers``, evenly from the first to the last."""
    if count >= len(numbers):
        return list(numbers)
    return [numbers[round(i * (len(numbers) - 1) / max(1, count - 1))] for i in range(count)]


def killed_run(
    world: World, data: Path, names: tuple[str, str], suffering: Suffering, kill_after: float
) -> list[str]:
    """What is wrong after a run from one folder to another was killed, and then run again."""
    before, after = names
    states = (unharmed(world, before) if before != "empty" else {}, unharmed(world, after))
    copied(world.root / before, data)
    ended = suffered(world, data, suffering, kill_after)
    assert ended.killed or ended.code == 0, ended.out[-3000:]
    return [*look(world, data, *states), *rerun(world, data, states[1])]


def told(case: str, wrong: list[str]) -> Told:
    """One trial."""
    lost = any("rerun" in one or "books" in one for one in wrong)
    return Told(case, lost=int(lost), half_visible=int(bool(wrong)), identical=int(not wrong))


@pytest.mark.parametrize("names", [("old", "new"), ("empty", "first")])
def test_a_run_killed_as_it_publishes_leaves_old_or_new(
    world: World, tmp_path: Path, tell: Tell, names: tuple[str, str]
):
    """The short form: one of the moments at which something is renamed into place."""
    numbers = publishing(changes_of(world, names[1]))
    number = numbers[len(numbers) * 2 // 3]
    wrong = killed_run(world, tmp_path / "data", names, Suffering(kill_at=number), 300)
    tell(told("killed as it publishes: a run", wrong))
    assert not wrong, (number, changes_of(world, names[1])[number - 1], wrong)


@pytest.mark.faults
@pytest.mark.parametrize("names", [("old", "new"), ("empty", "first")])
def test_a_run_killed_before_and_after_each_rename_leaves_old_or_new(
    world: World, tmp_path: Path, tell: Tell, names: tuple[str, str]
):
    numbers = spread(publishing(changes_of(world, names[1])), TRIALS // 4)
    failed = []
    for number in numbers:
        wrong = killed_run(world, tmp_path / "data", names, Suffering(kill_at=number), 300)
        tell(told("killed as it publishes: a run", wrong))
        if wrong:
            failed.append((number, changes_of(world, names[1])[number - 1], wrong))
    assert not failed


@pytest.mark.faults
@pytest.mark.parametrize("names", [("old", "new"), ("empty", "first")])
def test_a_run_killed_at_random_moments_leaves_old_or_new(
    world: World, tmp_path: Path, tell: Tell, rng: random.Random, names: tuple[str, str]
):
    failed = []
    for _ in range(TRIALS // 4):
        moment = rng.uniform(0, seconds_of(world, names[1]))
        wrong = killed_run(world, tmp_path / "data", names, UNHARMED, moment)
        tell(told("killed at a random moment: a run", wrong))
        if wrong:
            failed.append((moment, wrong))
    assert not failed


APPEND = ("flutter_pipeline_tests.faults.acts:append", "90", "140")
CREATE = "flutter_pipeline_tests.faults.acts:create"


def vectors_in(data: Path) -> set[str]:
    """The flits that a reader finds; the vectors of all of them have to be right."""
    embeddings = store_of(data).open(ENCODER, VERSION)
    embeddings.verify()
    ids = list(embeddings.ids)
    assert np.array_equal(embeddings.vectors(ids), vectors_of(ids))
    return set(ids)


def appended(world: World, data: Path, suffering: Suffering, kill_after: float = 300) -> list[str]:
    """What is wrong after an append was killed, and then done again."""
    act, *numbers = APPEND
    begun = world.forge.start(data, act, data, *numbers, suffering=suffering)
    ended = begun.wait(kill_after)
    assert ended.killed or ended.code == 0, ended.out
    found = vectors_in(data)
    wrong = [] if found in (numbered(90), numbered(140)) else [f"{len(found)} vectors"]
    world.forge.succeed(data, act, data, *numbers)
    if vectors_in(data) != numbered(140):
        wrong.append("the rerun lacks vectors")
    left = [path.name for path in data.rglob("*") if path.name.startswith(".tmp")]
    named = {file for part in _manifest(data)["parts"] for file in part["sha256"]}
    stray = {path.name for path in data.rglob("part-*")} - named
    return [*wrong, *(f"{name} is left" for name in sorted(stray))] if not left else wrong


def _manifest(data: Path) -> dict:
    return read_manifest(data / "embeddings" / ENCODER / VERSION)


def numbered(last: int) -> set[str]:
    return {f"f{number}" for number in range(last)}


@pytest.fixture
def two_parts(forge: Forge, tmp_path: Path) -> Path:
    """A version of as many parts as there may be: the next append folds them."""
    (tmp_path / "two_parts").mkdir()
    forge.succeed(tmp_path / "two_parts", CREATE, tmp_path / "two_parts")
    return tmp_path / "two_parts"


def test_an_append_and_its_compaction_killed_before_each_change_leave_old_or_new(
    forge: Forge, tmp_path: Path, two_parts: Path, tell: Tell
):
    act, *numbers = APPEND
    whole = copied(two_parts, tmp_path / "whole")
    started = forge.start(whole, act, whole, *numbers)
    assert started.wait().code == 0
    count = len(started.changes)
    assert count > 20
    for number in range(1, count + 1):
        data = copied(two_parts, tmp_path / "data")
        wrong = appended(World(tmp_path, forge), data, Suffering(kill_at=number))
        tell(told("killed before each change: an append, a compaction", wrong))
        assert not wrong, (number, started.changes[number - 1], wrong)


@pytest.mark.faults
def test_an_append_and_its_compaction_killed_at_random_moments_leave_old_or_new(
    forge: Forge, tmp_path: Path, two_parts: Path, tell: Tell, rng: random.Random
):
    act, *numbers = APPEND
    whole = copied(two_parts, tmp_path / "whole")
    seconds = forge.run(whole, act, whole, *numbers).seconds
    for _ in range(TRIALS):
        data = copied(two_parts, tmp_path / "data")
        moment = rng.uniform(0, seconds)
        wrong = appended(World(tmp_path, forge), data, UNHARMED, moment)
        tell(told("killed at a random moment: an append, a compaction", wrong))
        assert not wrong, (moment, wrong)


ROLLBACK = ("versions", "rollback")
FINISH = "flutter_pipeline_tests.faults.acts:finish_rollback"


@dataclass(frozen=True)
class Releases:
    """A folder with two releases, and what it publishes before and after going back."""

    folder: Path
    champion: str
    before: Pieces
    after: Pieces
    seconds: float
    changes: list[str]


@pytest.fixture(scope="module")
def releases(world: World, once: Callable[..., Path]) -> Releases:
    """Made once; nobody changes it."""

    def make(folder: Path) -> str:
        copied(world.old, folder / "data")
        act = "flutter_pipeline_tests.faults.acts:second_release"
        world.forge.succeed(folder / "data", act, folder / "data")
        whole = copied(folder / "data", folder / "whole")
        started = world.forge.start(whole, *ROLLBACK)
        ended = started.wait()
        assert ended.code == 0, ended.out
        (folder / "seconds.json").write_text(json.dumps([ended.seconds, started.changes]))
        return "made"

    root = once("fault_releases", make)
    seconds, changes = json.loads((root / "seconds.json").read_text())
    champion = ReleaseStore(root / "data" / "releases").aliases().champion
    assert champion is not None
    before, after = pieces_of(root / "data"), pieces_of(root / "whole")
    assert before["aliases"] != after["aliases"]
    return Releases(root / "data", champion, before, after, seconds, changes)


def rolled_back(
    world: World, made: Releases, data: Path, suffering: Suffering, kill_after: float = 300
) -> list[str]:
    """What is wrong after going back was killed, and then gone on with."""
    copied(made.folder, data)
    ended = world.forge.start(data, *ROLLBACK, suffering=suffering).wait(kill_after)
    assert ended.killed or ended.code == 0, ended.out
    wrong = half_visible(pieces_of(data), made.before, made.after)
    world.forge.succeed(data, FINISH, data, made.champion)
    return [*wrong, *(f"after the rerun: {name}" for name in torn(pieces_of(data), made.after))]


def test_a_rollback_killed_before_each_change_leaves_old_or_new(
    world: World, releases: Releases, tmp_path: Path, tell: Tell
):
    numbers = range(1, len(releases.changes) + 1)
    for number in spread(numbers, SEVERAL):
        suffering = Suffering(kill_at=number)
        wrong = rolled_back(world, releases, tmp_path / "data", suffering)
        tell(told("killed before each change: a rollback", wrong))
        assert not wrong, (number, releases.changes[number - 1], wrong)


@pytest.mark.faults
def test_a_rollback_killed_at_random_moments_leaves_old_or_new(
    world: World, releases: Releases, tmp_path: Path, tell: Tell, rng: random.Random
):
    for _ in range(TRIALS):
        moment = rng.uniform(0, releases.seconds)
        wrong = rolled_back(world, releases, tmp_path / "data", UNHARMED, moment)
        tell(told("killed at a random moment: a rollback", wrong))
        assert not wrong, (moment, wrong)
