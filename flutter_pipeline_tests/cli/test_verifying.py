"""What `verify --repair` makes anew: what is damaged, what is made of that, and nothing else."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing import store
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.verify import Damage, Verified, damage_at_a_glance
from flutter_pipeline.cli.verifying import Rerun, to_rerun
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import Call, TinyFlutter


def _part(data: Path, table: str, number: int = 0) -> Path:
    parts = [*TableStore(data / "tables").parts(table).values()]
    return data / "tables" / table / parts[number].file


def _rerun(monkeypatch, data: Path, *damage: Damage) -> Rerun:
    monkeypatch.setenv("FLUTTER_DATA", str(data))
    return to_rerun(read_settings(), Verified(9, 1.0, damage), damage)


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


def test_a_damaged_day_is_that_day_and_what_is_made_of_it(
    flutter_with_bert: TinyFlutter, monkeypatch
):
    data = flutter_with_bert.data
    day = list(TableStore(data / "tables").parts("cleaned_tokens"))[1]
    rerun = _rerun(monkeypatch, data, _of_table(_part(data, "cleaned_tokens", 1)))
    assert rerun.days == (day,)
    assert rerun.assets[0] == "cleaned_tokens" and "raw_flits" not in rerun.assets
    assert {"tfidf_model", "candidates", "ranked_candidates"} <= set(rerun.assets)


def test_a_damaged_manifest_is_all_days(flutter_with_bert: TinyFlutter, monkeypatch):
    data = flutter_with_bert.data
    rerun = _rerun(monkeypatch, data, _of_table(data / "tables/cleaned_tokens/manifest.json"))
    parts = list(TableStore(data / "tables").parts("cleaned_tokens"))
    assert (rerun.days[0], rerun.days[-1]) == (parts[0], parts[-1])


@pytest.mark.parametrize(
    ("kind", "name", "place", "first"),
    [
        ("pointer", "cbow", "embeddings/cbow/current.json", "cbow_embeddings"),
        ("pointer", "cbow_index", "models/cbow_index/current.json", "cbow_index"),
        ("version", "ranker/40e4", "models/ranker/40e4", "ranker"),
        ("embeddings", "cbow/40e4", "embeddings/cbow/40e4/manifest.json", "cbow_embeddings"),
        ("aliases", "aliases", "releases/aliases.json", "champion"),
        ("ledger entry", "40e4", "intake/ledger/40e4.json", "landing"),
    ],
)
def test_everything_that_is_stored_has_the_asset_that_makes_it(
    flutter_with_bert: TinyFlutter, monkeypatch, kind, name: str, place: str, first: str
):
    data = flutter_with_bert.data
    rerun = _rerun(monkeypatch, data, Damage(kind, name, data / place, "not JSON"))
    assert rerun.assets[0] == first
    assert (len(rerun.assets) == rerun.of) == (first == "landing")


def test_what_no_asset_makes_any_more_reruns_everything(
    flutter_with_bert: TinyFlutter, monkeypatch
):
    data = flutter_with_bert.data
    rerun = _rerun(monkeypatch, data, _of_table(data / "tables/of_long_ago/manifest.json"))
    assert len(rerun.assets) == rerun.of


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
