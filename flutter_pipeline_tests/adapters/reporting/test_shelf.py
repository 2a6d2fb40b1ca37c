from pathlib import Path

import pytest

from flutter_pipeline.adapters.reporting.shelf import (
    damage_of_report,
    find_report,
    key_of,
    publish_report,
    report_path,
    reports,
)
from flutter_pipeline.errors import VersionError
from flutter_pipeline.settings import Settings

NOON = 1_769_860_800_000_000
"""Noon of the 31st of January 2026, in microseconds."""


def test_a_report_is_called_as_its_day_or_hour_is(tmp_path: Path):
    assert key_of(NOON, Settings(tmp_path)) == "2026-01-31"
    assert key_of(NOON, Settings(tmp_path, cadence="hourly")) == "2026-01-31-12:00"


def test_a_report_of_the_same_moment_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path):
    publish_report(tmp_path, "2026-01-31", "first", keep=3)
    path = publish_report(tmp_path, "2026-01-31", "sécond", keep=3)
    assert path == tmp_path / "reports" / "2026-01-31" / "index.html"
    assert path.read_bytes().startswith("sécond<!-- sha256 ".encode())
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]


def test_the_newest_are_kept_and_the_one_just_made_always(tmp_path: Path):
    for day in (3, 4, 5, 6):
        publish_report(tmp_path, f"2026-01-0{day}", "", keep=2)
    assert reports(tmp_path) == ["2026-01-05", "2026-01-06"]
    publish_report(tmp_path, "2026-01-01", "", keep=1)
    assert reports(tmp_path) == ["2026-01-01"]


def test_the_newest_is_found_or_the_one_that_is_asked_for(tmp_path: Path):
    for day in ("2026-01-03", "2026-01-04"):
        publish_report(tmp_path, day, "", keep=9)
    assert find_report(tmp_path, None) == report_path(tmp_path, "2026-01-04")
    assert find_report(tmp_path, "2026-01-03") == report_path(tmp_path, "2026-01-03")
    with pytest.raises(VersionError, match=r"'2026-01-05'; there is 2026-01-03, 2026-01-04"):
        find_report(tmp_path, "2026-01-05")


def test_before_the_first_report_it_says_what_makes_one(tmp_path: Path):
    with pytest.raises(VersionError, match="report --again"):
        find_report(tmp_path, None)


def test_a_report_that_is_not_what_was_published_is_damaged(tmp_path: Path):
    path = publish_report(tmp_path, "2026-01-03", "<html>owls</html>\n", keep=1)
    content = path.read_bytes()
    assert damage_of_report(path) == ""
    path.write_bytes(content.replace(b"owls", b"cows"))
    assert damage_of_report(path) == f"{path} is damaged: its checksum differs"
    path.write_bytes(content[:-9])
    assert damage_of_report(path) == f"{path} is damaged: its end is missing"


def test_a_report_of_before_there_were_checksums_passes(tmp_path: Path):
    path = tmp_path / "index.html"
    path.write_text("<html>owls</html>\n")
    assert damage_of_report(path) == ""


@pytest.mark.parametrize("key", ["../x", "a/b", "..", ".", ""])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str):
    with pytest.raises(VersionError, match="names no report"):
        report_path(tmp_path, key)
