"""Slices: for whom, and for which flits, the feeds are better or worse."""

import pandas as pd

from flutter_pipeline.evaluation.backtest import RANKED
from flutter_pipeline.evaluation.measured import ALL, CADENCE, REACHABLE
from flutter_pipeline.reports.charts import sentence, table
from flutter_pipeline.reports.figures import figures_in, figures_of
from flutter_pipeline.reports.intervals import DotsConfig, Line, dots
from flutter_pipeline.reports.section import Section

LEAD = (
    "The served feeds, cut by who reads them and by what was liked. A slice whose bar lies left of "
    "all others is where the feeds fail somebody; a wide bar means few birds."
)
EVERYBODY = "all birds"
TWICE = (
    "A bird is put in its slice anew on each day that is measured. One that changed its slice in "
    "between counts in both, with the days it spent there, so slices may sum to more than all "
    "birds; small slices are left out."
)
FLITS = {
    "fresh_recall": "fresh flits",
    "older_recall": "older flits",
    "cold_recall": "flits with hardly a like yet",
    "head_recall": "the most liked flits",
    "middle_recall": "flits liked as usual",
    "tail_recall": "the least liked flits",
}
"""Recall that counts some of the flits only, in words."""


def slices_section(evaluation: pd.DataFrame) -> Section:
    """``evaluation`` as the contract OFFLINE_EVALUATION has it; it may be empty."""
    body = _of_birds(evaluation) + _of_flits(evaluation) + _of_cadence(evaluation)
    return Section("slices", "Slices", LEAD, body or sentence("No slice has been measured yet."))


def _of_birds(evaluation: pd.DataFrame) -> str:
    served = evaluation[(evaluation["method"] == RANKED) & (evaluation["metric"] == "ndcg")]
    sliced = served[served["by"] != ALL]
    if sliced.empty:
        return ""
    rows = pd.concat([served[served["by"] == ALL], sliced], ignore_index=True)
    figures = figures_in(rows)
    cuts = [str(by) if by != ALL else EVERYBODY for by in rows["by"]]
    names = [
        f"{cut} ({one.birds:,})" if cut == EVERYBODY else f"{cut}: {name} ({one.birds:,})"
        for cut, name, one in zip(cuts, rows["slice"], figures, strict=True)
    ]
    colours = {cut: f"@c{1 + place % 8}" for place, cut in enumerate(dict.fromkeys(cuts))}
    drawn = dots(
        [Line(*one) for one in zip(names, figures, cuts, strict=True)],
        "NDCG of the served feeds by slice of birds (how many in brackets), 95 % intervals.",
        DotsConfig(value="NDCG", kinds=colours, of="by slice of birds"),
    )
    shown = rows[["by", "slice", "birds"]].assign(figure=[str(one) for one in figures])
    as_table = table(shown.rename(columns={"figure": "NDCG (95 %)"}))
    below = f"<details><summary>As a table</summary>{as_table}</details>"
    return f"<h3>Birds</h3>{drawn}{sentence(TWICE)}{below}"


def _of_flits(evaluation: pd.DataFrame) -> str:
    found = {name: figures_of(evaluation, metric).get(RANKED) for metric, name in FLITS.items()}
    lines = [
        Line(f"{name} ({figure.birds:,})", figure)
        for name, figure in found.items()
        if figure is not None and figure.known
    ]
    if not lines:
        return ""
    said = (
        "Of the likes that went to such flits, the share that the served feeds hold (birds with "
        "such likes in brackets), 95 % intervals."
    )
    return f"<h3>Flits</h3>{dots(lines, said, DotsConfig(value='recall', of='by slice of flits'))}"


def _of_cadence(evaluation: pd.DataFrame) -> str:
    rows = evaluation[(evaluation["by"] == CADENCE) & (evaluation["metric"] == REACHABLE)]
    if rows.empty:
        return ""
    known = "; ".join(
        f"{name}: {100 * mean:.0f} %"
        for name, mean in rows[["slice", "mean"]].itertuples(index=False, name=None)
    )
    return sentence(
        "Of all likes, the share that went to flits which were already there when the feeds were "
        f"made, if these are made {known}. No ranking can win back the rest."
    )
