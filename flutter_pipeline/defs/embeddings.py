"""Embeddings: for each encoder its model, and the vectors of all flits by that model."""

from dataclasses import asdict

import dagster as dg
import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.coverage import bring_up_to_date
from flutter_pipeline.adapters.encoding import Known, train_version
from flutter_pipeline.adapters.model_form import encoder_form
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.stage_run import About
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.adapters.telling import encoder_origin, flat, lessons_data
from flutter_pipeline.contracts.state import curves_of, figures_of
from flutter_pipeline.contracts.tables import CLEANED_TOKENS
from flutter_pipeline.defs.asset import (
    Made,
    Stage,
    at_least,
    at_most,
    audited_asset,
    columns_of,
    in_parts,
)
from flutter_pipeline.defs.moments import flits_to_learn_from, likes_to_learn_from
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.defs.showing import curves_shown
from flutter_pipeline.defs.streams import TableParts
from flutter_pipeline.embeddings.encoders import EncoderKind, encoder_kind
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import read_settings
from flutter_pipeline.text.cleaned import TextConfig

VECTORS = (
    at_most("not_finite", 0, "every number of every vector is finite"),
    at_most("not_unit", 0, "every vector has length 1, or is zero"),
    at_most("lacking", 0, "every flit has its vector"),
    at_most("empty_share", 0.2, "few flits are unknown to the encoder", "warning"),
)


ENGAGEMENTS = ("bird_id", "flit_id", "action", "occurred_at", "arrived_at")


def model_stage(kind: EncoderKind) -> Stage:
    """Where a model stands: below the engagements only where it is set to learn from likes."""
    section = f"encoders.{kind.name}"
    ins = columns_of("cleaned_tokens", "flit_id", "created_at", "arrived_at", kind.reads)
    if "likes" in kind.learns_from(read_settings().config(kind.config, section)):
        ins |= columns_of("raw_engagements", *ENGAGEMENTS)
    return Stage(
        "embeddings",
        frozenset(kind.packages),
        io="versions",
        expectations=(at_least("dim", 1, "its vectors have a length"),),
        section=section,
        config=kind.config,
        options={"code_version": kind.code_version, "ins": ins},
    )


def model_asset(kind: EncoderKind) -> dg.AssetsDefinition:
    """The model of one encoder."""

    def model(
        context: dg.AssetExecutionContext,
        config: BaseModel,
        cleaned_tokens: pd.DataFrame,
        data: DataFolder,
        tracking: TrackingServer,
        **liked: pd.DataFrame,
    ) -> Made:
        known = _known(cleaned_tokens, liked.get("raw_engagements"), data)
        refuse_unread_likes(kind, config, known)
        with tracking.run(context) as run:
            trained = train_version(
                kind, config, known, data.models, progress_bar(f"{kind.name} learns", "steps")
            )
            stored = trained.stored
            figures = {
                **{name: stored.facts[name] for name in ("dim", "train_seconds", "training_flits")},
                **figures_of(stored.state),
            }
            made_from = {
                "version": stored.version,
                "training_data": stored.facts["training_data"],
            }
            run.name_after(stored.version)
            run.log({**flat(config), **made_from}, figures, curves_of(stored.state))
            run.log_data(*lessons_data(stored, CLEANED_TOKENS))
            text = data.settings.config(TextConfig, "text")
            about = About(kind.title, encoder_origin(stored), encoder_form(stored, text))
            run.register(stored, data.models.keep(stored), about)
        facts = {**figures, "version": stored.version, "reused": trained.reused}
        return Made(stored, facts, {"mlflow_run": run_link(run), **curves_shown(stored.state)})

    model.__doc__ = f"{kind.title} Has learnt only from before the backtest's test days."
    return audited_asset(model_stage(kind), f"{kind.name}_model")(model)


def refuse_unread_likes(kind: EncoderKind, config: BaseModel, known: Known) -> None:
    """ConfigError where the config of one run asks for likes that the graph does not lead here."""
    if known.likes is None and "likes" in kind.learns_from(config):
        raise ConfigError(
            f"{kind.name}_model is asked to learn from likes, and does not stand below them in the "
            f"graph; ask for it in [encoders.{kind.name}] of flutter.toml rather than in one run"
        )


def _known(
    cleaned_tokens: pd.DataFrame, raw_engagements: pd.DataFrame | None, data: DataFolder
) -> Known:
    """What may be learnt from of the tables that were read."""
    flits = flits_to_learn_from(cleaned_tokens, data.tables, data.settings)
    if raw_engagements is None:
        return Known(flits)
    return Known(flits, likes_to_learn_from(raw_engagements, data.tables, data.settings))


def embeddings_asset(kind: EncoderKind) -> dg.AssetsDefinition:
    """The vectors of all flits by that model."""
    stage = Stage(
        "embeddings",
        frozenset(kind.packages),
        io="embeddings",
        expectations=VECTORS,
        options={
            "ins": {
                "model": dg.AssetIn(f"{kind.name}_model"),
                **in_parts("cleaned_tokens"),
            }
        },
    )

    def embeddings(model: Stored, cleaned_tokens: TableParts, data: DataFolder) -> Made:
        table = (cleaned_tokens.store, cleaned_tokens.name)
        new = bring_up_to_date(model, table, data.embeddings, progress_bar(kind.name))
        stored, encoded = new.embeddings, new.encoded
        for serving in _other_versions(kind, model, data):
            bar = progress_bar(f"{kind.name}, as it serves")
            bring_up_to_date(serving, table, data.embeddings, bar)
        facts = {
            **asdict(encoded),
            "lacking": new.lacking,
            "empty_share": encoded.empty / max(1, encoded.encoded),
            "flits_per_second": encoded.encoded / max(1e-9, encoded.encoding_seconds),
            "flits": len(stored),
            "dim": stored.dim,
            "size_mb": stored.size_bytes / 2**20,
            "numbers": stored.numbers,
            "version": model.version,
        }
        return Made(stored, facts)

    embeddings.__doc__ = (
        f"One unit vector for each flit by `{kind.name}_model`; only new flits are encoded. Where "
        "another version serves, it is kept up to date beside the new one."
    )
    return audited_asset(stage, f"{kind.name}_embeddings")(embeddings)


def _other_versions(kind: EncoderKind, model: Stored, data: DataFolder) -> list[Stored]:
    """The version that serves, where that is another than ``model``."""
    champion = data.releases.champion()
    version = champion.encoders.get(kind.name) if champion is not None else None
    name = f"{kind.name}_model"
    if version in (None, model.version) or not data.models.has(name, version):
        return []
    return [data.models.open(name, version)]


KINDS = [encoder_kind(name) for name in read_settings().use_encoders]
assets = [make(kind) for kind in KINDS for make in (model_asset, embeddings_asset)]
