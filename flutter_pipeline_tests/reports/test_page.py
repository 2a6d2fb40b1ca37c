import base64
import hashlib
import re

import pytest

from flutter_pipeline.reports.about import About
from flutter_pipeline.reports.page import Look, Title, page
from flutter_pipeline.reports.provenance import made_section
from flutter_pipeline.reports.section import Section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup

LOOK = Look(style="p{color:red}", script="let a = 1;\r\n", vega="let vega = 2;")
SECTIONS = [Section("one", "First", "a lead", "<p>body</p>"), Section("two", EVIL, EVIL, "")]


def test_sections_stand_in_order_below_the_navigation():
    text = page(Title("Feeds", "all of them"), SECTIONS, LOOK)
    markup = Markup(text)
    links = [attributes["href"] for tag, attributes in markup.tags if tag == "a"]
    assert links == ["#top", "#one", "#two"]
    assert [tag for tag in markup.names() if tag in ("h1", "h2", "h3")] == ["h1", "h2", "h2"]
    assert [a["id"] for tag, a in markup.tags if tag == "section"] == ["one", "two"]


def test_titles_and_leads_are_escaped():
    markup = Markup(page(Title(EVIL, EVIL), SECTIONS, LOOK))
    assert markup.names().count("script") == 2
    assert markup.text.count(EVIL) == 3 + 3


def test_only_the_two_scripts_may_run_and_nothing_is_asked_of_the_network():
    text = page(Title("Feeds", ""), SECTIONS, LOOK)
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    for script in ("let vega = 2;", "let a = 1;\n"):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy and f"<script>{script}</script>" in text
    assert policy.startswith("default-src 'none'")
    assert "http" not in text.replace("http-equiv", "")


def test_anchors_must_differ():
    with pytest.raises(ValueError, match="one, one"):
        page(Title("Feeds", ""), [SECTIONS[0], SECTIONS[0]], LOOK)


def test_a_script_that_would_end_itself_is_refused():
    with pytest.raises(ValueError, match="would end it"):
        page(Title("Feeds", ""), [], Look("", "'</SCRIPT>'", ""))


def test_the_last_section_names_versions_commands_and_pages_that_can_be_followed():
    about = About(
        as_of="now",
        versions={"bert": "93f7d02d400e"},
        links={"MLflow": "http://127.0.0.1:5000", "evil": f"javascript:{EVIL}"},
        commands={EVIL: "flutter-pipeline drift"},
    )
    markup = Markup(made_section(about).body)
    assert [a["href"] for tag, a in markup.tags if tag == "a"] == ["http://127.0.0.1:5000"]
    assert "make ui" in markup.text and " serves at its usual ports" in " ".join(markup.text)
    assert "93f7d02d400e" in markup.text and "flutter-pipeline drift" in markup.text
    assert "script" not in markup.names()
