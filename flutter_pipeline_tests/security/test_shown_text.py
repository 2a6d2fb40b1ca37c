"""What birds write is shown as they wrote it: never as a page, as markup, or as a command."""

import json

import pandas as pd
import pytest

from flutter_pipeline.adapters.landing.limits import shown
from flutter_pipeline.cli.showing import printable, show, show_json
from flutter_pipeline.defs.showing import preview

NASTY = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![seen](http://tracker.example/p.png)",
    "[click](javascript:alert(1))",
    "https://tracker.example and www.tracker.example",
    "a | b\n| --- | --- |\n# heading",
    "`code` **bold** _it_ ~~no~~ &lt; \\",
    "[red]red[/red] [/]",
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "\u202egnp.exe\u2066",
)
BARE = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def cell_of(markdown: str) -> str:
    """The one cell of a table of one column and one row."""
    _, _, row = markdown.splitlines()
    return row.removeprefix("| ").removesuffix(" |")


@pytest.mark.parametrize("text", NASTY)
def test_no_punctuation_of_a_text_stands_bare_in_markdown(text: str):
    cell = cell_of(preview(pd.DataFrame({"text": [text]})))
    # By CommonMark a backslash before ASCII punctuation makes it a plain character.
    rest = cell.replace("\\\\", "")
    for mark in BARE - {"\\"}:
        rest = rest.replace("\\" + mark, "")
    assert not BARE & set(rest)
    assert rest.isprintable()


def test_a_plain_cell_stays_readable_in_markdown():
    frame = pd.DataFrame(
        {"n": [-0.5], "id": ["owl 7"], "at": [pd.Timestamp("2025-01-02", tz="UTC")]}
    )
    assert preview(frame).splitlines()[2] == "| -0.5 | owl 7 | 2025-01-02 00:00:00+00:00 |"


@pytest.mark.parametrize("text", NASTY)
def test_a_terminal_is_shown_markup_and_is_given_no_commands(text: str, capsys):
    line = " ".join(text.split())
    show(pd.DataFrame({line[:5] or "x": [line]}), False, title=f"Feed of {line}", wraps=("text",))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert printable(line)[:20] in out
    assert all(one.isprintable() for one in out.replace("\n", ""))


@pytest.mark.parametrize("text", NASTY)
def test_json_says_the_same_text_without_bare_commands(text: str, capsys):
    show(pd.DataFrame({"text": [text]}), True)
    show_json({"text": text})
    rows, value = capsys.readouterr().out.splitlines()
    assert json.loads(rows)[0]["text"] == json.loads(value)["text"] == text
    assert rows.isprintable()
    assert value.isprintable()


def test_names_and_reasons_become_one_printable_line():
    assert shown("new\nline \x1b[31m \udcff \u202e") == "new\\nline \\x1b[31m \\udcff \\u202e"
    assert shown("owl 🦉") == "owl 🦉"
    assert shown("x" * 5, length=3) == "xxx…"
