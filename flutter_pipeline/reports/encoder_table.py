"""The encoders compared: what the feeds of each alone are worth, and what each costs."""

import pandas as pd

from flutter_pipeline.reports.charts import TableConfig, sentence, table
from flutter_pipeline.reports.figures import figures_in
from flutter_pipeline.reports.intervals import DotsConfig, Line, dots
from flutter_pipeline.reports.section import Section

MIB = 2**20
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
        )
    else:
        body = sentence("Their feeds have not been measured yet: there are too few days.")
    return Section("encoders", "Encoders", LEAD, body + _costs(rows) + _since_before(rows))


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
