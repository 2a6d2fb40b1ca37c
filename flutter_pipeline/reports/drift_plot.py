"""Drift over days: how unlike each day is to those before it, by measure."""

from html import escape

import pandas as pd

from flutter_pipeline.contracts.drift import ALARM, NO_MEASURE, TOO_FEW
from flutter_pipeline.reports.charts import (
    DAYS,
    ChartConfig,
    TableConfig,
    chart,
    newest_days,
    sentence,
    table,
)
from flutter_pipeline.reports.section import Section

LEAD = (
    "How unlike each day is to the days before it, in standard deviations of chance, measure by "
    "measure. A row of strong colour is a change that stays; a ring is an alarm."
)
MOST = 6.0
"""Standard deviations at which the colours end."""
MOST_ALARMS = 30
ABOUT = {
    "near_copies": "share of near-copies",
    "floods": "share of flits in one flood",
    "tokens": "words that are used",
    "bursts": "words that surge",
    "new_words": "words never seen before",
    "languages": "languages",
    "topics": "topics",
    "engagements": "what birds do",
}
"""Measures in plain words; those of vectors are called after their encoder."""


def drift_section(report: pd.DataFrame, verdict: str) -> Section:
    """``report`` as the contract DRIFT_REPORT has it; it may be empty. ``verdict`` on its newest
    day, in words.
    """
    measured = report[(report["measure"] != NO_MEASURE) & report["value"].notna()]
    body = f'<p class="says">{escape(verdict[:1].upper() + verdict[1:])}.</p>'
    if measured.empty:
        body += sentence("No day has enough days before it to be held against yet.")
        return Section("drift", "Drift", LEAD, body)
    measured = measured.assign(name=[_name(str(one)) for one in measured["measure"]])
    shown = newest_days(measured)
    days = f"The newest {shown['day'].nunique()} of {measured['day'].nunique()} days"
    body += chart(
        _scores(shown),
        f"{days}, by measure. Grey: too few earlier days to judge by.",
        ChartConfig(label=f"{days}: drift scores by measure"),
    )
    body += chart(
        _values(shown),
        "One measure over days: the line is its value, dashed what chance alone gives, dotted the "
        "limit above which it stands out.",
        ChartConfig(label="One measure of drift over days, beside its limit"),
    )
    return Section("drift", "Drift", LEAD, body + _alarms(measured))


def _name(measure: str) -> str:
    kind, _, encoder = measure.partition(" ")
    said = {"vectors": "vectors of", "gaussian": "spread of vectors of"}.get(kind)
    return f"{said} {encoder}" if said and encoder else ABOUT.get(measure, measure)


def _alarms(measured: pd.DataFrame) -> str:
    rows = measured[measured["said"] == ALARM]
    if rows.empty:
        return sentence("No day and no measure has alarmed.")
    shown = rows[["day", "name", "value", "usual", "limit", "effect", "adjusted_p"]]
    names = {"name": "measure", "adjusted_p": "p (Holm)"}
    said = f"The newest alarms, {min(len(rows), MOST_ALARMS)} of {len(rows)} so far"
    return table(shown.rename(columns=names).tail(MOST_ALARMS), said, TableConfig())


def _cells(measured: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {
            "day": day,
            "name": name,
            "score": None if pd.isna(score) or said == TOO_FEW else round(float(score), 2),
            "said": said,
        }
        for day, name, score, said in measured[["day", "name", "score", "said"]].itertuples(
            index=False, name=None
        )
    ]


def _scores(measured: pd.DataFrame) -> dict[str, object]:
    x = {"field": "day", "type": "ordinal", "title": None, "axis": DAYS}
    y = {"field": "name", "type": "nominal", "sort": None, "title": None}
    colour = {
        "field": "score",
        "type": "quantitative",
        "scale": {"domain": [0, MOST], "clamp": True, "range": ["@low", "@high"]},
        "legend": {"title": "sd of chance", "orient": "top", "gradientLength": 160},
    }
    return {
        "data": {"values": _cells(measured)},
        "width": "container",
        "height": 20 * measured["name"].nunique(),
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "rect", "stroke": "@page", "strokeWidth": 1, "invalid": "show"},
                "encoding": {
                    "color": {
                        "condition": {"test": "datum.score === null", "value": "@empty"},
                        **colour,
                    },
                    "tooltip": [{"field": one} for one in ("day", "name", "score", "said")],
                },
            },
            {
                "transform": [{"filter": f"datum.said == '{ALARM}'"}],
                "mark": {
                    "type": "point",
                    "size": 150,
                    "stroke": "@warn",
                    "strokeWidth": 2.5,
                    "filled": False,
                },
            },
        ],
    }


def _values(measured: pd.DataFrame) -> dict[str, object]:
    values = [
        {"day": day, "name": name, "line": line, "value": float(f"{value:.4g}")}
        for line in ("value", "usual", "limit")
        for day, name, value in measured[["day", "name", line]].itertuples(index=False, name=None)
        if pd.notna(value)
    ]
    names = list(dict.fromkeys(measured["name"]))
    dashes = {"domain": ["value", "usual", "limit"], "range": [[1, 0], [6, 4], [2, 3]]}
    colours = {"domain": ["value", "usual", "limit"], "range": ["@first", "@muted", "@warn"]}
    legend = {"title": None, "orient": "top", "symbolType": "stroke"}
    return {
        "data": {"values": values},
        "params": [
            {
                "name": "measure",
                "value": names[0],
                "bind": {"input": "select", "options": names, "name": "measure "},
            }
        ],
        "transform": [{"filter": "datum.name == measure"}],
        "width": "container",
        "height": 200,
        "mark": {"type": "line", "point": {"size": 18}},
        "encoding": {
            "x": {"field": "day", "type": "ordinal", "title": None, "axis": DAYS},
            "y": {"field": "value", "type": "quantitative", "title": None},
            "color": {"field": "line", "type": "nominal", "scale": colours, "legend": legend},
            "strokeDash": {"field": "line", "type": "nominal", "scale": dashes, "legend": legend},
            "tooltip": [{"field": one} for one in ("day", "line", "value")],
        },
    }
