"""Tiny data folders that whole runs were made in; each is made once, whichever worker asks first.

What a run leaves behind is looked at by many tests, so nobody may change these folders: a test
that has to, works on a copy.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.cli.app import main

PROJECT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-c", "from flutter_pipeline.cli.app import main; main()")
TIMEOUT = 300

SMALL = """
[backtest]
train_moments = 3
test_moments = 2
resamples = 100
[encoders.cbow]
epochs = 2
max_epochs = 2
[intake]
settle_seconds = 0
"""
"""Settings by which a run takes seconds."""


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def flutter(data: Path, *arguments: str | Path, **environment: str) -> Answer:
    """The command line, as a user would call it, on a data folder."""
    ended = subprocess.run(
        [*COMMAND, "--data", str(data), *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def succeed(data: Path, *arguments: str | Path, **environment: str) -> str:
    """:func:`flutter` that has to end well; returns what it printed."""
    answer = flutter(data, *arguments, **environment)
    assert answer.code == 0, f"{arguments} ended with {answer.code}:\n{answer.out}{answer.err}"
    return answer.out


Call = Callable[..., Answer]


@pytest.fixture
def call(monkeypatch, capsys) -> Call:
    """The command line in this process, which is as good and much faster than another one."""

    def called(data: Path, *arguments: str | Path) -> Answer:
        # Set first, so that what the command sets is taken back.
        monkeypatch.setenv("FLUTTER_DATA", "")
        monkeypatch.setenv("DAGSTER_HOME", "")
        monkeypatch.setattr(
            sys, "argv", ["flutter-pipeline", "--data", str(data), *map(str, arguments)]
        )
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as exit:
            code = int(exit.code or 0)
        shown = capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    return called


@dataclass(frozen=True)
class TinyFlutter:
    """A data folder after its first run."""

    data: Path
    printed: str

    @property
    def sources(self) -> Path:
        """The files that were taken in."""
        return self.data / "simulated"

    def read(self, table: str) -> pd.DataFrame:
        """A published table."""
        return TableStore(self.data / "tables").read(table)


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below ``folder`` with its size and time: what nobody may change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Definitions read the data folder when they are imported; it shall not be the user's."""
    os.environ["FLUTTER_DATA"] = str(tmp_path_factory.mktemp("no_data"))
    os.environ["DAGSTER_HOME"] = ""
    for name in ("FLUTTER_POSTGRES_URL", "MLFLOW_TRACKING_URI", "FLUTTER_WEBHOOK"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a folder that all workers share: ``once(name, make)`` calls ``make(folder)`` once."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], str]) -> Path:
        folder = root / name
        with FileLock(root / f"{name}.lock"):
            if not (root / f"{name}.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                printed = make(folder)
                (root / f"{name}.json").write_text(json.dumps(printed))
        return folder

    return made


def tiny(once: Callable[..., Path], name: str, make: Callable[[Path], str]) -> TinyFlutter:
    """The folder ``name``, with what making it printed."""
    folder = once(name, make)
    printed = json.loads((folder.parent / f"{name}.json").read_text())
    return TinyFlutter(folder, printed)


def first_run(data: Path, encoders: Sequence[str], like: Path | None = None) -> str:
    """Take in a simulated network of 60 birds and 400 flits over 16 days, and run.

    The network is simulated anew, or is that of ``like``, a folder of an earlier first run.
    """
    (data / "flutter.toml").write_text(f"use_encoders = {json.dumps(list(encoders))}\n{SMALL}")
    if like is None:
        size = ("--birds", "60", "--flits", "400", "--days", "16")
        succeed(data, "simulate", *size, "--out", data / "simulated")
    else:
        shutil.copytree(like / "simulated", data / "simulated")
        # Making MLflow's database takes longer than the rest of the run.
        (data / "mlflow").mkdir()
        shutil.copyfile(like / "mlflow" / "mlflow.db", data / "mlflow" / "mlflow.db")
    shutil.copyfile(data / "simulated" / "truth.npz", data / "truth.npz")
    succeed(data, "ingest", *sorted((data / "simulated").glob("*.parquet")))
    return succeed(data, "run")


@pytest.fixture(scope="session")
def flutter_with_bert(once: Callable[..., Path]) -> TinyFlutter:
    """A first run with all encoders."""
    return tiny(once, "with_bert", lambda data: first_run(data, ["tfidf", "cbow", "bert"]))


@pytest.fixture(scope="session")
def flutter_without_bert(once: Callable[..., Path], flutter_with_bert: TinyFlutter) -> TinyFlutter:
    """A first run on the same network with two encoders."""
    like = flutter_with_bert.data
    return tiny(once, "without_bert", lambda data: first_run(data, ["tfidf", "cbow"], like))


@pytest.fixture
def copied(flutter_without_bert: TinyFlutter, tmp_path: Path) -> TinyFlutter:
    """A copy that a test may change."""
    shutil.copytree(flutter_without_bert.data, tmp_path / "copy")
    return TinyFlutter(tmp_path / "copy", flutter_without_bert.printed)
