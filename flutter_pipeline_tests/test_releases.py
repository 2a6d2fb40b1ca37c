"""Two generations of models on one data folder: compared, promoted by hand, and gone back from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline_tests.conftest import Answer, Call, TinyFlutter, succeed

FEW_BIRDS = "[promotion]\nmin_birds = 5\n"
OTHER = f"[encoders.tfidf]\nsublinear = false\n{FEW_BIRDS}automatic = false\n"


@pytest.fixture(scope="module")
def two(once: Callable[..., Path], flutter_without_bert: TinyFlutter) -> TinyFlutter:
    """A folder in which other models were trained since; promotion is manual, so they wait."""

    def make(data: Path) -> str:
        shutil.copytree(flutter_without_bert.data, data, dirs_exist_ok=True)
        settings = (data / "flutter.toml").read_text()
        (data / "flutter.toml").write_text(settings + OTHER)
        return succeed(data, "run", "--again")

    data = once("two_releases", make)
    return TinyFlutter(data, json.loads((data.parent / "two_releases.json").read_text()))


@pytest.fixture
def changed(two: TinyFlutter, tmp_path: Path) -> TinyFlutter:
    """A copy of it that a test may change."""
    shutil.copytree(two.data, tmp_path / "copy")
    return TinyFlutter(tmp_path / "copy", two.printed)


def releases_of(data: Path) -> ReleaseStore:
    return ReleaseStore(data / "releases")


def set_anew(data: Path, before: str, after: str) -> None:
    settings = (data / "flutter.toml").read_text()
    assert before in settings
    (data / "flutter.toml").write_text(settings.replace(before, after))


def told(call: Call, data: Path, *arguments: str) -> dict:
    answer = call(data, *arguments, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_what_was_trained_waits_and_what_served_goes_on(
    two: TinyFlutter, flutter_without_bert: TinyFlutter
):
    aliases = releases_of(two.data).aliases()
    assert aliases.champion == releases_of(flutter_without_bert.data).aliases().champion
    assert aliases.challenger not in (None, aliases.champion) and aliases.applied
    feeds, before = two.read("ranked_candidates"), flutter_without_bert.read("ranked_candidates")
    assert feeds.equals(before)


def test_the_comparison_is_kept_with_the_challenger(two: TinyFlutter, call: Call):
    shown = told(call, two.data, "versions", "show", "challenger")
    assert shown["promoted"] is False and shown["reason"].startswith("promotion is manual; ")
    compared = shown["comparison"]
    assert shown["compared_with"] == releases_of(two.data).aliases().champion
    assert compared["low"] <= compared["difference"] <= compared["high"]
    assert compared["birds"] >= 5


def test_promoting_and_going_back_give_the_old_feeds_bit_for_bit(changed: TinyFlutter, call: Call):
    before = changed.read("ranked_candidates")
    first, second = (
        releases_of(changed.data).aliases().named[n] for n in ("champion", "challenger")
    )
    assert told(call, changed.data, "versions", "promote")["champion"] == second
    printed = succeed(changed.data, "run")
    assert f"Release {second} serves since" in printed
    assert "tfidf_model" not in printed and "ranker " not in printed
    other = changed.read("ranked_candidates")
    tfidf = releases_of(changed.data).open(second).release.encoders["tfidf"]
    assert set(other.loc[other["encoder"] == "tfidf", "embedding_version"]) == {tfidf}
    assert not other.equals(before)

    assert told(call, changed.data, "versions", "rollback")["champion"] == first
    succeed(changed.data, "run")
    parts = TableStore(changed.data / "tables").parts("ranked_candidates")
    assert changed.read("ranked_candidates").equals(before) and len(parts) == 1
    assert "Nothing new has landed" in succeed(changed.data, "run")


def test_what_was_rolled_back_from_is_not_promoted_by_training_it_again(
    changed: TinyFlutter, call: Call
):
    first, second = (
        releases_of(changed.data).aliases().named[n] for n in ("champion", "challenger")
    )
    told(call, changed.data, "versions", "promote")
    assert told(call, changed.data, "versions", "rollback")["withdrawn"] == [second]
    set_anew(changed.data, "automatic = false", "automatic = true\nmargin = 1.0")
    succeed(changed.data, "run", "--again")
    aliases = releases_of(changed.data).aliases()
    assert (aliases.champion, aliases.challenger) == (first, second)
    reason = releases_of(changed.data).open(second).facts["reason"]
    assert reason.startswith("it was rolled back from")


def test_releases_are_compared_on_past_days(changed: TinyFlutter, call: Call):
    found = told(call, changed.data, "versions", "compare", "challenger", "champion")
    recorded = told(call, changed.data, "versions", "show", "challenger")["comparison"]
    assert found["difference"] == pytest.approx(recorded["difference"])
    same = told(call, changed.data, "versions", "compare", "champion", "champion")
    assert same["low"] == same["high"] == 0
    set_anew(changed.data, "min_birds = 5", "min_birds = 1000")
    few = told(call, changed.data, "versions", "compare", "challenger", "champion")
    assert "birds could be compared, and 1000 are needed" in few["says"] and few["low"] is None


def refused(answer: Answer) -> str:
    assert answer.code == 1 and "Traceback" not in answer.err
    [line] = answer.err.splitlines()
    return line


def test_what_cannot_be_is_refused_in_one_line(two: TinyFlutter, call: Call):
    for arguments, says in (
        (("rollback",), "no release to go back to"),
        (("promote", "champion"), "serves already"),
        (("promote", "../../x"), "'../../x' is no release; there is"),
        (("show", "previous"), "no release is the previous now"),
        (("prune", "champion"), "is the champion; promote another one first"),
    ):
        assert says in refused(call(two.data, "versions", *arguments))


def test_pruning_keeps_what_serves_and_waits(changed: TinyFlutter, call: Call):
    gone = told(call, changed.data, "versions", "prune", "--keep", "1")
    assert gone["releases"] == [] and gone["versions"] == []
    challenger = releases_of(changed.data).aliases().challenger
    told(call, changed.data, "versions", "promote")
    told(call, changed.data, "versions", "rollback")
    gone = told(call, changed.data, "versions", "prune", str(challenger))
    assert gone["releases"] == [challenger] and gone["size_bytes"] > 0
    assert any(one.startswith("tfidf_model/") for one in gone["versions"])
    assert any(one.startswith("tfidf/") for one in gone["embeddings"])
    assert releases_of(changed.data).ids() == [releases_of(changed.data).aliases().champion]


def test_a_lost_part_is_a_problem_and_never_served(changed: TinyFlutter, call: Call):
    releases = releases_of(changed.data)
    first, second = (releases.aliases().named[n] for n in ("champion", "challenger"))
    told(call, changed.data, "versions", "promote")
    assert "the feeds are of release" in str(told_status(call, changed.data)["warnings"])
    tfidf = releases.open(str(first)).release.encoders["tfidf"]
    shutil.rmtree(changed.data / "models" / "tfidf_model" / tfidf)
    line = refused(call(changed.data, "versions", "rollback"))
    assert f"release {first} cannot serve: tfidf_model {tfidf} is not stored any more" in line
    assert releases.aliases().champion == second
    releases.rollback(str(first))
    problems = str(told_status(call, changed.data)["problems"])
    assert f"release {first} serves, and tfidf_model {tfidf} is not stored" in problems


def told_status(call: Call, data: Path) -> dict:
    return json.loads(call(data, "status", "--json").out)
