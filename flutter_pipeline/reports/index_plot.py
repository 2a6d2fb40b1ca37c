"""Index recall against speed: what a search finds, and what it costs, kind by kind.

The curves are measured on the vectors that are handed in; the cost is the estimate by which the
pipeline itself chooses an index, so that the same vectors always give the same picture.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.index.config import IndexConfig, Kind
from flutter_pipeline.index.cost import Lists, microseconds
from flutter_pipeline.index.kinds import CODED, build, refining_store
from flutter_pipeline.index.searching import TUNED_FOR, Effort, lists_of, search, visited
from flutter_pipeline.index.tune import HeldOut, held_out
from flutter_pipeline.reports.charts import ChartConfig, TableConfig, chart, sentence, table
from flutter_pipeline.reports.section import Section

LEAD = (
    "An exact search looks at every flit; an approximate one looks at fewer and misses some. Up "
    "and to the left is better: more of the ten nearest found, in less time."
)
EFFORTS: dict[Kind, tuple[Effort, ...]] = {
    "flat": (Effort(),),
    "ivf": tuple(Effort(lists=n) for n in (1, 2, 4, 8, 16, 32)),
    "pq": tuple(Effort(refined=n) for n in (0, 20, 60, 160)),
    "hnsw": tuple(Effort(kept=n) for n in (20, 40, 80, 160)),
}
COLUMNS = ["encoder", "kind", "effort", "recall", "microseconds"]
COUNTED = (
    "A reason counts the flits that the kind was chosen by: those that had a vector when the index "
    "was built. Flits of which an encoder knows nothing are held without one, and are nobody's "
    "neighbours; others may have been added since."
)
QUERIES = 200
LEAST = 100
"""Of fewer vectors there is nothing to tell."""


def recall_curves(vectors: Mapping[str, Matrix], config: IndexConfig) -> pd.DataFrame:
    """The columns ``COLUMNS``, by encoder; ``vectors`` are unit rows, those without a direction
    are left out. Some of them are held out, and asked for.
    """
    rows = []
    for encoder, matrix in vectors.items():
        known = matrix[np.linalg.norm(matrix, axis=1) > 0]
        if len(known) >= LEAST:
            rows += [(encoder, *point) for point in _curve(np.ascontiguousarray(known), config)]
    return pd.DataFrame(rows, columns=COLUMNS)


def index_section(curves: pd.DataFrame, served: pd.DataFrame, vectors: int) -> Section:
    """``curves`` from :func:`recall_curves`, on ``vectors`` flits; ``served`` has `encoder, kind,
    flits, recall_at_10, size_mb, why` of each index that serves.
    """
    body = ""
    if len(curves):
        body += chart(
            _spec(curves),
            f"Measured on the newest {vectors:,} flits. Each dot is one amount of effort. Recall "
            "is the share of the ten nearest that is found; the time is an estimate of one search "
            "on one core.",
            ChartConfig(label="Recall at 10 against microseconds of a search, by kind of index"),
        )
    if len(served):
        shown = served.rename(columns={"recall_at_10": "recall@10", "size_mb": "MiB"})
        body += table(shown, "The indexes that serve, and why each is of its kind", TableConfig())
        body += sentence(COUNTED)
    return Section("index", "Index", LEAD, body or sentence("No index has been built yet."))


def _curve(vectors: Matrix, config: IndexConfig) -> Iterator[tuple[str, str, float, float]]:
    count = min(QUERIES, len(vectors) // 10)
    asked = np.random.default_rng(config.seed).choice(len(vectors), count, replace=False)
    rest = np.delete(np.arange(len(vectors)), asked)
    held = held_out(vectors[rest], vectors[np.sort(asked)])
    store = refining_store(held.vectors, "float16")
    for kind, efforts in EFFORTS.items():
        built = build(kind, held.vectors, config, store if kind in CODED else None)
        for effort in efforts:
            if effort.lists > max(lists_of(kind, built), 1):
                continue
            found = search(kind, built, held.queries, TUNED_FOR, effort)[1]
            cost = _cost(kind, built, held, effort, config)
            yield kind, _said(effort), held.recall(found), cost


def _cost(kind: Kind, built: object, held: HeldOut, effort: Effort, config: IndexConfig) -> float:
    lists = Lists()
    if count := lists_of(kind, built):
        lists = Lists(count, visited(kind, built, held.queries, min(effort.lists, count)))
    return microseconds(kind, held.shape, effort, config.hnsw_links, lists)


def _said(effort: Effort) -> str:
    parts = {
        "lists visited": effort.lists,
        "more compared again": effort.refined,
        "candidates kept": effort.kept,
    }
    return ", ".join(f"{count} {what}" for what, count in parts.items() if count) or "all"


def _points(curves: pd.DataFrame) -> list[dict[str, object]]:
    return [
        {
            "encoder": encoder,
            "kind": kind,
            "effort": effort,
            "recall": round(float(recall), 4),
            "us": float(f"{cost:.3g}"),
        }
        for encoder, kind, effort, recall, cost in curves[COLUMNS].itertuples(
            index=False, name=None
        )
    ]


def _axes() -> dict[str, object]:
    kinds = {"field": "kind", "type": "nominal", "scale": {"domain": list(EFFORTS)}}
    return {
        "x": {
            "field": "us",
            "type": "quantitative",
            "scale": {"type": "log", "nice": False, "padding": 16},
            "title": "microseconds a search",
        },
        "y": {
            "field": "recall",
            "type": "quantitative",
            "scale": {"zero": False},
            "axis": {"format": ".0%"},
            "title": "recall@10",
        },
        "color": {**kinds, "legend": {"title": "kind of index", "orient": "top"}},
        "shape": kinds,
    }


def _spec(curves: pd.DataFrame) -> dict[str, object]:
    encoders, axes = list(dict.fromkeys(curves["encoder"])), _axes()
    select = {"input": "select", "options": encoders, "name": "encoder "}
    tooltip = [
        *({"field": name} for name in ("encoder", "kind", "effort")),
        {"field": "recall", "type": "quantitative", "format": ".1%"},
        {"field": "us", "type": "quantitative", "title": "µs"},
    ]
    return {
        "data": {"values": _points(curves)},
        "params": [{"name": "encoder", "value": encoders[-1], "bind": select}],
        "transform": [{"filter": "datum.encoder == encoder"}],
        "width": "container",
        "height": 300,
        "layer": [
            {"mark": {"type": "line", "opacity": 0.5}, "encoding": axes},
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {**axes, "tooltip": tooltip},
            },
        ],
    }
