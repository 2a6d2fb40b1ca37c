"""What docs/extend.md says to write is written into a copy of the code, tested there, and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.expectations import audit
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.contracts.table import Expectation, Table
from flutter_pipeline_tests.conftest import PROJECT, SMALL, TIMEOUT, TinyFlutter
from flutter_pipeline_tests.docs.blocks import commands, of

PAGE = "extend.md"
CONFORMANCE = {
    "flutter_pipeline_tests/embeddings/test_encoders.py": "hashed or escapes or names_there_are",
    "flutter_pipeline_tests/candidates/test_by_replies.py": "TalkedAbout",
    "flutter_pipeline_tests/candidates/test_propose.py": "used_by_default or named_twice",
    "flutter_pipeline_tests/filtering/test_rules.py": "PassedBy or listed or switch",
    "flutter_pipeline_tests/ranking/test_ranker.py": "Stairs or listed or which_there_are",
}
"""Which tests of each file the page brings, and those that ask whether anything was forgotten."""


def changed(text: str, hunk: str) -> str:
    """``text`` with the lines of a hunk taken out and put in; its place has to be the only one."""
    lines = [line for line in hunk.splitlines() if line]
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"found {text.count(before)} times, expected once:\n{before}"
    return text.replace(before, after)


def apply_page(root: Path) -> None:
    """Write the files of the page below ``root``, and make its changes."""
    for block in of(PAGE, "python"):
        (root / block.title).write_text(block.text, encoding="utf-8")
    for block in of(PAGE, "diff"):
        for part in re.split(r"^--- ", block.text, flags=re.MULTILINE)[1:]:
            name, _, hunks = part.partition("\n")
            path = root / name
            text = path.read_text(encoding="utf-8")
            for hunk in re.split(r"^@@\n", hunks, flags=re.MULTILINE):
                text = changed(text, hunk)
            path.write_text(text, encoding="utf-8")


def in_copy(root: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@pytest.fixture(scope="module")
def extended(once: Callable[..., Path], flutter_with_bert: TinyFlutter) -> Path:
    """A copy of the code that has everything of the page, and a data folder it has run on."""

    def make(root: Path) -> str:
        # What was compiled for the code as it is serves its copy, too.
        for name in ("flutter_pipeline", "flutter_pipeline_tests"):
            shutil.copytree(PROJECT / name, root / name)
        for name in ("pyproject.toml", "dagster.yaml", "workspace.yaml"):
            shutil.copyfile(PROJECT / name, root / name)
        apply_page(root)
        data = root / "my-data"
        shutil.copytree(flutter_with_bert.sources, data / "simulated")
        (data / "mlflow").mkdir()
        shutil.copyfile(
            flutter_with_bert.data / "mlflow" / "mlflow.db", data / "mlflow" / "mlflow.db"
        )
        [settings] = of(PAGE, "toml")
        (data / "flutter.toml").write_text(settings.text + SMALL)
        files = sorted((data / "simulated").glob("*.parquet"))
        command = ("-c", "from flutter_pipeline.cli.app import main; main()")
        said = [in_copy(root, *command, "--data", data, "ingest", *files)]
        [block] = of(PAGE, "bash")
        said += [
            in_copy(root, *command, *line.removeprefix("flutter-pipeline ").split())
            for line in commands(block)
        ]
        for answer in said:
            assert answer.returncode == 0, answer.stdout + answer.stderr
        return "\n".join(answer.stdout for answer in said)

    return once("extended", make)


@pytest.fixture(scope="module")
def said(extended: Path) -> str:
    """What the commands of the page printed."""
    return json.loads((extended.parent / "extended.json").read_text())


def test_the_new_parts_keep_what_all_others_promise(extended: Path):
    chosen = " or ".join(CONFORMANCE.values())
    answer = in_copy(
        extended, "-m", "pytest", "-q", "-p", "no:cacheprovider", *CONFORMANCE, "-k", chosen
    )
    assert answer.returncode == 0, answer.stdout[-4000:]


def test_the_new_code_is_in_the_style_of_the_old(extended: Path):
    written = [extended / block.title for block in of(PAGE, "python")]
    touched = [extended / name for name in re.findall(r"(?m)^--- (\S+)$", diffs())]
    assert in_copy(extended, "-m", "ruff", "check", *written, *touched).stdout.startswith("All")
    formatted = in_copy(extended, "-m", "ruff", "format", "--diff", *written, *touched)
    assert formatted.stdout == ""


def diffs() -> str:
    return "\n".join(block.text for block in of(PAGE, "diff"))


def test_the_encoder_and_the_source_propose(extended: Path):
    candidates = TableStore(extended / "my-data" / "tables").read("ranked_candidates")
    proposed = set(",".join(candidates["sources"]).split(","))
    assert {"interest_hashed", "talked_about"} <= proposed
    assert (extended / "my-data" / "embeddings" / "hashed").is_dir()


def test_the_source_is_named_as_the_reason(extended: Path):
    feeds = TableStore(extended / "my-data" / "tables").read("ranked_candidates")
    assert "proposed by talked_about" in set(feeds["because"])


def test_the_encoder_is_compared_with_another(said: str):
    assert re.search(r"^ hashed .*\d", said, re.MULTILINE)


def test_the_check_is_a_sentence_that_can_fail(extended: Path):
    feeds = TableStore(extended / "my-data" / "tables").read("ranked_candidates")
    program = (
        "import json; from dataclasses import asdict;"
        "from flutter_pipeline.contracts.tables import RANKED_CANDIDATES as feeds;"
        "print(json.dumps([asdict(one) for one in feeds.expectations if 'line' in one.sentence]))"
    )
    [told] = json.loads(in_copy(extended, "-c", program).stdout)
    added = Table("feeds", "", (), expectations=(Expectation(**told),))
    assert audit(feeds, added).passed
    [warning] = audit(pd.DataFrame({"because": ["new today", "x" * 201]}), added).warnings
    assert (warning.sentence, warning.unexpected) == ("every reason fits on a line", 1)
