"""Raw rows become rows of the contract, or say why not."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from flutter_pipeline.adapters.landing.conform import REASON, ROW, Bounds, conform
from flutter_pipeline.adapters.landing.json_lines import JsonLinesFile
from flutter_pipeline.adapters.landing.mapping import ActionRule, TableRule, TimeColumn
from flutter_pipeline.adapters.landing.plan import plan_for, recognise
from flutter_pipeline.adapters.landing.source import LINE
from flutter_pipeline.contracts.tables import MAX_TEXT_LENGTH
from flutter_pipeline.errors import ContractError

BOUNDS = Bounds(datetime(2000, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
AT = "2025-01-01T00:00:00Z"


def conformed(rule: TableRule | None = None, **columns: list) -> pl.DataFrame:
    raw = pl.DataFrame(columns, strict=False)
    source = JsonLinesFile(Path("a.jsonl"), False, tuple(raw.columns), open_ended=False)
    plan = plan_for(source, rule)
    lines = pl.Series(LINE, range(1, raw.height + 1), dtype=pl.Int64)
    return conform(raw.select(plan.wanted).with_columns(lines), plan, BOUNDS)


def flits(**columns: list) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    defaults = {
        "flit_id": [f"f{number}" for number in range(rows)],
        "bird_id": ["b"] * rows,
        "text": ["hello"] * rows,
        "created_at": [AT] * rows,
    }
    return conformed(None, **{**defaults, **columns})


def reasons(frame: pl.DataFrame) -> list[str | None]:
    return frame[REASON].to_list()


def test_a_sound_flit_has_every_column_of_the_contract():
    (row,) = flits(flit_id=["f"]).to_dicts()
    assert row == {
        "flit_id": "f",
        "bird_id": "b",
        "text": "hello",
        "created_at": datetime(2025, 1, 1, tzinfo=UTC),
        "lang": None,
        "reply_to": None,
        "sensitive": False,
        "arrived_at": None,
        LINE: 1,
        REASON: None,
        ROW: None,
    }


@pytest.mark.parametrize(
    ("cells", "ids"),
    [
        ([1, 2], ["1", "2"]),
        ([1.0, 2.5], ["1", "2.5"]),
        (["1.0", " a "], ["1", "a"]),
        ([1352796878438424576], ["1352796878438424576"]),
    ],
)
def test_ids_of_every_type_are_text(cells: list, ids: list[str]):
    frame = flits(flit_id=cells)
    assert frame["flit_id"].to_list() == ids
    assert reasons(frame) == [None] * len(ids)


def test_an_id_that_is_missing_or_has_lost_digits_is_refused():
    assert reasons(flits(flit_id=[None, "", "  ", "f"])) == ["missing flit_id"] * 3 + [None]
    assert reasons(flits(bird_id=[None, 1.0])) == ["missing bird_id", None]
    assert "lost its last digits" in str(reasons(flits(flit_id=[1.352796878438425e18]))[0])


def test_times_out_of_bounds_are_refused_with_what_was_found():
    found = reasons(flits(created_at=[None, "soon", "1970-01-01", "2026-01-03", "2026-01-01"]))
    assert found == [
        "missing created_at",
        "created_at 'soon' cannot be read as a time",
        "created_at '1970-01-01' is before 2000-01-01; check its unit",
        "created_at '2026-01-03' is in the future; check its unit",
        None,
    ]


def test_a_text_may_be_empty_or_strange_but_not_endless():
    frame = flits(text=[None, "", "\u200b", "🦜" * MAX_TEXT_LENGTH, "x" * (MAX_TEXT_LENGTH + 1)])
    assert frame["text"].to_list()[:3] == ["", "", "\u200b"]
    assert reasons(frame)[:4] == [None] * 4
    assert reasons(frame)[4] == "text is longer than 100,000 characters"
    assert len(frame[ROW][4]) < 2_000


def test_flags_are_read_in_the_usual_spellings():
    frame = flits(sensitive=["true", "0", None, "Yes", "maybe"])
    assert frame["sensitive"].to_list() == [True, False, False, True, False]
    assert reasons(frame)[4] == "sensitive 'maybe' is neither true nor false"


def test_the_first_fault_of_a_row_is_told_and_the_row_is_shown_as_json():
    frame = flits(flit_id=[None], created_at=["soon"])
    assert reasons(frame) == ["missing flit_id"]
    assert frame[ROW].to_list() == [
        '{"flit_id":null,"bird_id":"b","text":"hello","created_at":"soon"}'
    ]


def test_an_unknown_action_is_refused_and_a_known_one_read_in_any_case():
    frame = conformed(
        None,
        bird_id=["b"] * 3,
        flit_id=["f"] * 3,
        action=["LIKE", "love", None],
        occurred_at=[AT] * 3,
        position=["3", "x", None],
    )
    assert frame["action"][0] == "like"
    assert frame["position"].to_list() == [3, 0, 0]
    assert str(reasons(frame)[1]).startswith("unknown action 'love'; expected one of impression")
    assert reasons(frame)[2] == "missing action"


VOTES = TableRule(
    table="engagements",
    columns={"bird_id": "who", "flit_id": "what"},
    time={"occurred_at": TimeColumn(column="at", unit="ms")},
    actions=(
        ActionRule(action="like", column="up", equals=1),
        ActionRule(action="hide", column="down", equals="1"),
    ),
)


def votes(rule: TableRule) -> list[tuple]:
    frame = conformed(
        rule,
        who=[1, 2, 3],
        what=[7, 8, 9],
        at=[1_735_689_600_000] * 3,
        up=["1", "1.0", "0"],
        down=["1", "0", None],
    )
    return frame.select(LINE, "bird_id", "action", REASON).rows()


def test_a_row_gives_one_engagement_for_each_action_that_it_matches():
    assert votes(VOTES) == [
        (1, "1", "like", None),
        (1, "1", "hide", None),
        (2, "2", "like", None),
        (3, "3", None, "no action matched"),
    ]


def test_a_row_that_matches_no_action_can_be_given_one():
    otherwise = VOTES.model_copy(update={"otherwise": "impression"})
    assert votes(otherwise)[3] == (3, "3", "impression", None)


def test_a_rule_without_a_condition_holds_for_every_row():
    seen = VOTES.model_copy(update={"actions": (ActionRule(action="impression"),)})
    assert [row[2] for row in votes(seen)] == ["impression"] * 3


def test_constants_and_escaped_text_come_from_the_mapping():
    rule = TableRule(
        table="flits",
        columns={"text": "body"},
        constants={"lang": "en", "sensitive": True},
        html_escaped=("text",),
    )
    frame = conformed(
        rule, flit_id=[1], bird_id=[2], body=["a &lt;b&gt; &amp;amp;"], created_at=[AT]
    )
    assert frame.select("text", "lang", "sensitive").rows() == [("a <b> &amp;", "en", True)]


def test_only_the_rows_of_a_table_are_looked_at():
    rule = TableRule(
        table="engagements",
        columns={"bird_id": "by", "flit_id": "parent", "occurred_at": "time"},
        constants={"action": "reply"},
        only={"type": "comment", "parent": "*"},
    )
    frame = conformed(
        rule,
        by=["a", "b", "c", None],
        parent=["1", "2", None, "4"],
        time=[AT] * 4,
        type=["comment", "story", "comment", "Comment"],
    )
    # A story and a comment on nothing are no replies; a reply by nobody is one that is refused.
    assert frame.select("bird_id", "flit_id", LINE).rows() == [("a", "1", 1), (None, "4", 4)]
    assert reasons(frame) == [None, "missing bird_id"]


def test_a_file_of_other_rows_has_none_of_a_table():
    source = JsonLinesFile(Path("a.jsonl"), False, ("type", "id"))
    columns = {"flit_id": "post.id", "bird_id": "post.by", "text": "post.text"}
    time = {"created_at": TimeColumn(column="post.time")}
    rule = TableRule(table="flits", columns=columns, time=time, only={"type": "post"})
    raw = pl.DataFrame({name: ["x"] for name in plan_for(source, rule).wanted})
    rows = conform(raw.with_columns(pl.Series(LINE, [1])), plan_for(source, rule), BOUNDS)
    assert rows.height == 0


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<p>I sing</p><p>all <b>day</b></p>", "I sing\nall day"),
        ("one<br>two<br />three", "one\ntwo\nthree"),
        ("first<p>second", "first\nsecond"),
        ('<a href="https://x.org" class="u">x.org</a> &lt;3', "x.org <3"),
        (
            "@<span>wren</span> says 1 < 2, I <3 you &amp;amp; me",
            "@wren says 1 < 2, I <3 you &amp; me",
        ),
        ("<!-- unseen -->seen", "seen"),
        ("no markup", "no markup"),
        ("", ""),
    ],
)
def test_of_html_the_text_stays_and_the_tags_go(html: str, plain: str):
    rule = TableRule(table="flits", columns={"text": "body"}, html=("text",))
    frame = conformed(rule, flit_id=[1], bird_id=[2], body=[html], created_at=[AT])
    assert frame["text"].to_list() == [plain]


def test_columns_tell_the_table_and_the_name_decides_between_two():
    path = Path("a.csv")
    assert recognise(["flit_id", "text"], path) == "flits"
    assert recognise(["flit_id", "bird_id", "action"], path) == "engagements"
    assert recognise(["bird_id", "geo"], path) == "birds"
    assert recognise(["bird_id", "joined_at"], path) == "birds"
    assert recognise(["bird_id", "follows_id"], path) == "follows"
    assert recognise(["bird_id", "blocks_id"], path) == "blocks"
    both = ["bird_id", "geo", "follows_id"]
    assert recognise(both, Path("my_follows.csv")) == "follows"
    with pytest.raises(ContractError, match="fit no one table"):
        recognise(both, path)


def test_absent_columns_are_named_with_what_was_found_and_the_way_out():
    with pytest.raises(ContractError, match="found bird_id, which fit no one table"):
        conformed(None, bird_id=[1])
    with pytest.raises(ContractError, match="flits need the column 'bird_id', found flit_id, text"):
        conformed(None, flit_id=[1], text=["x"])
    with pytest.raises(ContractError, match="the mapping names the column 'who', found up"):
        conformed(VOTES, up=[1])
