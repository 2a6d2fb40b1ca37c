"""A mapping is read once, and whatever is wrong with it is said in one line."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.mapping import (
    Mapping,
    TableRule,
    digest_of,
    read_mapping,
    rules_for,
)
from flutter_pipeline.errors import ConfigError, ContractError


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_mapping(path)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_the_shipped_birdwatch_mapping_is_sound():
    mapping = read_mapping(Path(__file__).parents[3] / "mappings" / "birdwatch.toml")
    assert [(rule.table, rule.files) for rule in mapping.table] == [
        ("flits", "notes*"),
        ("engagements", "ratings*"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[table]\n", "not TOML"),
        ("", "table: Field required"),
        ("[[tables]]\n", "unknown key 'tables'; expected one of table"),
        ('[[table]]\ntable = "posts"\n', "Input should be 'flits', 'engagements'"),
        ('[[table]]\ntable = "flits"\ncolums = 1\n', "expected one of table, files, columns"),
        (
            '[[table]]\ntable = "flits"\n[table.columns]\nflitid = "id"\n',
            "flits have no column 'flitid'; expected flit_id, bird_id",
        ),
        (
            '[[table]]\ntable = "flits"\n[table.time]\ncreated_at = {column = "a", unit = "min"}\n',
            "Input should be 's', 'ms', 'us' or 'ns' (found 'min')",
        ),
        (
            '[[table]]\ntable = "flits"\n[table.time]\ntext = {column = "a"}\n',
            "'text' is no time; name it under `columns`",
        ),
        (
            '[[table]]\ntable = "engagements"\n[[table.actions]]\naction = "love"\n',
            "Input should be 'impression', 'click', 'like'",
        ),
        (
            '[[table]]\ntable = "engagements"\n[[table.actions]]\naction = "like"\ncolumn = "a"\n',
            "expected `column` and `equals` together",
        ),
        ('[[table]]\ntable = "birds"\notherwise = "like"\n', "birds have no actions"),
        ('[[table]]\ntable = "flits"\nseparator = "ab"\n', "table.0.separator"),
        (
            '[[table]]\ntable = "engagements"\nconstants = {action = "love"}\n',
            "unknown action 'love'",
        ),
        (
            '[[table]]\ntable = "flits"\ncolumns = {text = "a"}\nconstants = {text = "b"}\n',
            "'text' is given twice",
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_correct(
    tmp_path: Path, text: str, message: str
):
    assert message in refused(tmp_path, text)


def test_a_mapping_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(ContractError, match="no such mapping file"):
        read_mapping(tmp_path / "mapping.toml")


def test_the_first_rule_of_a_table_that_fits_a_name_is_used():
    notes = TableRule(table="flits", files="notes*")
    every = TableRule(table="flits", files="*")
    birds = TableRule(table="birds", files="notes*")
    mapping = Mapping(table=(notes, every, birds))
    assert rules_for(mapping, "notes-1.tsv") == (notes, birds)
    assert rules_for(mapping, "other.tsv") == (every,)
    assert rules_for(None, "notes-1.tsv") == ()


def test_only_a_change_of_its_own_rules_changes_the_digest_of_a_file():
    notes = TableRule(table="flits", files="notes*")
    assert digest_of((notes,)) == digest_of((TableRule(table="flits", files="notes*"),))
    assert digest_of((notes,)) != digest_of((TableRule(table="flits", quoting=False),))
    assert digest_of(()) == ""
