"""What `verify --repair` makes anew: what is damaged, what is made of that, and nothing else."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing import store
from flutter_pipeline.adapters.reporting.shelf import (
    damage_of_report,
    find_report,
    publish_report,
)
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.verify import Damage, damage_at_a_glance
from flutter_pipeline.cli.verifying import Rerun, to_rerun
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import Call, TinyFlutter


def _part(data: Path, table: str, number: int = 0) -> Path:
    parts = [*TableStore(data / "tables").parts(table).values()]
    return data / "tables" / table / parts[number].file


def _rerun(monkeypatch, data: Path, *damage: Damage) -> Rerun:
    monkeypatch.setenv("FLUTTER_DATA", str(data))
    return to_rerun(read_settings(), damage)


def _of_table(file: Path) -> Damage:
    return Damage("table", file.parent.name, file, "its checksum differs")


def test_one_damaged_table_is_made_anew_with_what_follows_it_alone(copied: TinyFlutter, call: Call):
    damaged = _part(copied.data, "bird_interests")
    before = copied.read("ranked_candidates")
    damaged.write_bytes(damaged.read_bytes()[:-9])
    answer = call(copied.data, "verify", "--repair")
    assert answer.code == 0, answer.out + answer.err
    said = next(line for line in answer.out.splitlines() if line.startswith("Made anew now"))
    assert " assets, bird_interests, candidates, ranked_candidates" in said
    assert "All is sound now." in answer.out
    assert copied.read("ranked_candidates").equals(before)


def test_feeds_alone_are_made_anew_where_they_alone_are_damaged(
    flutter_with_bert: TinyFlutter, monkeypatch
):
    data = flutter_with_bert.data
    rerun = _rerun(monkeypatch, data, _of_table(_part(data, "ranked_candidates")))
    assert rerun.assets[0] == "ranked_candidates" and rerun.days == ()
    assert not {"candidates", "champion", "tfidf_model"} & set(rerun.assets)


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [
        ("table", "cleaned_tokens", "tables/cleaned_tokens/manifest.json"),
        ("table", "past_candidates", "tables/past_candidates/manifest.json"),
        ("table", "of_long_ago", "tables/of_long_ago/manifest.json"),
        ("pointer", "cbow", "embeddings/cbow/current.json"),
        ("version", "ranker/40e4", "models/ranker/40e4"),
        ("embeddings", "cbow/40e4", "embeddings/cbow/40e4/manifest.json"),
        ("aliases", "aliases", "releases/aliases.json"),
        ("ledger entry", "40e4", "intake/ledger/40e4.json"),
    ],
)
def test_what_training_reads_or_makes_is_made_anew_with_everything(
    flutter_with_bert: TinyFlutter, monkeypatch, kind, name: str, place: str
):
    data = flutter_with_bert.data
    rerun = _rerun(monkeypatch, data, Damage(kind, name, data / place, "not JSON"))
    assert rerun.assets[0] == "landing" and len(rerun.assets) == rerun.of
    days = list(TableStore(data / "tables").parts("cleaned_tokens"))
    assert (rerun.days[0], rerun.days[-1]) == (days[0], days[-1])


def test_a_damaged_report_is_made_anew_alone_and_an_older_one_is_refused(
    copied: TinyFlutter, call: Call
):
    newest = find_report(copied.data, None)
    old = publish_report(copied.data, "2020-01-01", "<html></html>", keep=9)
    for path in (newest, old):
        path.write_bytes(path.read_bytes().replace(b"<html", b"<HTML"))
    answer = call(copied.data, "verify", "--repair")
    assert answer.code == 1
    said = next(line for line in answer.out.splitlines() if line.startswith("Made anew now"))
    assert said.endswith("assets, report.")
    assert f"it cannot be made again; delete {old.parent} to go on" in answer.out
    assert damage_of_report(newest) == "" and "1 left." in answer.out


def test_an_index_is_made_anew_with_what_searches_it(flutter_with_bert: TinyFlutter, monkeypatch):
    place = flutter_with_bert.data / "models" / "cbow_index" / "current.json"
    rerun = _rerun(
        monkeypatch, flutter_with_bert.data, Damage("pointer", "cbow_index", place, "not JSON")
    )
    assert rerun.assets[0] == "cbow_index" and "candidates" in rerun.assets
    assert not {"tfidf_index", "bird_interests", "champion"} & set(rerun.assets)


def test_a_run_with_nothing_new_says_what_is_damaged(copied: TinyFlutter, call: Call):
    assert call(copied.data, "run").code == 0
    damaged = _part(copied.data, "candidates")
    damaged.write_bytes(damaged.read_bytes()[:-9])
    answer = call(copied.data, "run")
    assert answer.code == 1 and answer.err.count("\n") == 1
    assert f"{damaged} is damaged: its checksum differs; `flutter-pipeline" in answer.err
    damaged.unlink()
    (copied.data / "releases" / "aliases.json").write_text("{", encoding="utf-8")
    answer = call(copied.data, "verify")
    assert "DAMAGED  aliases: " in answer.out and "aliases.json is damaged: not JSON" in answer.out


def test_a_glance_reads_no_vector_and_no_model(flutter_with_bert: TinyFlutter, monkeypatch):
    read: list[Path] = []
    monkeypatch.setattr(store, "checksum_of", read.append)
    assert {one.kind for one in damage_at_a_glance(flutter_with_bert.data)} == {"table"}
    assert read and {path.parents[1].name for path in read} == {"tables"}
