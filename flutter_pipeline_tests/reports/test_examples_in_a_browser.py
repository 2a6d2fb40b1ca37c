"""Map, words and feeds in a real browser: drawn without a word on the console, on a phone too."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.reporting.look import look
from flutter_pipeline.reports.embedding_map import map_section
from flutter_pipeline.reports.example_feeds import Example, Liked, Past, Served, Source
from flutter_pipeline.reports.example_feeds import feeds_section as feeds
from flutter_pipeline.reports.map_views import View
from flutter_pipeline.reports.page import Title, page
from flutter_pipeline.reports.words import words_section
from flutter_pipeline_tests.reports.small_reports import EVIL
from flutter_pipeline_tests.reports.test_analogies import COURT, known
from flutter_pipeline_tests.reports.test_in_a_browser import (
    BROWSER,
    PHONE,
    on_a_phone,
    opened,
    told,
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed here")

MANY = 60


def sections() -> str:
    """One page of all three, with what birds may write wherever they may write it."""
    flits = pd.DataFrame(
        {
            "flit_id": [f"f{n}" for n in range(MANY)],
            "bird_id": EVIL,
            "text": f"{EVIL} " + "x" * 200,
            "lang": [f"l{n % 9}" for n in range(MANY)],
            "topic": [f"{EVIL} {n % 8}" for n in range(MANY)],
            "days": [n / 4 for n in range(MANY)],
        }
    )
    ring = np.linspace(0, 6, MANY, dtype=np.float32)
    points = np.stack([np.cos(ring), np.sin(ring)], axis=1)
    views = [View("cbow 1", points, 0.1, 0.5), View(EVIL, -points, None, 0.5)]
    served = Served(EVIL + "x" * 200, EVIL, 0.5, EVIL, (Source("y" * 90, 1, 1.0),) * 9, 0.1)
    bird = Example(EVIL, 1, [Liked(EVIL, EVIL, "")], [served] * 9, [Past(EVIL, True)] * 10)
    shown = [map_section(flits, views, "cbow"), words_section(known(COURT), ["king"])]
    text = page(Title("three", "sections"), [*shown, feeds([bird], "then")], look())
    return text.replace('<details class="bird">', '<details class="bird" open>')


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("examples") / "index.html"
    path.write_text(sections(), encoding="utf-8")
    return path


def test_they_are_drawn_without_a_word_on_the_console(file: Path):
    dom, console = opened(file, 1300)
    assert console == "" and told(dom) == {"drawn": "1"}
    assert "<canvas" in dom and dom.count("<select") == 3


def test_nothing_of_them_runs_over_on_a_phone(file: Path):
    assert on_a_phone(file) == {"width": str(PHONE), "window": str(PHONE), "drawn": "1"}
