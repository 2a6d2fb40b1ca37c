"""What the candidate sources contribute: each alone, its weight, and what only it proposed."""

from collections.abc import Mapping

import pandas as pd

from flutter_pipeline.evaluation.backtest import BLEND, RANKED
from flutter_pipeline.reports.charts import TableConfig, sentence, table
from flutter_pipeline.reports.figures import UNKNOWN, Figure, figures_of
from flutter_pipeline.reports.intervals import DotsConfig, Line, dots
from flutter_pipeline.reports.section import Section

KINDS = {"a source alone": "@c6", "all together": "@c1"}
MISSED = (
    "<p>What a source is missed for, weights and ranker fitted anew without it, takes minutes to "
    "tell: <code>make bench-sources</code> does.</p>"
)
REACH = ["source", "proposed", "found", "only"]


def sources_section(
    evaluation: pd.DataFrame, weights: pd.DataFrame, reach: pd.DataFrame
) -> Section:
    """``evaluation`` and ``weights`` by their contracts; ``reach`` from :func:`reach_of`."""
    lead = (
        "Sources propose candidates, the blend weighs them, the ranker orders them. A source that "
        "is weak alone may still be worth having: see what only it proposed."
    )
    found = figures_of(evaluation, "ndcg")
    names = [str(name) for name in weights["source"]]
    # Those that were not measured come last, in their own order.
    order = sorted(names, key=lambda name: -found[name].mean if name in found else 1.0)
    if not order:
        return Section("sources", "Sources", lead, sentence("No source has been weighed yet."))
    alone, together = KINDS
    lines = [
        *(Line(name, found[name], together) for name in (RANKED, BLEND) if name in found),
        *(Line(name, found[name], alone) for name in order if name in found),
    ]
    if any(name in found for name in order):
        body = dots(
            lines,
            "NDCG of the feeds by each source alone, and by all together; 95 % intervals.",
            DotsConfig(value="NDCG", kinds=KINDS, of="by source"),
        )
    else:
        body = sentence("No source has been measured alone yet: there are too few days.")
    body += _table(order, found, weights, reach) + MISSED
    return Section("sources", "Sources", lead, body)


def _table(
    order: list[str],
    found: Mapping[str, Figure],
    weights: pd.DataFrame,
    reach: pd.DataFrame,
) -> str:
    """Worth, weight and reach of each source, in ``order``."""
    shown = pd.DataFrame({"source": order})
    shown["NDCG alone (95 %)"] = [str(found.get(name, UNKNOWN)) for name in order]
    shown["weight"] = shown["source"].map(weights.set_index("source")["weight"])
    known = reach.set_index("source").reindex(order)
    shown["proposed, a bird"] = known["proposed"].to_numpy()
    shown["likes it found"] = known["found"].to_numpy()
    shown["likes only it found"] = known["only"].to_numpy()
    shares = ("weight", "likes it found", "likes only it found")
    formats = {**dict.fromkeys(shares, "{:.1%}"), "proposed, a bird": "{:,.0f}"}
    said = "Shares are of all liked candidates of the measured days, whichever source found them."
    return table(shown, said, TableConfig(formats=formats))


def reach_of(past: pd.DataFrame, sources: tuple[str, ...]) -> pd.DataFrame:
    """The columns ``REACH`` of past candidates (`moment, bird_id, liked`, a rank a source):

    proposals a bird and moment, the share of liked candidates that the source proposed, and the
    share that no other one did.
    """
    proposed = past[[f"rank_{name}" for name in sources]].to_numpy() > 0
    liked = proposed[past["liked"].to_numpy(dtype=bool)]
    feeds = max(len(past[["moment", "bird_id"]].drop_duplicates()), 1)
    alone = liked & (liked.sum(axis=1) == 1)[:, None]
    many = max(len(liked), 1)
    return pd.DataFrame(
        {
            "source": list(sources),
            "proposed": proposed.sum(axis=0) / feeds,
            "found": liked.sum(axis=0) / many,
            "only": alone.sum(axis=0) / many,
        }
    )
