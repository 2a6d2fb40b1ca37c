"""A mapping is read once, and whatever is wrong with it is said in one line."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters.landing.landed import config_of
from flutter_pipeline.adapters.landing.mapping import (
    Mapping,
    TableRule,
    digest_of,
    read_mapping,
    rules_for,
)
from flutter_pipeline.errors import ConfigError, ContractError
from flutter_pipeline.settings import Settings


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


def test_a_rule_without_html_has_the_digest_that_it_had_before_there_was_html():
    rule = TableRule(table="flits", files="notes*")
    assert digest_of((rule,)) == "28366578"
    assert digest_of((rule.model_copy(update={"html": ("text",)}),)) != "28366578"


def test_a_mapping_that_is_too_large_or_nested_too_deeply_is_refused_in_words(tmp_path: Path):
    path = tmp_path / "mapping.toml"
    path.write_text("#" * ((1 << 18) + 1))
    with pytest.raises(ConfigError, match="found 262,145 bytes; a mapping has at most 262,144"):
        read_mapping(path)
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError, match=r"mapping\.toml: not"):
        read_mapping(path)
    path.write_text("a = 1" + "0" * 5_000)
    with pytest.raises(ConfigError, match=r"mapping\.toml: not"):
        read_mapping(path)


def test_a_pattern_of_many_stars_takes_no_time(tmp_path: Path):
    rule = TableRule(table="birds", files="*a" * 100 + "b")
    # Tried one after another, the ways to spread the stars would outlast the sun.
    assert rules_for(Mapping(table=(rule,)), "a" * 250) == ()


def test_a_mapping_that_is_a_link_to_somewhere_else_is_not_read(tmp_path: Path):
    landing = tmp_path / "landing"
    landing.mkdir()
    secret = tmp_path / "secret.toml"
    secret.write_text('password = "owl"')
    (landing / "mapping.toml").symlink_to(secret)
    with pytest.raises(ConfigError, match="a link that leads out of") as refused:
        config_of(Settings(tmp_path))
    assert "owl" not in str(refused.value)
