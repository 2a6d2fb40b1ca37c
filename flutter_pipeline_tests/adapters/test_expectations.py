import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.expectations import audit, audit_facts
from flutter_pipeline.contracts.table import Column, Expectation, Table
from flutter_pipeline.contracts.tables import ENGAGEMENTS, FLITS, LANDED
from flutter_pipeline.errors import ConfigError

NOON = pd.Timestamp("2024-05-01T12:00", tz="UTC")


def flits(**changes: list | pd.Series) -> pd.DataFrame:
    columns = {
        "flit_id": ["f1", "f2", "f3"],
        "bird_id": ["b1", "b1", "b2"],
        "text": ["hello", "good morning", "🐦"],
        "created_at": pd.Series([NOON] * 3, dtype="datetime64[us, UTC]"),
        "lang": ["en", None, None],
        "reply_to": [None, "f1", None],
        "sensitive": [False, True, False],
        "arrived_at": pd.Series([NOON] * 3, dtype="datetime64[us, UTC]"),
    }
    return pd.DataFrame(columns | changes)


def failures(frame: pd.DataFrame, table: Table) -> list[tuple[str, int, tuple[str, ...]]]:
    return [
        (row.sentence, row.unexpected, row.examples)
        for row in audit(frame, table).rows
        if not row.passed
    ]


def test_a_frame_that_keeps_its_contract_passes():
    found = audit(flits(), FLITS)
    assert found.passed
    assert found.blocking_failures == found.warnings == ()
    assert found.name == "flits"
    sentences = [row.sentence for row in found.rows]
    assert sentences[0] == "flit_id holds str"
    assert sentences[-1] == "hardly any flit is empty"
    assert "every row has a text" in sentences
    assert len(sentences) == len(set(sentences))


def test_findings_stand_in_the_order_of_the_contract():
    kinds = [row.kind for row in audit(flits(), FLITS).rows][-len(FLITS.expectations) :]
    assert kinds == [expectation.kind for expectation in FLITS.expectations]


def test_an_id_that_comes_twice_is_a_blocking_failure_with_examples():
    found = audit(flits(flit_id=["f1", "f1", "f2"]), FLITS)
    assert [row.sentence for row in found.blocking_failures] == ["every flit is stored once"]
    [row] = found.blocking_failures
    assert (row.column, row.severity, row.unexpected, row.examples) == (
        "flit_id",
        "critical",
        2,
        ("f1",),
    )


def test_a_failed_warning_does_not_block():
    found = audit(flits(text=["", "", "x"]), FLITS)
    assert not found.passed
    assert found.blocking_failures == ()
    assert [row.sentence for row in found.warnings] == ["hardly any flit is empty"]


def test_a_missing_column_blocks_and_so_does_all_that_is_said_of_it():
    found = failures(flits().drop(columns="flit_id"), FLITS)
    assert found == [
        (
            "there is a column flit_id",
            0,
            ("found: bird_id, text, created_at, lang, reply_to, sensitive, arrived_at",),
        ),
        ("every row has a flit_id", 0, ("could not be checked",)),
        ("every flit is stored once", 0, ("could not be checked",)),
    ]
    assert len(audit(flits().drop(columns="flit_id"), FLITS).blocking_failures) == 3


def test_the_absence_of_a_column_that_may_be_null_is_only_shown():
    found = audit(flits().drop(columns="lang"), FLITS)
    assert found.blocking_failures == ()
    assert [row.sentence for row in found.warnings] == ["there is a column lang"]


def test_an_empty_frame_fails_for_want_of_rows_only():
    assert failures(FLITS.empty(), FLITS) == [("there are flits", 0, ("found: 0",))]


def test_a_frame_without_rows_and_columns_fails_on_every_required_column():
    sentences = [sentence for sentence, _, _ in failures(pd.DataFrame(), FLITS)]
    assert [f"there is a column {name}" for name in FLITS.required] == sentences[:4]


@pytest.mark.parametrize(
    ("column", "values", "dtype"),
    [
        ("created_at", ["2024-05-01"] * 3, "str"),
        ("created_at", pd.Series([NOON] * 3).dt.tz_localize(None), "datetime64[us]"),
        ("flit_id", [1, 2, 3], "int64"),
        ("bird_id", pd.Series(["a", 1, "b"], dtype=object), "object"),
    ],
)
def test_a_column_of_another_type_blocks_and_says_what_was_found(column, values, dtype):
    promised = FLITS.column(column).dtype
    findings = failures(flits(**{column: values}), FLITS)
    assert (f"{column} holds {promised}", 0, (f"found: {dtype}",)) in findings


def test_strings_may_be_python_objects_and_times_of_any_unit():
    frame = flits(created_at=pd.Series([NOON] * 3, dtype="datetime64[ns, UTC]"))
    assert audit(frame.astype({"text": object, "flit_id": object}), FLITS).passed


def test_a_null_where_none_may_be_blocks_although_no_expectation_says_so():
    assert failures(flits(text=["a", None, "b"]), FLITS) == [("every row has a text", 1, ("nan",))]


@pytest.mark.parametrize("table", LANDED.values(), ids=list(LANDED))
def test_every_landed_tables_suite_can_be_checked(table):
    assert all(
        "could not" not in " ".join(row.examples) for row in audit(table.empty(), table).rows
    )


def test_an_unknown_action_is_shown_and_at_most_five_examples():
    frame = pd.DataFrame(
        {
            "bird_id": [f"b{i}" for i in range(9)],
            "flit_id": "f1",
            "action": [f"poke{i}" for i in range(8)] + ["like"],
            "occurred_at": pd.Series([NOON] * 9, dtype="datetime64[us, UTC]"),
            "position": pd.Series([1] * 9, dtype="int32"),
            "arrived_at": pd.Series([NOON] * 9, dtype="datetime64[us, UTC]"),
        }
    )
    assert failures(frame, ENGAGEMENTS) == [
        ("every action is a known one", 8, ("poke0", "poke1", "poke2", "poke3", "poke4"))
    ]


def test_rows_that_are_equal_in_several_columns_are_shown():
    frame = pd.DataFrame(
        {
            "bird_id": ["b1", "b1"],
            "flit_id": ["f1", "f1"],
            "action": ["like", "like"],
            "occurred_at": pd.Series([NOON] * 2, dtype="datetime64[us, UTC]"),
            "position": pd.Series([1, 2], dtype="int32"),
            "arrived_at": pd.Series([NOON] * 2, dtype="datetime64[us, UTC]"),
        }
    )
    [(sentence, unexpected, examples)] = failures(frame, ENGAGEMENTS)
    assert (sentence, unexpected) == ("every engagement is stored once", 2)
    assert examples == ("b1, f1, like, 2024-05-01 12:00:00+00:00",)


def test_columns_of_bytes_are_not_looked_into_but_have_to_be_there():
    table = Table(
        "hashed",
        "Flits with signatures.",
        (Column("flit_id", "str", "The flit."), Column("minhash", "bytes", "Its signature.")),
    )
    frame = pd.DataFrame({"flit_id": ["a", "b"], "minhash": [b"\xff\x00", b""]})
    assert audit(frame, table).passed
    assert not audit(frame.drop(columns="minhash"), table).passed
    assert not audit(frame.assign(minhash=["x", "y"]), table).passed


def test_the_frame_is_left_as_it_was():
    frame = flits()
    audit(frame, FLITS)
    pd.testing.assert_frame_equal(frame, flits())


FOUND = Expectation(
    "column_values_to_be_between",
    {"column": "recall", "min_value": 0.95},
    "the index finds nearly all neighbours",
)
BALANCED = Expectation(
    "column_pair_values_to_be_equal",
    {"column_A": "landed", "column_B": "accounted"},
    "the books balance",
)


def test_facts_are_checked_as_one_row():
    facts = {"recall": np.float64(0.97), "landed": 10, "accounted": 10, "kind": "ivf"}
    assert audit_facts(facts, [FOUND, BALANCED], "index").passed


def test_facts_that_fail_show_what_was_found():
    found = audit_facts({"recall": 0.9, "landed": 10, "accounted": 9}, [FOUND, BALANCED], "index")
    assert [(row.sentence, row.examples) for row in found.blocking_failures] == [
        ("the index finds nearly all neighbours", ("0.9",)),
        ("the books balance", ("10, 9",)),
    ]


def test_a_fact_that_fails_is_rounded_as_one_would_say_it():
    for value, said in [(1 / 6, "0.167"), (0.9, "0.9"), (4321.5, "4322"), (7, "7")]:
        limit = {"column": "recall", "max_value": 0}
        low = Expectation("column_values_to_be_between", limit, "it is nothing")
        [row] = audit_facts({"recall": value}, [low], "index").rows
        assert (row.passed, row.fact) == (False, said)


def test_an_expectation_of_two_facts_tells_both():
    [row] = audit_facts({"landed": 10, "accounted": 9}, [BALANCED], "intake").rows
    assert row.fact == "10, 9"


def test_what_fails_in_a_table_is_no_fact():
    assert {row.fact for row in audit(flits(flit_id=["f1", "f1", "f2"]), FLITS).rows} == {""}


def test_a_fact_that_is_missing_fails():
    [row] = audit_facts({}, [FOUND], "index").rows
    assert not row.passed and row.examples == ("could not be checked",) and row.fact == ""


def test_facts_without_expectations_pass():
    assert audit_facts({"a": 1}, [], "anything").passed


def test_an_expectation_that_is_none_is_named():
    unknown = Expectation("column_to_shine", {"column": "a"}, "it shines")
    with pytest.raises(ConfigError, match="no expectation 'column_to_shine'"):
        audit_facts({"a": 1}, [unknown], "anything")


def test_arguments_that_an_expectation_does_not_take_are_named():
    wrong = Expectation("column_values_to_be_unique", {"columns": "a"}, "it is unique")
    with pytest.raises(ConfigError, match="'column_values_to_be_unique' cannot be made"):
        audit_facts({"a": 1}, [wrong], "anything")
