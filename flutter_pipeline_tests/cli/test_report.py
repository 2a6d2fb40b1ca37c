import shutil
import webbrowser
from pathlib import Path

import pytest

from flutter_pipeline_tests.conftest import Call, TinyFlutter, files_of


def test_it_says_where_the_newest_report_lies(flutter_without_bert: TinyFlutter, call: Call):
    before = files_of(flutter_without_bert.data)
    answer = call(flutter_without_bert.data, "report")
    path = flutter_without_bert.data / "reports" / "2026-01-17" / "index.html"
    assert (answer.code, answer.out, answer.err) == (0, f"{path}\n", "")
    assert files_of(flutter_without_bert.data) == before


def test_it_lists_what_there_is(flutter_without_bert: TinyFlutter, call: Call):
    answer = call(flutter_without_bert.data, "report", "--list")
    [line] = answer.out.splitlines()
    assert line.startswith("2026-01-17  made ") and line.endswith("index.html")


def test_it_opens_the_browser_or_says_that_there_is_none(
    flutter_without_bert: TinyFlutter, call: Call, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    answer = call(flutter_without_bert.data, "report", "--open", "--as-of", "2026-01-17")
    assert asked[0].startswith("file://") and asked[0].endswith("2026-01-17/index.html")
    assert answer.code == 0 and "no browser was found" in answer.err


def test_made_again_it_is_the_same_but_for_the_checks(copied: TinyFlutter, call: Call):
    path = copied.data / "reports" / "2026-01-17" / "index.html"
    path.unlink()
    answer = call(copied.data, "report", "--again")
    assert (answer.code, answer.out) == (0, f"{path}\n")
    first = path.read_bytes()
    assert call(copied.data, "report", "--again", "--projection", "pca").code == 0
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as-of", "2020-01-01"), "there is no report of '2020-01-01'; there is 2026-01-17"),
        (("--again", "--as-of", "2020-01-01"), "what is stored is of 2026-01-17"),
    ],
)
def test_a_moment_without_a_report_is_refused(
    flutter_without_bert: TinyFlutter, call: Call, arguments: tuple[str, ...], said: str
):
    answer = call(flutter_without_bert.data, "report", *arguments)
    assert answer.code == 1 and said in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "there is no report"),
        (("--list",), "there is no report"),
        (("--again",), "nothing has run yet"),
    ],
)
def test_before_the_first_run_it_says_so_and_makes_nothing(
    tmp_path: Path, call: Call, arguments: tuple[str, ...], said: str
):
    answer = call(tmp_path, "report", *arguments)
    assert answer.code == 1 and said in answer.err
    assert not list(tmp_path.iterdir())


def test_where_there_is_none_it_is_made(copied: TinyFlutter, call: Call):
    shutil.rmtree(copied.data / "reports")
    answer = call(copied.data, "report")
    assert answer.code == 0 and "there is no report yet" in answer.err
    assert Path(answer.out.strip()).is_file()
