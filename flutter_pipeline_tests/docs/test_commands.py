"""Every command and program of README and docs is run, in order; or it is said why not."""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline_tests.conftest import PROJECT, Call, TinyFlutter, flutter
from flutter_pipeline_tests.docs.blocks import ALL, DOCUMENTS, Block, commands

ELSEWHERE = {"extend.md": "its code is no part of this code; test_extend.py runs them on a copy"}

SKIPPED = {
    "make ": "each target is run by people and CI; that it exists is tested",
    "export FLUTTER_POSTGRES_URL": "needs a server; test_postgres.py runs on one",
    "flutter-pipeline benchmark ": "needs public sets, which are not committed; minutes",
}
"""How lines begin that are not run, and why."""

SHORTENED = {
    "--encoders all": ("--encoders tfidf", "all of them take minutes"),
    "--encoders tfidf,bm25,cbow,skip_gram,bert,bert_white": ("--encoders bm25", "minutes"),
    "--encoder bert": ("--encoder cbow", "the small folder has no BERT"),
    "compare tfidf bert": ("compare tfidf cbow", "the small folder has no BERT"),
    "cbow@previous cbow": ("tfidf@challenger tfidf", "there, CBOW has one version"),
    "report --open": ("report", "there is no browser to open it in"),
    "run --again": ("run", "all of it once more; test_upgrade.py runs it"),
    "some-bird": ("bird_10", "a bird that has a feed there"),
    "bird_010": ("bird_10", "sixty birds have numbers of two digits"),
    "2026-05-01 2026-05-07": ("{first} {second}", "days that are stored there"),
    "backfill 2026-05-01": ("backfill {first}", "a day that is stored there"),
}
"""What is put in the place of a part of a line, and why; the first that fits."""

SAME = {
    ("README.md", "flutter-pipeline --data my-data run"): "your-data.md runs the same files",
}
"""Lines of one document that are not run there, and why."""

SAID = re.compile(r"^print\(.*\) +# (.*)$", re.MULTILINE)
"""What a program says beside a line that it will print."""

OF_THEIR_OWN = {"run", "backfill", "verify"}
"""Commands that run assets: a process has loaded those of one folder, which may be another's."""

MAY_END_WITH = {"status": {0, 3}}
"""Codes with which a command may end; others have to end with 0."""


def reason_to_skip(line: str) -> str | None:
    return next((why for start, why in SKIPPED.items() if f"{line} ".startswith(start)), None)


def shortened(line: str, days: list[str]) -> str:
    for part, (instead, _) in SHORTENED.items():
        if part in line:
            return line.replace(part, instead.format(first=days[0], second=days[1]))
    return line


@pytest.fixture
def desk(two: TinyFlutter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a reader: `data`, which is also `my-data`, and files to land."""
    shutil.copytree(two.data, tmp_path / "data")
    (tmp_path / "my-data").symlink_to("data")
    (tmp_path / "mappings").symlink_to(PROJECT / "mappings")
    for block in ALL:
        if block.title and block.language in ("csv", "jsonl", "toml"):
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
    for source, name in (("flits", "posts.csv"), ("engagements", "likes")):
        foreign(two.sources / f"{source}.parquet", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def foreign(source: Path, place: Path) -> None:
    """A few rows of the small network once more, as `my-mapping.toml` has them, by other birds."""
    rows = pd.read_parquet(source).tail(20).sort_index()
    named = {"flit_id": "post_id", "text": "body"}
    time = "created_at" if "text" in rows else "occurred_at"
    rows = rows.rename(columns={**named, "bird_id": "user", time: "when"})
    rows = rows.assign(user="some-bird")
    if "body" in rows:
        rows.assign(post_id="new-" + rows["post_id"])[["post_id", "user", "body", "when"]].to_csv(
            place, index=False
        )
        return
    rows = rows[["user", "post_id", "when"]]
    rows.to_csv(place.with_suffix(".csv"), index=False)
    rows.to_parquet(place.with_suffix(".parquet"))


def stored_days(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "intake" / "flits").iterdir())


def printed(block: Block) -> list[str]:
    """The lines that a program prints; one that sets what all of MLflow reads, on its own."""
    if "mlflow.set_" in block.text:
        alone = [sys.executable, "-c", block.text]
        return subprocess.run(alone, check=True, capture_output=True, text=True).stdout.splitlines()
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(block.text, block.place, "exec"), {"__name__": block.place})
    return out.getvalue().splitlines()


def steps_of(document: str) -> list[tuple[Block, str]]:
    """What a reader does: the command lines that are run, and whole programs, in order."""
    steps: list[tuple[Block, str]] = []
    for block in ALL:
        if block.document != document or document in ELSEWHERE:
            continue
        if block.language == "python" and not block.title:
            steps.append((block, block.text))
        if block.language == "bash":
            kept = [
                line
                for line in commands(block)
                if reason_to_skip(line) is None and (document, line) not in SAME
            ]
            steps += [(block, line) for line in kept]
    return steps


@pytest.mark.parametrize("document", [one.name for one in DOCUMENTS if steps_of(one.name)])
def test_what_a_document_says_to_do_can_be_done(document: str, desk: Path, call: Call):
    days = stored_days(desk / "data")
    for block, step in steps_of(document):
        if block.language == "python":
            assert printed(block) == SAID.findall(step), block.place
            continue
        words = shlex.split(shortened(step, days))
        if words[0] != "flutter-pipeline":
            subprocess.run(words, check=True)
            continue
        data = words[2] if words[1] == "--data" else "data"
        arguments = words[3:] if words[1] == "--data" else words[1:]
        alone = arguments[0] in OF_THEIR_OWN or "--again" in arguments
        answer = (flutter if alone else call)(Path(data).absolute(), *arguments)
        allowed = MAY_END_WITH.get(arguments[0], {0})
        assert answer.code in allowed, f"{block.place}: {step}\n{answer.out}{answer.err}"


def test_every_reason_to_skip_or_shorten_a_line_is_needed():
    lines = [line for block in ALL if block.language == "bash" for line in commands(block)]
    assert [start for start in SKIPPED if not any(f"{x} ".startswith(start) for x in lines)] == []
    assert [part for part in SHORTENED if not any(part in line for line in lines)] == []


def test_every_block_is_of_a_kind_that_a_test_runs_or_reads():
    read = {"bash", "toml", "csv", "jsonl", "python", "diff"}
    shown = {"sql": "a Mastodon server's own database"}
    assert [one.place for one in ALL if one.language not in {*read, *shown}] == []
