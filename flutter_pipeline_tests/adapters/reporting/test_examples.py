"""Map, words and feeds of a tiny Flutter's run, from what it has stored."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from flutter_pipeline.adapters.reporting.clouds import by_weight
from flutter_pipeline.adapters.reporting.examples import pictured
from flutter_pipeline.adapters.store.releases import Release, ReleaseStore
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.section import Section
from flutter_pipeline.settings import read_settings
from flutter_pipeline_tests.conftest import TinyFlutter
from flutter_pipeline_tests.reports.small_reports import Markup, specs_of, words_of

CONFIG = ReportConfig(map_flits=150, feeds=4)


def pictures(data: Path, release: Release | None, config: ReportConfig = CONFIG) -> list[Section]:
    return pictured(read_settings({"FLUTTER_DATA": str(data)}), config, release)


def serving(data: Path) -> Release:
    found = ReleaseStore(data / "releases").champion()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def sections(flutter_without_bert: TinyFlutter) -> list[Section]:
    return pictures(flutter_without_bert.data, serving(flutter_without_bert.data))


def views_in(section: Section) -> list[str]:
    (spec,) = specs_of(section)
    return next(one["value"] for one in spec["params"] if one["name"] == "names")


def test_the_map_holds_the_newest_flits_by_every_encoder(
    sections: list[Section], flutter_without_bert: TinyFlutter
):
    flits = flutter_without_bert.read("cleaned_tokens").sort_values(["created_at", "flit_id"])
    release = serving(flutter_without_bert.data)
    (spec,) = specs_of(sections[0])
    rows = spec["data"]["values"]
    assert [row["b"] for row in rows] == flits["bird_id"].tail(150).to_list()[::-1]
    # The report is made at the end of the newest day.
    assert 0 <= rows[0]["d"] < 1 and len({row["t"] for row in rows}) == 8
    names = [f"{name} {release.encoders[name][:8]}" for name in by_weight(release)]
    assert views_in(sections[0]) == names and len(names) == 2


def test_a_version_that_served_before_stands_beside_the_one_that_serves(copied: TinyFlutter):
    data, now = copied.data, serving(copied.data)
    shutil.copytree(data / "embeddings/tfidf" / now.encoders["tfidf"], data / "embeddings/tfidf/ab")
    releases = ReleaseStore(data / "releases")
    former = replace(now, encoders={**now.encoders, "tfidf": "ab"})
    releases.keep(former, {})
    assert releases.promote(former.id, now.id) and releases.promote(now.id, former.id)
    (section, *_) = pictures(data, now)
    names = views_in(section)
    place = names.index("tfidf ab, before")
    assert names[place - 1] == f"tfidf {now.encoders['tfidf'][:8]}"
    # It is the same vectors: nothing has moved.
    for row in specs_of(section)[0]["data"]["values"]:
        assert row[f"x{place}"] == row[f"x{place - 1}"]


def test_words_are_asked_that_tell_topics_apart(sections: list[Section]):
    words = words_of(sections[1])
    assert "Nearest words" in words and "nearest of" in words


def test_feeds_are_those_that_stand(sections: list[Section], flutter_without_bert: TinyFlutter):
    feeds = flutter_without_bert.read("ranked_candidates")
    markup = Markup(sections[2].body)
    birds = [text for text in markup.text if text in set(feeds["bird_id"])]
    opened = [tag for tag, given in markup.tags if given.get("class") == "bird"]
    assert len(opened) == 4 and len(set(birds)) >= 4
    first = next(text for text in markup.text if text in set(feeds["bird_id"]))
    mine = feeds[feeds["bird_id"] == first].sort_values("rank").head(10)
    words = words_of(sections[2])
    assert all(str(because) in words for because in mine["because"])
    # So few likes teach no ranker, and the blend's scores are no chances.
    best = float(mine["score"].max())
    assert f"{best:.3f}, in truth" in words and "What came of its feed of 2026-01-16" in words


def test_no_example_feeds_are_shown_where_none_are_wanted(flutter_without_bert: TinyFlutter):
    data = flutter_without_bert.data
    *_, feeds = pictures(data, serving(data), ReportConfig(map_flits=150, feeds=0))
    assert "No bird that has liked anything" in words_of(feeds)


def test_without_past_candidates_or_truth_nothing_is_said_of_them(copied: TinyFlutter):
    shutil.rmtree(copied.data / "tables/past_candidates")
    (copied.data / "truth.npz").unlink()
    words = words_of(pictures(copied.data, serving(copied.data))[2])
    assert "What came of" not in words and "true chance" not in words and "Its feed" in words


def test_without_a_release_every_section_says_what_is_missing(flutter_without_bert: TinyFlutter):
    words = [words_of(section) for section in pictures(flutter_without_bert.data, None)]
    for said, missing in zip(words, ("nothing to draw yet", "No encoder", "No bird"), strict=True):
        assert missing in said


def test_the_encoder_that_weighs_most_comes_first():
    weights = {"interest_b": 0.3, "circle_b": 0.1, "interest_a": 0.35, "taste": 1.0}
    assert by_weight(Release({"a": "1", "b": "2", "c": "3"}, "r", weights)) == ["b", "a", "c"]
