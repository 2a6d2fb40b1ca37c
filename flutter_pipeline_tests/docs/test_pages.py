"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

from flutter_pipeline_tests.conftest import PROJECT
from flutter_pipeline_tests.docs.blocks import DOCUMENTS, FENCED

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`")
PAGES = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
IN_DATA = ("dagster/", "landing/", "quarantine/", "mlflow/outbox/", "quarantine/flood/")
IN_SETS = ("tweeteval/", "stsb/", "word_similarity/", "corpora/")


def prose_of(path: Path) -> str:
    """The text of a document without its blocks."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors_of(path: Path) -> set[str]:
    """What headings of a document are called in links."""
    headings = re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@PAGES
def test_links_lead_somewhere(path: Path):
    for link in LINK.findall(prose_of(path)):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        place = (path.parent / target).resolve() if target else path
        assert place.exists(), link
        assert not anchor or anchor in anchors_of(place), link


@PAGES
def test_folders_and_modules_that_are_named_exist(path: Path):
    for name in CODE.findall(prose_of(path)):
        if name in IN_DATA + IN_SETS or name.startswith("data/"):
            continue
        roots = (PROJECT, PROJECT / "flutter_pipeline")
        assert any((root / name).exists() for root in roots), name


def test_the_list_of_pages_leads_to_every_page():
    linked = set(LINK.findall((PROJECT / "docs" / "index.md").read_text(encoding="utf-8")))
    pages = {path.name for path in DOCUMENTS[1:]}
    assert pages - linked == {"index.md"}


def test_a_word_stands_for_one_thing():
    text = (PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"\*\*([^*]+)\*\*[:,]", text)
    assert len(words) == len(set(words)) > 50


def test_every_page_says_first_whom_it_is_for():
    for path in DOCUMENTS[1:]:
        first = path.read_text(encoding="utf-8").split("\n\n")[1]
        assert first.startswith("For "), path.name
