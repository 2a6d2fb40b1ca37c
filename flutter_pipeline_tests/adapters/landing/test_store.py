from datetime import UTC, datetime
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.store import refused_by_reason


def test_reasons_of_one_kind_are_counted_together(tmp_path: Path):
    file = tmp_path / "flits.csv"
    file.write_text(
        "flit_id,bird_id,text,created_at\n"
        "f1,b1,hello,2026-01-01T00:00:00Z\n"
        "f2,,no bird,2026-01-01T00:00:00Z\n"
        "f3,b1,x,soon\n"
        "f4,b1,y,it's late\n"
    )
    take_in([file], tmp_path / "data", IntakeConfig(), datetime(2026, 1, 2, tzinfo=UTC))
    assert refused_by_reason(tmp_path / "data") == {
        "flits: created_at … cannot be read as a time": 2,
        "flits: missing bird_id": 1,
    }


def test_where_nothing_was_refused_there_is_no_reason(tmp_path: Path):
    assert refused_by_reason(tmp_path) == {}
