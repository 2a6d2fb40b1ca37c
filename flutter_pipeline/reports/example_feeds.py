"""Example feeds: some birds, what they liked, what their feeds hold and why, and what came of it.

Which birds, and where their feeds come from, is not known here; a rule for choosing them is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.reports.charts import sentence
from flutter_pipeline.reports.section import Section

KEY, TITLE = "feeds", "Example feeds"
TEXT_LENGTH = 160
"""Characters of a flit that are shown."""
CHANCE = "the chance of a like as the ranker sees it"
ORDER = "which puts the feed in order and says nothing of how likely a like is"
PAST = (
    " What came of a past feed is one day of one bird, and many a bird likes little in a day; the "
    "headline is a mean over many days, and over those birds alone that liked something."
)
"""Why so few flits of a past feed may have been liked."""


class Source(NamedTuple):
    """What proposed a flit."""

    name: str
    place: int
    """Among what it proposed to this bird, from 1."""
    share: float
    """Its score of the flit as a share of the best that it gave in this feed, 0 to 1."""


class Liked(NamedTuple):
    """A flit of a bird's history."""

    text: str
    author: str
    when: str


class Served(NamedTuple):
    """A flit of a feed."""

    text: str
    author: str
    score: float
    because: str
    sources: tuple[Source, ...]
    truth: float | None = None
    """How likely the bird is to like it, where somebody knows."""


class Past(NamedTuple):
    """A flit of a past feed, and whether its bird liked it afterwards."""

    text: str
    liked: bool


@dataclass(frozen=True)
class Example:
    """A bird and its feed."""

    bird: str
    likes: int
    """How many flits it has liked in all."""
    history: Sequence[Liked]
    """Newest first."""
    feed: Sequence[Served]
    """Best first."""
    past: Sequence[Past] = ()
    """The feed of a past moment, best first."""
    found: int = 0
    """Flits that it liked after that moment, in the feed or not."""


def chosen_birds(likes: NDArray[np.integer], many: int, seed: int) -> list[int]:
    """Rows of ``many`` birds, from few likes to many: one drawn from each equal part by likes.

    ``likes`` are counts; whoever has none has no feed to speak of, and is left out.
    """
    known = np.flatnonzero(likes)
    ordered = known[np.argsort(likes[known], kind="stable")]
    rng = np.random.default_rng(seed)
    parts = np.array_split(ordered, min(many, len(ordered))) if many and len(ordered) else []
    return [int(rng.choice(part)) for part in parts]


def feeds_section(
    examples: Sequence[Example], past_moment: str = "", chances: bool = True
) -> Section:
    """``past_moment`` says of when past feeds are; empty where there are none. ``chances`` is
    whether scores are chances of a like, and not only an order."""
    lead = (
        "A few birds, what they liked last, and the first places of their feeds: each flit with "
        "its score, what proposed it, and why. Birds are drawn by lot, one from each equal part "
        "of all birds from few likes to many."
    )
    if not examples:
        return Section(KEY, TITLE, lead, sentence("No bird that has liked anything has a feed."))
    said = (
        f"The wide bar is the score, {CHANCE if chances else ORDER}. A "
        "source's bar is its own score of the flit beside the best that it gave in this feed, and "
        "its number the place of the flit among all that it proposed."
    )
    if any(one.past for one in examples):
        said += PAST
    if any(flit.truth is not None for one in examples for flit in one.feed):
        said += " These birds are simulated, so the true chance is known, and stands beside."
    body = sentence(said)
    birds = "".join(_bird(one, past_moment, chances) for one in examples)
    return Section(KEY, TITLE, lead, body + birds)


def _bird(one: Example, past_moment: str, chances: bool) -> str:
    liked = sum(flit.liked for flit in one.past)
    likes = f"{one.likes:,} like{'' if one.likes == 1 else 's'}"
    came = f"; of its feed before, {liked} of {len(one.past)} were liked" if one.past else ""
    history = "".join(
        f'<li>{_flit(flit.text, flit.author)} <small class="when">{escape(flit.when)}</small></li>'
        for flit in one.history
    )
    best = max((flit.score for flit in one.feed), default=0.0) or 1.0
    feed = "".join(_served(flit, best, chances) for flit in one.feed)
    return (
        f'<details class="bird"><summary><b>{escape(one.bird)}</b> {likes}{came}</summary>'
        f"<h3>Liked last</h3><ul>{history}</ul>"
        f'<h3>Its feed</h3><ol class="feed">{feed}</ol>{_past(one, past_moment)}</details>'
    )


def _served(flit: Served, best: float, chances: bool) -> str:
    truth = f", in truth {100 * flit.truth:.1f} %" if flit.truth is not None else ""
    score = f"{100 * flit.score:.1f} %" if chances else f"{flit.score:.3f}"
    sources = "".join(
        f'<li style="--share:{100 * source.share:.0f}%">{escape(source.name)} {source.place}</li>'
        for source in flit.sources
    )
    return (
        f"<li>{_flit(flit.text, flit.author)}"
        f'<p class="score" style="--share:{100 * flit.score / best:.0f}%">{score}{truth}</p>'
        f"<p>{escape(flit.because)}</p>"
        f'<ul class="sources" aria-label="proposed by">{sources}</ul></li>'
    )


def _past(one: Example, moment: str) -> str:
    if not one.past:
        return ""
    liked = [place for place, flit in enumerate(one.past, 1) if flit.liked]
    found = f"{len(liked)} of them in its first {len(one.past)} places"
    flits = "".join(
        f'<li class="{"liked" if flit.liked else "not"}" title="{escape(_cut(flit.text))}">'
        f"{'♥' if flit.liked else '·'}<span> {'liked' if flit.liked else 'not liked'}</span></li>"
        for flit in one.past
    )
    texts = "".join(f"<li>place {place}: {_flit(one.past[place - 1].text)}</li>" for place in liked)
    return (
        f"<h3>What came of its feed of {escape(moment)}</h3>"
        "<p>As what serves would have made it then. The bird went on to like "
        f"{one.found:,} flit{'' if one.found == 1 else 's'} before the next batch, "
        f'{found}.</p><ol class="past">{flits}</ol><ul>{texts}</ul>'
    )


def _flit(text: str, author: str = "") -> str:
    by = f" <small>{escape(author)}</small>" if author else ""
    return f"<q>{escape(_cut(text))}</q>{by}"


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + "…"
