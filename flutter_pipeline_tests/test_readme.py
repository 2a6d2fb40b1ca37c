"""Every command that the README and the other documents tell people to type exists.

``docs/test_commands.py`` runs them; this also looks at those that take too long to be run.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from flutter_pipeline.cli.app import app
from flutter_pipeline_tests.conftest import PROJECT
from flutter_pipeline_tests.docs.blocks import ALL, DOCUMENTS, FENCED

LINES = [line.strip() for block in ALL for line in block.text.splitlines()]
TYPED = [line.removeprefix("$ ").replace(".venv/bin/", "") for line in LINES]
OURS = [line for line in TYPED if line.split()[:1] in (["make"], ["flutter-pipeline"])]
GROUP: Any = typer.main.get_command(app)


def words_of(line: str) -> list[str]:
    """The words that a shell would make of a line, without its comment."""
    return shlex.split(line, comments=True)


def options_of(command: Any) -> set[str]:
    return {
        flag for option in command.params for flag in (*option.opts, *option.secondary_opts)
    } | {"--help"}


def unknown_words(line: str) -> list[str]:
    """What in a ``flutter-pipeline`` line is neither its command nor an option that exists."""
    words, command = words_of(line)[1:], GROUP
    unknown: list[str] = []
    takes_value = False
    for word in words:
        if takes_value:
            takes_value = False
        elif word.startswith("--"):
            name = word.split("=")[0]
            if name not in options_of(command):
                unknown.append(name)
                continue
            [option] = [one for one in command.params if name in one.opts] or [None]
            takes_value = "=" not in word and option is not None and not option.is_flag
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return [*unknown, word]
            command = command.commands[word]
    return unknown


def targets() -> set[str]:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))


def test_the_readme_shows_how_to_run_it_all():
    assert "make run" in TYPED or any(line.startswith("make run ") for line in TYPED)


@pytest.mark.parametrize("line", OURS)
def test_commands_exist(line: str):
    if line.startswith("make"):
        asked = [word for word in words_of(line)[1:] if "=" not in word]
        assert set(asked) <= targets()
    else:
        assert unknown_words(line) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_within_sentences_exist(path: Path):
    prose = FENCED.sub("", path.read_text(encoding="utf-8"))
    for line in re.findall(r"`(flutter-pipeline [^`…]+)`", prose):
        assert unknown_words(" ".join(line.split())) == [], line
    for line in re.findall(r"`make\s([^`]+)`", prose):
        assert {word for word in line.split() if "=" not in word} <= targets(), line


def test_a_command_or_option_that_is_none_would_be_found():
    assert unknown_words("flutter-pipeline --data d fly") == ["fly"]
    assert unknown_words("flutter-pipeline versions compare a b --sizes 2") == ["--sizes"]
    assert unknown_words("flutter-pipeline versions fly") == ["fly"]
    assert unknown_words("flutter-pipeline --data d feed b1 --fast  # soon") == ["--fast"]
    assert unknown_words("flutter-pipeline --data d similar 'a --b' --encoder bert --json") == []


def test_every_target_explains_itself():
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z-]+):[^\n]*##", makefile, re.MULTILINE))
    assert {"run", "test", "check", "ui", "clean"} <= explained
