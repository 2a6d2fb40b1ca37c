"""What was met before is not stored again."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from flutter_pipeline.adapters.landing.duplicates import (
    OTHER,
    SAME,
    VERDICT,
    new_of_day,
    prints,
    settle_flits,
)
from flutter_pipeline.adapters.landing.source import LINE

AT = datetime(2025, 1, 1, tzinfo=UTC)


def flits(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "flit_id": [flit for flit, _ in rows],
            "text": [text for _, text in rows],
            "created_at": [AT] * len(rows),
            "bird_id": ["b"] * len(rows),
            LINE: list(range(len(rows))),
        }
    ).cast({"created_at": pl.Datetime("us", "UTC")})


def verdicts(landed: pl.DataFrame, stored: list[Path]) -> dict[int, int]:
    found = settle_flits(prints(landed), stored)
    return dict(zip(found[LINE].to_list(), found[VERDICT].to_list(), strict=True))


def test_within_a_file_the_first_flit_of_an_id_is_new():
    landed = flits(("1", "a"), ("2", "b"), ("1", "a"), ("1", "c"))
    assert verdicts(landed, []) == {2: SAME, 3: OTHER}


def test_a_stored_flit_decides_over_the_first_of_the_file(tmp_path: Path):
    stored = tmp_path / "part.parquet"
    flits(("0", "x"), ("1", "a")).drop(LINE).write_parquet(stored)
    landed = flits(("1", "c"), ("1", "a"), ("2", "b"))
    assert verdicts(landed, [stored]) == {0: OTHER, 1: SAME}


def test_keys_of_a_day_are_stored_once(tmp_path: Path):
    stored = tmp_path / "part.parquet"
    pl.DataFrame({"a": [1], "b": ["x"], "c": [0]}).write_parquet(stored)
    rows = pl.DataFrame({"a": [1, 1, 2, 1], "b": ["x", "y", "x", "y"], "c": [1, 2, 3, 4]})
    assert new_of_day(rows, ["a", "b"], [stored])["c"].to_list() == [2, 3]
    assert new_of_day(rows, ["a", "b"], [])["c"].to_list() == [1, 2, 3]


def test_a_large_day_is_settled_in_parts_to_the_same_end(tmp_path: Path):
    stored = tmp_path / "part.parquet"
    pl.DataFrame({"a": [3], "b": ["3"]}).write_parquet(stored)
    numbers = [*range(20), *range(20)]
    rows = pl.DataFrame({"a": numbers, "b": [str(n) for n in numbers], "c": range(40)})
    fresh = new_of_day(rows, ["a", "b"], [stored], at_once=7)
    assert sorted(fresh["c"].to_list()) == [n for n in range(20) if n != 3]
