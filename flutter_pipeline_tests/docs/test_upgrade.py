"""What docs/operations.md says of an upgrade: newer code leaves what serves alone until asked."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline_tests.conftest import Call, TinyFlutter


@pytest.fixture
def upgraded(two: TinyFlutter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyFlutter:
    """A folder of before an upgrade by which TF-IDF makes other vectors."""
    shutil.copytree(two.data, tmp_path / "copy")
    newer = replace(ENCODERS["tfidf"], code_version="of the upgrade")
    monkeypatch.setitem(ENCODERS, "tfidf", newer)
    return TinyFlutter(tmp_path / "copy", two.printed)


def versions_of(flutter: TinyFlutter) -> list[str]:
    return VersionStore(flutter.data / "models").versions("tfidf_model")


def test_newer_code_leaves_the_feeds_alone(upgraded: TinyFlutter, call: Call):
    before = versions_of(upgraded)
    answer = call(upgraded.data, "run")
    assert answer.code == 0
    assert "Nothing new has landed; these feeds stand." in answer.out
    assert versions_of(upgraded) == before


@pytest.mark.slow
def test_run_again_trains_what_newer_code_makes_else_and_has_it_wait(
    upgraded: TinyFlutter, call: Call
):
    before = versions_of(upgraded)
    feeds = upgraded.read("ranked_candidates")
    assert call(upgraded.data, "run", "--again").code == 0
    [new] = [version for version in versions_of(upgraded) if version not in before]
    told = json.loads(call(upgraded.data, "versions", "show", "challenger", "--json").out)
    assert new.startswith(told["encoders"]["tfidf"]) or told["encoders"]["tfidf"] == new
    assert upgraded.read("ranked_candidates").equals(feeds)
