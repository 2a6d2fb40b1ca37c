"""Times are read in every dress, and what is none stays null."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from flutter_pipeline.adapters.landing.mapping import TimeColumn
from flutter_pipeline.adapters.landing.times import to_times

NOON = datetime(2021, 1, 24, 12, tzinfo=UTC)
SECONDS = 1_611_489_600


def read(*cells: object, how: TimeColumn | None = None) -> list[datetime | None]:
    return to_times(pl.Series(cells, strict=False), how).to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2021-01-24T12:00:00Z",
        "2021-01-24T12:00:00+00:00",
        "2021-01-24 12:00:00",
        "2021-01-24T12:00:00.000000",
        "2021-01-24 14:00:00+02:00",
        "2021-01-24T07:00:00-0500",
        "2021-01-24T12:00",
        "20210124T120000Z",
        " 2021-01-24T12:00:00Z ",
        "1611489600",
        "1611489600000",
        "1611489600.0",
        "1611489600000000",
        "1611489600000000000",
    ],
)
def test_text_of_every_form_is_one_moment(text: str):
    assert read(text) == [NOON]


def test_a_date_is_its_first_moment():
    assert read("2021-01-24") == [datetime(2021, 1, 24, tzinfo=UTC)]
    assert read(date(2021, 1, 24)) == [datetime(2021, 1, 24, tzinfo=UTC)]


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_the_size_of_a_number_tells_its_unit(factor: int):
    assert read(SECONDS * factor) == [NOON]


def test_numbers_of_several_units_are_told_one_by_one():
    assert read(SECONDS, SECONDS * 10**3, SECONDS * 10**6) == [NOON, NOON, NOON]


def test_a_given_unit_is_believed():
    day = TimeColumn(column="at", unit="s")
    assert read(86_400, how=day) == [datetime(1970, 1, 2, tzinfo=UTC)]
    assert read("86400", how=day) == [datetime(1970, 1, 2, tzinfo=UTC)]
    assert read("2021-01-24", how=day) == [None]


def test_a_given_format_is_used():
    how = TimeColumn(column="at", format="%a %b %d %H:%M:%S %z %Y")
    assert read("Sun Jan 24 14:00:00 +0200 2021", "2021", how=how) == [NOON, None]


def test_arrow_times_keep_their_moment_whatever_their_unit_and_zone():
    for unit in ("ms", "us", "ns"):
        naive = pl.Series([NOON.replace(tzinfo=None)], dtype=pl.Datetime(unit))
        zoned = naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
        assert to_times(naive, None).to_list() == [NOON]
        assert to_times(zoned, None).to_list() == [NOON]


def test_microseconds_survive():
    assert read("2021-01-24T12:00:00.123456Z") == [NOON.replace(microsecond=123456)]
    assert read(SECONDS * 10**9 + 123_456_789) == [NOON.replace(microsecond=123456)]


def test_what_is_no_time_is_null():
    assert read("yesterday", "", "2021-13-01", "nan", "2021-01-24T12:00:00Z") == [None] * 4 + [NOON]
    assert read(float("nan"), float("inf"), 1611489600.0) == [None, None, NOON]
    assert read(True) == [None]


def test_a_time_beyond_all_bounds_is_cut_off_and_never_wraps():
    huge = TimeColumn(column="at", unit="s")
    assert to_times(pl.Series([2**62, -(2**62)]), huge).dt.year().to_list() == [5138, -1199]
