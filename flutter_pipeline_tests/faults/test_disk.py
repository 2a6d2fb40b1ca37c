"""A full disk, a limit on files, a folder that cannot be written to: one clear line, no harm done.

Disks are file systems in memory, which only root may mount; elsewhere these tests are skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flutter_pipeline.adapters.disk import disk_trouble
from flutter_pipeline_tests.faults.fault_table import Told
from flutter_pipeline_tests.faults.forge import Suffering
from flutter_pipeline_tests.faults.worlds import World, look, rerun, unharmed

MEGABYTES = 64
FREE = (0, 30, 90, 150, 220, 300, 400, 500, 650, 800, 1000, 1300)
"""Kilobytes that are free when a run begins: each is used up at another point of it."""

SIZES = (1 << 10, 4 << 10, 12 << 10, 100 << 10)
"""Bytes that no file may grow beyond."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system, and not in every container")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def fill(disk: Path, kilobytes: int) -> Path:
    """Leave so much free."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free - (kilobytes << 10)
    with ballast.open("wb") as file:
        for _ in range(free >> 20):
            file.write(bytes(1 << 20))
        file.write(bytes(free & ((1 << 20) - 1)))
    return ballast


def starved(world: World, disk: Path, kilobytes: int) -> tuple[list[str], int]:
    """What is wrong after a run found the disk full, and ran again with space; its exit code."""
    data = disk / "data"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(world.old, data)
    ballast = fill(disk, kilobytes)
    ended = world.forge.run(data, "run")
    wrong = []
    if ended.code == 1 and not (ended.clear and str(data) in ended.line and "free" in ended.line):
        wrong.append(f"it said: {ended.out[-2500:]}")
    if ended.code not in (0, 1):
        wrong.append(f"it ended with {ended.code}: {ended.out[-2500:]}")
    ballast.unlink()
    wrong += look(world, data, unharmed(world, "old"), unharmed(world, "new"))
    return [*wrong, *rerun(world, data, unharmed(world, "new"))], ended.code


def test_a_full_disk_is_told_in_one_line_and_nothing_is_lost(
    world: World, disk: Path, tell: Callable[[Told], None]
):
    wrong, code = starved(world, disk, 150)
    tell(Told("disk full", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert code == 1
    assert not wrong


@pytest.mark.faults
@pytest.mark.parametrize("kilobytes", FREE)
def test_a_disk_that_fills_up_at_any_point_loses_nothing(
    world: World, disk: Path, tell: Callable[[Told], None], kilobytes: int
):
    wrong, _ = starved(world, disk, kilobytes)
    tell(Told("disk full", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert not wrong


@pytest.mark.faults
@pytest.mark.parametrize("size", SIZES)
def test_a_limit_on_files_is_told_in_one_line_and_nothing_is_lost(
    world: World, tmp_path: Path, tell: Callable[[Told], None], size: int
):
    data = tmp_path / "data"
    shutil.copytree(world.old, data)
    ended = world.forge.run(data, "run", suffering=Suffering(file_size=size))
    wrong = look(world, data, unharmed(world, "old"), unharmed(world, "new"))
    wrong += rerun(world, data, unharmed(world, "new"))
    tell(Told("files may not grow", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert ended.code == 1 and ended.clear and str(data) in ended.line, ended.out[-2500:]
    assert not wrong


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_run_in(
    world: World, disk: Path, tell: Callable[[Told], None]
):
    data = disk / "data"
    shutil.copytree(world.old, data)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    ended = world.forge.run(data, "run")
    wrong = look(world, data, unharmed(world, "old"))
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    wrong += rerun(world, data, unharmed(world, "new"))
    tell(Told("read-only folder", half_visible=int(bool(wrong)), identical=int(not wrong)))
    assert ended.code == 1 and ended.clear, ended.out[-2500:]
    assert f"{data}" in ended.line and "make it writable" in ended.line
    assert not wrong


@pytest.mark.parametrize(
    "said",
    [
        "[Errno 28] No space left on device: 'x'",
        "(sqlite3.OperationalError) database or disk is full",
        "4096 requested and 128 written",
        "[Errno 27] File too large",
    ],
)
def test_a_full_disk_is_known_by_the_words_of_every_library(tmp_path: Path, said: str):
    told = disk_trouble(RuntimeError(f"step failed: {said}"), tmp_path)
    assert told.startswith(f"the disk of {tmp_path} is full") and "free some space" in told


def test_any_other_error_is_no_trouble_with_the_disk(tmp_path: Path):
    assert disk_trouble(ValueError("a mistake in the code"), tmp_path) == ""
    assert os.sep not in disk_trouble(KeyError("x"), tmp_path)
