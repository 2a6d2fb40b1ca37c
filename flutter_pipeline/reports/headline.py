"""The headline: what serves, and what its feeds of past days were worth beside simple ones."""

from collections.abc import Mapping
from html import escape

import pandas as pd

from flutter_pipeline.evaluation.backtest import BLEND, RANKED
from flutter_pipeline.evaluation.measured import BASELINES
from flutter_pipeline.reports.about import About
from flutter_pipeline.reports.charts import number, sentence
from flutter_pipeline.reports.figures import UNKNOWN, Figure, figures_of
from flutter_pipeline.reports.intervals import DotsConfig, Line, dots
from flutter_pipeline.reports.section import Section

ORACLE = "oracle"
TITLES = {
    "ndcg": "NDCG@{k}",
    "recall": "Likes found in {k} places",
    "hit_rate": "Feeds that hold a like",
    "coverage": "Flits shown to anybody",
}
"""What the big figures are called, by metric."""
KINDS = {"served": "@c1", "before the ranker": "@c3", "baseline": "@c8", "upper bound": "@c2"}
LABELS = {RANKED: "served feeds", BLEND: "blend of sources", ORACLE: "oracle (knows birds)"}
TEN = 10
"""Of so many likes the sentence speaks."""


def headline_section(evaluation: pd.DataFrame, about: About) -> Section:
    """``evaluation`` as the contract OFFLINE_EVALUATION has it; it may be empty."""
    found = figures_of(evaluation, "ndcg")
    body = tiles(_facts(evaluation, about))
    if about.outdated:
        body += f'<p class="note">{escape(about.outdated)}</p>'
    if not found.get(RANKED, UNKNOWN).known:
        lead = "Nothing has been measured yet: a backtest needs a few days of likes behind it."
        return Section("headline", "Headline", lead, body)
    k = int(evaluation["k"].iloc[0])
    body += f'<p class="says">{escape(in_plain_words(evaluation, k))}</p>'
    body += dots(
        _lines(found),
        f"NDCG@{k} of the feeds of past days: 1 would be a feed that begins with all that its bird "
        "went on to like. The bars are 95 % intervals over birds.",
        DotsConfig(value=f"NDCG@{k}", kinds=KINDS, of="by method"),
    )
    lead = (
        f"What serves as of {about.as_of}, and what its feeds were worth on past days: each day "
        "was played again with what was known then, and judged by what "
        f"{found[RANKED].birds:,} birds liked next."
    )
    return Section("headline", "Headline", lead, body)


def in_plain_words(evaluation: pd.DataFrame, k: int) -> str:
    """What the feeds find of ten likes, beside the baselines."""
    recall = figures_of(evaluation, "recall")
    served = recall.get(RANKED, UNKNOWN)
    said = (
        f"Of ten flits that a bird went on to like, the first {k} places of its feed hold "
        f"{_of_ten(served.mean)}"
    )
    if served.sure:
        said += f" (95 % interval {_of_ten(served.low)} to {_of_ten(served.high)})"
    others = {name: recall[name].mean for name in BASELINES if recall.get(name, UNKNOWN).known}
    if others:
        best = max(others.values())
        fewer = " fewer" if best < served.mean else ""
        listed = ", ".join(f"{name} {_of_ten(mean)}" for name, mean in others.items())
        said += f"; feeds without any learning hold{fewer}: {listed}"
        if 0 < best < served.mean:
            said += f". That is {number(served.mean / best, 2)} times the best of these"
    if (oracle := recall.get(ORACLE, UNKNOWN)).known:
        said += f". Who could read the birds' minds would find {_of_ten(oracle.mean)}"
    return f"{said}."


def tiles(facts: Mapping[str, tuple[str, str]]) -> str:
    """Big figures in a row: by title the figure and what is said below it."""
    cells = "".join(
        f"<div><dt>{escape(title)}</dt><dd>{escape(value)}</dd>"
        f'<dd class="below">{escape(below)}</dd></div>'
        for title, (value, below) in facts.items()
    )
    return f'<dl class="tiles">{cells}</dl>' if cells else sentence("Nothing serves yet.")


def _facts(evaluation: pd.DataFrame, about: About) -> dict[str, tuple[str, str]]:
    facts = {"Release": (about.release[:8], about.why)} if about.release else {}
    for metric, title in TITLES.items():
        found = figures_of(evaluation, metric).get(RANKED, UNKNOWN)
        if found.known:
            ends = f"{_shown(found.low, metric)} to {_shown(found.high, metric)}"
            below = ends if found.sure else "of those that could be shown"
            facts[title.format(k=int(evaluation["k"].iloc[0]))] = (
                _shown(found.mean, metric),
                below,
            )
    return facts


def _shown(value: float, metric: str) -> str:
    return number(value) if metric == "ndcg" else f"{100 * value:.0f} %"


def _of_ten(share: float) -> str:
    return number(TEN * share, 2)


def _lines(found: Mapping[str, Figure]) -> list[Line]:
    """The served feed first, then the blend, the baselines, and what could be reached at most."""
    methods = (RANKED, BLEND, *reversed(BASELINES), ORACLE)
    names = list(KINDS)
    kinds = (names[0], names[1], *[names[2]] * len(BASELINES), names[3])
    return [
        Line(LABELS.get(method, method), found[method], kind)
        for method, kind in zip(methods, kinds, strict=True)
        if method in found
    ]
