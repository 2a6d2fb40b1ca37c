"""What holds for every table of the contract, those of later stages included."""

import great_expectations as gx
import pytest

from flutter_pipeline.adapters.expectations import audit
from flutter_pipeline.contracts import results, tables
from flutter_pipeline.contracts.table import Expectation, Table

TABLES = {
    value.name: value
    for module in (tables, results)
    for value in vars(module).values()
    if isinstance(value, Table)
}
EXPECTATIONS = [(name, one) for name, table in TABLES.items() for one in table.expectations]
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
every_expectation = pytest.mark.parametrize(
    ("name", "expected"),
    EXPECTATIONS,
    ids=[f"{name}: {one.sentence}" for name, one in EXPECTATIONS],
)


def mentioned(expected: Expectation) -> set[str]:
    """Columns that an expectation is about."""
    arguments = expected.arguments
    named = {
        value
        for key, value in arguments.items()
        if key.startswith("column") and key != "column_list"
    }
    return named | set(arguments.get("column_list", ()))


def test_all_tables_that_travel_are_here():
    assert set(TABLES) == {
        *("flits", "engagements", "birds", "follows", "blocks"),
        *("cleaned_tokens", "ranked_candidates"),
        *("bird_interests", "candidates", "past_candidates", "source_weights"),
        *("offline_evaluation", "embedding_comparison"),
    }


@every_table
def test_columns_are_named_once_and_described(table: Table):
    assert len(set(table.names)) == len(table.names) > 0
    assert table.description.endswith(".")
    assert all(column.description.endswith(".") for column in table.columns)


@every_table
def test_key_and_time_are_columns_that_are_always_there(table: Table):
    assert table.key and set(table.key) <= set(table.required)
    if table.time is not None:
        assert table.column(table.time).dtype == "time"
        assert table.time in table.required


@every_table
def test_an_empty_frame_has_every_column_in_its_type(table: Table):
    assert list(table.empty().columns) == table.names
    findings = audit(table.empty(), table).rows
    of_types = [row for row in findings if row.kind == "column_values_to_be_of_type"]
    assert len(of_types) == len(table.names) and all(row.passed for row in of_types)


@every_expectation
def test_every_expectation_is_one_of_great_expectations(name: str, expected: Expectation):
    kind = "Expect" + "".join(word.capitalize() for word in expected.kind.split("_"))
    assert getattr(gx.expectations, kind)(**expected.arguments)


@every_expectation
def test_every_expectation_is_about_columns_that_there_are(name: str, expected: Expectation):
    assert mentioned(expected) <= set(TABLES[name].names)
    if not expected.kind.startswith("table_"):
        assert mentioned(expected)


@every_table
def test_a_tables_key_is_expected_to_be_unique(table: Table):
    unique = [one for one in table.expectations if one.kind.endswith("_to_be_unique")]
    keys = [mentioned(one) for one in unique]
    # The evaluation's slices and the encoders are few enough to be seen at a glance.
    if table.name not in ("source_weights", "embedding_comparison"):
        assert set(table.key) in keys or {table.key[0]} in keys


@every_table
def test_sentences_are_told_apart(table: Table):
    said = [(one.sentence, one.severity) for one in table.expectations]
    assert len(set(said)) == len(said)
