"""What docs/operations.md says of an upgrade: newer code leaves what serves alone until asked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline_tests.conftest import PROJECT, TIMEOUT, Call, TinyFlutter

NEWER = (
    "from dataclasses import replace\n"
    "from flutter_pipeline.embeddings.encoders import ENCODERS\n"
    "ENCODERS['tfidf'] = replace(ENCODERS['tfidf'], code_version='of the upgrade')\n"
    "from flutter_pipeline.cli.app import main\n"
    "main()\n"
)
"""The command line of a code by which TF-IDF makes other vectors."""


@pytest.fixture
def before(two: TinyFlutter, tmp_path: Path) -> TinyFlutter:
    """A folder from before the upgrade."""
    shutil.copytree(two.data, tmp_path / "copy")
    return TinyFlutter(tmp_path / "copy", two.printed)


def by_newer_code(flutter: TinyFlutter, *arguments: str) -> str:
    # In a process of its own, because assets read the list of encoders when they are imported.
    ended = subprocess.run(
        [sys.executable, "-c", NEWER, "--data", flutter.data, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def versions_of(flutter: TinyFlutter) -> list[str]:
    return VersionStore(flutter.data / "models").versions("tfidf_model")


def test_newer_code_leaves_the_feeds_alone(before: TinyFlutter):
    versions = versions_of(before)
    said = by_newer_code(before, "run")
    assert "Nothing new has landed; these feeds stand." in said
    assert versions_of(before) == versions


@pytest.mark.slow
def test_run_again_trains_what_newer_code_makes_else_and_has_it_wait(
    before: TinyFlutter, call: Call
):
    versions, feeds = versions_of(before), before.read("ranked_candidates")
    by_newer_code(before, "run", "--again")
    [new] = [version for version in versions_of(before) if version not in versions]
    told = json.loads(call(before.data, "versions", "show", "challenger", "--json").out)
    assert told["encoders"]["tfidf"] == new
    assert before.read("ranked_candidates").equals(feeds)
