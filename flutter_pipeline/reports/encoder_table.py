"""The encoders compared: what the feeds of each alone are worth, and what each costs."""

from typing import Any

import pandas as pd

from flutter_pipeline.reports.charts import ChartConfig, TableConfig, chart, sentence, table
from flutter_pipeline.reports.figures import figures_in
from flutter_pipeline.reports.intervals import DotsConfig, Line, dots
from flutter_pipeline.reports.section import Section

MIB = 2**20
MEASURED = ("ndcg", "low", "high", "flits_per_second", "size_mb", "train_seconds")
LEAD = (
    "Feeds made by one encoder alone, on the same past days, beside what the encoder costs. Where "
    "intervals overlap widely, the cheaper one is the better choice."
)


def encoders_section(comparison: pd.DataFrame) -> Section:
    """``comparison`` as the contract EMBEDDING_COMPARISON has it; it may be empty."""
    if comparison.empty:
        return Section("encoders", "Encoders", LEAD, sentence("No encoder has been measured yet."))
    rows = comparison.sort_values("ndcg", ascending=False, na_position="last")
    figures = figures_in(rows, "ndcg")
    if any(figure.known for figure in figures):
        body = dots(
            [Line(str(name), one) for name, one in zip(rows["encoder"], figures, strict=True)],
            "NDCG of the feeds by each encoder alone, 95 % intervals over birds.",
            DotsConfig(value="NDCG", of="by encoder"),
        ) + chart(
            _worth(rows),
            "The same beside the cost: up is better feeds, right is faster encoding, and the area "
            "is what its vectors take on disk.",
            ChartConfig(label="NDCG against flits encoded a second, by encoder; see the table"),
        )
    else:
        body = sentence("Their feeds have not been measured yet: there are too few days.")
    return Section("encoders", "Encoders", LEAD, body + _costs(rows) + _since_before(rows))


def _worth(rows: pd.DataFrame) -> dict[str, Any]:
    """Quality against speed, with size."""
    x = {
        "field": "flits_per_second",
        "type": "quantitative",
        "scale": {"type": "log", "padding": 40},
        "axis": {"format": "~s", "tickCount": 5},
        "title": "flits encoded a second",
    }
    size = {"field": "size_mb", "type": "quantitative", "scale": {"range": [0, 600], "zero": True}}
    y = {"field": "ndcg", "type": "quantitative", "scale": {"zero": False}, "title": "NDCG"}
    tooltip = [{"field": name, "type": "quantitative", "format": ".4~g"} for name in MEASURED]
    return {
        "data": {"values": _measured(rows)},
        "width": "container",
        "height": 230,
        "encoding": {"x": x, "color": {"field": "encoder", "type": "nominal", "legend": None}},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
                "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "encoding": {
                    "y": y,
                    "size": {**size, "legend": None},
                    "tooltip": [{"field": "encoder", "type": "nominal"}, *tooltip],
                },
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 16, "color": "@text"},
                "encoding": {
                    "y": y,
                    "text": {"field": "encoder", "type": "nominal"},
                    "color": {"value": "@text"},
                },
            },
        ],
    }


def _measured(rows: pd.DataFrame) -> list[dict[str, Any]]:
    known = rows[rows["ndcg"].notna() & (rows["flits_per_second"] > 0)]
    figures = known[list(MEASURED)].astype("float64").to_dict("records")
    return [
        {"encoder": str(name), **{str(what): float(f"{one:.4g}") for what, one in some.items()}}
        for name, some in zip(known["encoder"], figures, strict=True)
    ]


def _costs(rows: pd.DataFrame) -> str:
    shown = pd.DataFrame(
        {
            "encoder": rows["encoder"],
            "version": rows["version"],
            "NDCG (95 %)": [str(figure) for figure in figures_in(rows, "ndcg")],
            "dims": rows["dim"],
            "training, s": rows["train_seconds"],
            "flits / s": rows["flits_per_second"],
            "bytes / vector": (rows["size_mb"] * MIB / rows["flits"].where(rows["flits"] > 0)),
            "on disk, MiB": rows["size_mb"],
        }
    )
    formats = {"flits / s": "{:,.0f}", "bytes / vector": "{:,.0f}"}
    return table(shown, "What each encoder is worth and costs", TableConfig(formats=formats))


def _since_before(rows: pd.DataFrame) -> str:
    known = rows[rows["previous"].notna() & (rows["previous"].astype("str") != "")]
    if known.empty:
        return sentence("No other version of these encoders has served before this one.")
    shown = known[["encoder", "previous", "version", "overlap", "cka", "residual", "divergence"]]
    names = {
        "previous": "before",
        "version": "now",
        "overlap": "neighbours kept",
        "cka": "CKA",
        "residual": "moved after turning",
        "divergence": "KL, nats",
    }
    return table(shown.rename(columns=names), "What changed since the version that served before")
