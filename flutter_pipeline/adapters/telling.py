"""What is said to MLflow of data, of versions, and of encoders beside one another.

The same thing has the same name in every run, so that runs of one week stand beside those of
another. How it is told is not known here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.letter import KeptDataset
from flutter_pipeline.adapters.stage_run import Measured
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.evaluation.measured import ALL

Figure = TypeVar("Figure")
"""One number, or many over steps."""
DIGEST = 32
"""Signs of a digest that MLflow has room for, with some to spare."""
MIB = 2**20
TYPES = {
    "time": "datetime",
    "bool": "boolean",
    "int8": "integer",
    "int32": "integer",
    "int64": "long",
    "float32": "float",
    "float64": "double",
    "bytes": "binary",
}
"""By dtype of a contract its name in MLflow's schemas; anything else is text."""
KIND = "kind"
ENCODER = "encoder"
SLICED_BY = ("activity", "tenure")
"""Slices that every network has; what else there is stands in the table of the asset."""
LEADING, HIT = "ndcg", "hit_rate"


def flat(config: BaseModel) -> dict[str, Any]:
    """The config's values by name; those of a config within it as ``its_name.their_name``."""
    return _flattened(config.model_dump())


def _flattened(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = value if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{part}".rstrip("."): one for part, one in inner.items()}
    return found


def as_sections(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """``figures`` as MLflow's charts lay them out: ``ranked.ndcg`` becomes ``ranked/ndcg``, a chart
    in the section ``ranked``.
    """
    return {name.replace(".", "/", 1): value for name, value in figures.items()}


def table_data(tables: TableStore, table: Table, context: str = "training") -> KeptDataset:
    """The published parts of a table; their checksums make its digest, so nothing is read."""
    parts = tables.parts(table.name)
    sums = json.dumps([[key, part.sha256 or part.file] for key, part in sorted(parts.items())])
    return KeptDataset(
        name=table.name,
        digest=hashlib.sha256(sums.encode()).hexdigest()[:DIGEST],
        source=f"tables/{table.name}",
        context=context,
        columns={column.name: TYPES.get(column.dtype, "string") for column in table.columns},
        profile={"num_rows": sum(part.rows for part in parts.values()), "parts": len(parts)},
    )


def lessons_data(model: Stored, table: Table) -> list[KeptDataset]:
    """The flits that a model learnt from; none where it comes trained."""
    digest = str(model.facts.get("training_data", ""))
    if not digest:
        return []
    return [
        KeptDataset(
            name=table.name,
            digest=digest[:DIGEST],
            source=f"tables/{table.name}",
            columns={column.name: TYPES.get(column.dtype, "string") for column in table.columns},
            profile={"num_rows": int(model.facts.get("training_flits", 0))},
        )
    ]


def network_data(network: Stored, context: str = "training") -> KeptDataset:
    """Birds, flits, likes and follows as of a moment."""
    counts = {name: network.facts.get(name) for name in ("flits", "birds", "engagements")}
    return KeptDataset(
        name=network.name,
        digest=network.version,
        source=f"models/{network.name}/{network.version}",
        context=context,
        profile={name: count for name, count in counts.items() if count is not None},
    )


def encoder_origin(model: Stored) -> dict[str, Any]:
    """What data and config a version of an encoder came from."""
    facts = model.facts
    return {
        "flits": facts.get("training_flits") or "none: it comes trained",
        "data_digest": str(facts.get("training_data", ""))[:DIGEST],
        "trained_after": facts.get("previous", ""),
        "config": json.dumps(facts.get("config", {})),
    }


def ranker_origin(ranker: Stored, network: Stored) -> dict[str, Any]:
    """What data and config a version of the ranker came from."""
    facts = ranker.facts
    return {
        "kind": facts.get("ranker"),
        "network_version": network.version,
        "flits": network.facts.get("flits"),
        "candidates": facts.get("candidates"),
        "liked": facts.get("liked"),
        "reason": facts.get("reason"),
        "config": json.dumps(facts.get("config", {})),
    }


def headline_of(evaluation: pd.DataFrame) -> dict[str, float]:
    """What the feeds are worth in few figures, such as ``ndcg_at_10`` with its interval; by the
    ranker, or by the blend where nothing ranks.
    """
    method = "ranked" if (evaluation["method"] == "ranked").any() else "blend"
    found = {**quality_of(evaluation, method), **sliced(evaluation, method)}
    popularity = _row(evaluation, "popularity", LEADING)
    k = _k(evaluation)
    if popularity is not None and (name := f"{LEADING}_at_{k}") in found:
        found["above_popularity"] = found[name] - float(popularity["mean"])
    return found


def quality_of(evaluation: pd.DataFrame, method: str) -> dict[str, float]:
    """NDCG of a method's feeds with its interval, and how many feeds hit; empty if unmeasured."""
    k, found = _k(evaluation), {}
    leading, hit = (_row(evaluation, method, metric) for metric in (LEADING, HIT))
    if leading is not None:
        name = f"{LEADING}_at_{k}"
        found = {name: float(leading["mean"])}
        found |= {f"{name}_{end}": float(leading[end]) for end in ("low", "high")}
        found["birds"] = float(leading["birds"])
    if hit is not None:
        found[f"{HIT}_at_{k}"] = float(hit["mean"])
    return found


def sliced(evaluation: pd.DataFrame, method: str) -> dict[str, float]:
    """NDCG of a method's feeds by slice, such as ``ndcg_at_10/new``: one section of charts."""
    rows = evaluation[
        evaluation["by"].isin(SLICED_BY)
        & (evaluation["method"] == method)
        & (evaluation["metric"] == LEADING)
    ]
    names = f"{LEADING}_at_{_k(evaluation)}/" + rows["slice"].astype("str")
    return {str(name): float(value) for name, value in zip(names, rows["mean"], strict=True)}


def encoders_measured(
    comparison: pd.DataFrame, evaluation: pd.DataFrame, models: Mapping[str, Stored], as_of: str
) -> list[Measured]:
    """A run for each encoder, with the same names: what its feeds are worth, and what it costs."""
    best = comparison["ndcg"].max()
    return [
        Measured(
            name=" ".join(filter(None, (row["encoder"], as_of, row["version"][:8]))),
            params=_made_from(models[row["encoder"]]),
            metrics=_worth(row, evaluation, best),
            tags={KIND: ENCODER, ENCODER: row["encoder"]},
            model=f"{row['encoder']}_model",
            version=row["version"],
        )
        for row in comparison.to_dict("records")
    ]


def costs_named(row: Mapping[str, Any], k: int) -> dict[str, Any]:
    """Figures of a variant under the names that the encoders of a run have."""
    names = {
        "ndcg": f"{LEADING}_at_{k}",
        "low": f"{LEADING}_at_{k}_low",
        "high": f"{LEADING}_at_{k}_high",
        "hit_rate": f"{HIT}_at_{k}",
        "recall": f"recall_at_{k}",
        "behind": "behind_best",
        "dim": "dims",
        "bytes_per_flit": "bytes_a_vector",
        "flits_per_second": "flits_a_second",
    }
    return {names.get(name, name): value for name, value in row.items()}


def _made_from(model: Stored) -> dict[str, Any]:
    origin = {name: value for name, value in encoder_origin(model).items() if name != "config"}
    config = _flattened(model.facts.get("config", {}))
    # What all encoders have comes first, by the alphabet: pages draw the first few.
    settings = {f"settings.{name}": value for name, value in config.items()}
    return {"encoder": model.facts.get("encoder"), "version": model.version, **origin, **settings}


def _worth(row: Mapping[Any, Any], evaluation: pd.DataFrame, best: float) -> dict[str, float]:
    """A row of the comparison, under names that say their units."""
    method = f"interest_{row['encoder']}"
    figures = {
        **quality_of(evaluation, method),
        **sliced(evaluation, method),
        "behind_best": best - row["ndcg"],
        "train_seconds": row["train_seconds"],
        "flits_a_second": row["flits_per_second"],
        "bytes_a_vector": row["size_mb"] * MIB / max(1, row["flits"]),
        "dims": row["dim"],
        "flits": row["flits"],
        "index_recall_at_10": row["recall_at_10"],
        "neighbours_kept": row["overlap"],
    }
    return {name: _shortened(float(value)) for name, value in figures.items()}


def _shortened(value: float) -> float:
    """Four digits, as a page can show them; all of them stand in the table of the asset."""
    return float(f"{value:.4g}")


def _row(evaluation: pd.DataFrame, method: str, metric: str) -> pd.Series | None:
    rows = evaluation[
        (evaluation["by"] == ALL)
        & (evaluation["method"] == method)
        & (evaluation["metric"] == metric)
    ]
    return rows.iloc[0] if len(rows) else None


def _k(evaluation: pd.DataFrame) -> int:
    return int(evaluation["k"].iloc[0]) if len(evaluation) else 10
