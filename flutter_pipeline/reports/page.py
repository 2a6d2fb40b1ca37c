"""The page: sections in order under one navigation, with all that they need inside one file.

The page asks nothing of the network, and a policy in its head forbids it to: only the two scripts
whose digests stand there may run, so that nothing that birds wrote can. Style and scripts are
handed in; nothing is read here.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from flutter_pipeline.reports.section import Section


@dataclass(frozen=True)
class Look:
    """What draws the page, as text."""

    style: str
    """The style sheet."""
    script: str
    """Draws every chart, switches between light and dark, says what went wrong."""
    vega: str
    """Vega, Vega-Lite and Vega-Embed in one script."""


@dataclass(frozen=True)
class Title:
    """What stands above all sections."""

    text: str
    below: str
    """One sentence, what the page is."""


def page(title: Title, sections: Sequence[Section], look: Look) -> str:
    """One HTML file. Raises ValueError where two sections have one anchor."""
    keys = [section.key for section in sections]
    if len(set(keys)) < len(keys):
        raise ValueError(f"anchors must differ, found {', '.join(keys)}")
    scripts = [_inline(look.vega), _inline(look.script)]
    links = "".join(
        f'<a href="#{escape(section.key)}">{escape(section.title)}</a>' for section in sections
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title.text)}</title>",
            f"<style>{look.style}</style>",
            "</head>",
            "<body>",
            f'<nav aria-label="Sections"><a class="home" href="#top">flutter_pipeline</a>{links}'
            '<button id="theme" type="button" aria-label="Switch between light and dark">'
            "light / dark</button></nav>",
            f'<main id="top"><header><h1>{escape(title.text)}</h1>'
            f"<p>{escape(title.below)}</p>"
            "<noscript><p class='note'>Charts are drawn by a script, which is switched off here; "
            "the tables need none.</p></noscript></header>",
            *(_section(section) for section in sections),
            "</main>",
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(section: Section) -> str:
    key = escape(section.key)
    return (
        f'<section id="{key}" aria-labelledby="{key}-title">'
        f'<h2 id="{key}-title">{escape(section.title)}</h2>'
        f'<p class="lead">{escape(section.lead)}</p>{section.body}</section>'
    )


def _inline(script: str) -> str:
    """A script as it may stand in a page: its digest is of the very bytes that a browser sees."""
    if "</script" in script.lower():
        raise ValueError("the script holds </script, which would end it in a page")
    return script.replace("\r\n", "\n").replace("\r", "\n")


def _policy(scripts: Sequence[str]) -> str:
    """Nothing from elsewhere; of the scripts in the page only these. Vega compiles expressions."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'"
        for one in scripts
    )
    return (
        f"default-src 'none'; script-src {digests} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
