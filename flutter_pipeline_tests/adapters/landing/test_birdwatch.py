"""The shipped mapping on the real Birdwatch files."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.ledger import Books
from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.landing.store import days_stored, read_days

FILES = Path(os.environ.get("FLUTTER_BENCHMARK_DATA", "")) / "birdwatch"
MAPPING = Path(__file__).parents[3] / "mappings" / "birdwatch.toml"


@pytest.mark.skipif(
    "FLUTTER_BENCHMARK_DATA" not in os.environ or not FILES.is_dir(),
    reason="FLUTTER_BENCHMARK_DATA names no folder with birdwatch/ in it",
)
def test_every_note_is_a_flit_and_every_vote_an_impression_and_an_opinion(tmp_path: Path):
    files = [FILES / "notes.tsv.gz", FILES / "ratings.tsv.gz"]
    config = IntakeConfig(mapping=read_mapping(MAPPING))
    intake = take_in(files, tmp_path, config, datetime(2025, 1, 1, tzinfo=UTC))
    assert intake.books["flits"] == Books(landed=4_880, stored=4_880)
    flits = read_days(tmp_path, "flits", days_stored(tmp_path, "flits"))
    assert flits["bird_id"].nunique() == 1_249
    assert [text for text in flits["text"] if "&quot;" in text or "&amp;" in text] == []
    assert days_stored(tmp_path, "flits")[::56] == ["2021-01-23", "2021-03-23"]
    engagements = read_days(tmp_path, "engagements", days_stored(tmp_path, "engagements"))
    counts = engagements["action"].value_counts().to_dict()
    assert counts["like"] == 8_431
    assert counts["impression"] == 13_559
    assert intake.books["engagements"] == Books(landed=len(engagements), stored=len(engagements))
