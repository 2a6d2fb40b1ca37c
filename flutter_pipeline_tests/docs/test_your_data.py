"""The exports of docs/your-data.md become the rows that the page says, and so do their settings."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.ledger import Books
from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.landing.store import days_stored, read_days
from flutter_pipeline.contracts.tables import ACTIONS, LANDED
from flutter_pipeline_tests.conftest import PROJECT
from flutter_pipeline_tests.docs.blocks import ALL

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FILES = {
    block.title: block.text for block in ALL if block.document == "your-data.md" and block.title
}


PAGE = (PROJECT / "docs" / "your-data.md").read_text(encoding="utf-8")


def columns_told(table: str) -> tuple[list[str], list[str]]:
    """The columns that the page says a table must have, and those that it may have."""
    [cell] = re.findall(rf"^\| {table} \| (.+) \|$", PAGE, re.MULTILINE)
    must, _, may = cell.partition("[")
    return (re.findall(r"\w+", must), re.findall(r"\w+", may))


@pytest.mark.parametrize("name", LANDED)
def test_the_page_tells_the_columns_of_the_contract(name: str):
    table = LANDED[name]
    optional = [column for column in table.names if column not in table.required]
    assert columns_told(name) == (table.required, optional)


def test_the_page_tells_every_table_and_every_action():
    told = PAGE.partition("| table | columns |")[2].partition("An action is one of ")
    assert re.findall(r"^\| (\w+) \|", told[0], re.MULTILINE) == list(LANDED)
    assert told[2].startswith(f"`{', '.join(ACTIONS)}`.")


def written(tmp_path: Path, *names: str) -> list[Path]:
    for name in names:
        (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    return [tmp_path / name for name in names]


def taken(tmp_path: Path, mapping: Path, *names: str) -> dict[str, Books]:
    config = IntakeConfig(mapping=read_mapping(mapping))
    return take_in(written(tmp_path, *names), tmp_path / "data", config, NOW).books


def rows(tmp_path: Path, table: str, *columns: str) -> list[tuple]:
    data = tmp_path / "data"
    frame = read_days(data, table, days_stored(data, table)).sort_values(columns[0])
    return [tuple(row) for row in frame[list(columns)].astype(str).to_numpy()]


def shipped(name: str) -> Path:
    return PROJECT / "mappings" / f"{name}.toml"


def test_five_rows_are_stored_and_a_like_of_yesterday_is_refused(tmp_path: Path):
    [mapping] = written(tmp_path, "my-mapping.toml")
    books = taken(tmp_path, mapping, "posts.csv", "likes.csv")
    assert books["flits"] == Books(landed=3, stored=3)
    assert books["engagements"] == Books(landed=3, stored=2, quarantined=1)
    assert rows(tmp_path, "flits", "flit_id", "bird_id", "text")[1] == (
        *("2", "lark", "Up before everybody & proud of it"),
    )


def test_a_corrected_file_adds_the_row_that_was_refused_and_nothing_twice(tmp_path: Path):
    [mapping] = written(tmp_path, "my-mapping.toml")
    taken(tmp_path, mapping, "posts.csv", "likes.csv")
    corrected = tmp_path / "likes-corrected.csv"
    corrected.write_text(FILES["likes.csv"].replace("yesterday", "2026-04-30 08:00:00"))
    config = IntakeConfig(mapping=read_mapping(mapping))
    books = take_in([corrected], tmp_path / "data", config, NOW).books
    assert books["engagements"] == Books(landed=3, stored=1, duplicates=2)


def test_bluesky_events_become_flits_likes_shares_and_follows(tmp_path: Path):
    books = taken(tmp_path, shipped("bluesky"), "jetstream-2026-05-01.jsonl")
    assert {table: (one.landed, one.stored) for table, one in books.items()} == {
        **{"flits": (1, 1), "engagements": (2, 2), "follows": (1, 1), "blocks": (0, 0)},
    }
    assert rows(tmp_path, "flits", "flit_id", "bird_id", "text", "created_at", "arrived_at") == [
        (
            *("bafyone", "did:plc:wren", "I sing, therefore I am"),
            *("2026-05-01 06:12:00+00:00", "2026-05-01 06:12:01+00:00"),
        )
    ]
    assert rows(tmp_path, "engagements", "action", "bird_id", "flit_id") == [
        ("like", "did:plc:owl", "bafyone"),
        ("share", "did:plc:lark", "bafyone"),
    ]


def test_mastodon_statuses_lose_their_html_and_private_ones_stay_out(tmp_path: Path):
    names = ("statuses.csv", "favourites.csv", "timeline.jsonl")
    books = taken(tmp_path, shipped("mastodon"), *names)
    assert books["flits"] == Books(landed=3, stored=3)
    assert rows(tmp_path, "flits", "flit_id", "bird_id", "text", "sensitive") == [
        ("111", "9001", "I sing, therefore I am", "False"),
        ("112", "9002", "Up before everybody\n& proud of it", "True"),
        ("113", "9003", "To fly is to fall,\nand to miss the ground example.org", "False"),
    ]
    assert rows(tmp_path, "engagements", "action", "bird_id", "flit_id") == [
        ("like", "9002", "111")
    ]


@pytest.mark.parametrize(
    ("name", "header", "row", "table", "stored"),
    [
        (
            "reblogs.csv",
            "account_id,reblog_of_id,created_at",
            "1,2,2026-05-01",
            "engagements",
            "share",
        ),
        (
            "replies.csv",
            "account_id,in_reply_to_id,created_at",
            "1,2,2026-05-01",
            "engagements",
            "reply",
        ),
        ("follows.csv", "account_id,target_account_id", "1,2", "follows", "2"),
        ("blocks.csv", "account_id,target_account_id", "1,2", "blocks", "2"),
    ],
)
def test_the_other_files_of_mastodon_are_read(
    name: str, header: str, row: str, table: str, stored: str, tmp_path: Path
):
    (tmp_path / name).write_text(f"{header}\n{row}\n")
    config = IntakeConfig(mapping=read_mapping(shipped("mastodon")))
    take_in([tmp_path / name], tmp_path / "data", config, NOW)
    column = {"engagements": "action", "follows": "follows_id", "blocks": "blocks_id"}[table]
    assert rows(tmp_path, table, column, "bird_id") == [(stored, "1")]


def test_a_comment_of_hacker_news_is_a_flit_and_a_reply(tmp_path: Path):
    books = taken(tmp_path, shipped("hackernews"), "stories.jsonl", "comments.jsonl")
    assert books == {
        "flits": Books(landed=2, stored=2),
        "engagements": Books(landed=1, stored=1),
    }
    assert rows(tmp_path, "flits", "flit_id", "bird_id", "text", "created_at") == [
        ("8001", "wren", "Show HN: I taught a parrot SQL", "2026-05-01 06:12:00+00:00"),
        (
            *("8002", "owl", "It's the joins that are hard.\nSee example.org"),
            "2026-05-01 07:12:00+00:00",
        ),
    ]
    assert rows(tmp_path, "engagements", "action", "bird_id", "flit_id") == [
        ("reply", "owl", "8001")
    ]
