"""Small tables to report on, and a look at the page's markup."""

import json
from html.parser import HTMLParser
from typing import Any

import pandas as pd

from flutter_pipeline.contracts.results import OFFLINE_EVALUATION
from flutter_pipeline.reports.section import Section

EVIL = '</script><script>document.documentElement.dataset.evil = "yes"</script><b>"&\''
"""What a bird may call itself, or write."""


def evaluated(*rows: tuple[str, str, float, float, float], by: str = "all") -> pd.DataFrame:
    """A backtest of 20 birds: `method, metric, mean, low, high`."""
    return pd.DataFrame(
        [(by, "all", method, metric, 10, *ends, 20) for method, metric, *ends in rows],
        columns=OFFLINE_EVALUATION.names,
    )


class Markup(HTMLParser):
    """What stands in a page: open tags in order, and whether every one is closed in its turn."""

    EMPTY = ("meta", "link", "br", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> closes {self._open[-1:]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]


def words_of(section: Section) -> str:
    """Everything that a section says, as a reader sees it; charts' data is left out."""
    markup = Markup(section.body)
    return " ".join([section.lead, *(text for text in markup.text if not text.startswith("{"))])


def specs_of(section: Section) -> list[dict[str, Any]]:
    """The specifications of its charts, as the page's script reads them."""
    return [json.loads(text) for text in Markup(section.body).text if text.startswith("{")]
