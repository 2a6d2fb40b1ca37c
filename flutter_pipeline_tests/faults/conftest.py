"""The zygote, the folders, and the fault table, which is printed at the end."""

import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flutter_pipeline_tests.faults.fault_table import Told, line_of, sums_of, table_of
from flutter_pipeline_tests.faults.forge import Forge
from flutter_pipeline_tests.faults.worlds import World, make_world

TABLE = "FLUTTER_FAULT_TABLE"
TRIALS = int(os.environ.get("FLUTTER_FAULT_TRIALS", "200"))
"""Trials of each long case."""


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A zygote of this worker."""
    made = Forge(tmp_path_factory.mktemp("forge"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def world(once: Callable[..., Path], forge: Forge) -> World:
    """The folders, made by whichever worker comes first."""
    root = once("fault_world", lambda folder: make_world(folder, forge))
    forge.learn(json.loads((root / "modules.json").read_text()))
    return World(root, forge)


@pytest.fixture
def rng() -> random.Random:
    """The same moments in every session."""
    return random.Random(5)


@pytest.fixture
def tell() -> Callable[[Told], None]:
    """Adds to the fault table."""

    def told(one: Told) -> None:
        if place := os.environ.get(TABLE):
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(line_of(one) + "\n")

    return told


def pytest_configure(config: pytest.Config) -> None:
    """One file for all workers to tell to."""
    if not hasattr(config, "workerinput"):
        handle, place = tempfile.mkstemp(suffix=".jsonl", prefix="fault_table_")
        os.close(handle)
        os.environ[TABLE] = place


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the fault table."""
    place = Path(os.environ.get(TABLE, ""))
    if hasattr(terminalreporter.config, "workerinput") or not place.is_file():
        return
    rows = sums_of(place.read_text(encoding="utf-8").splitlines())
    place.unlink()
    for line in table_of(rows) if rows else ():
        terminalreporter.write_line(line)
