"""Promotion: which release serves, the newly trained one or the one that served so far."""

import dagster as dg
import pandas as pd

from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.promotion import Decision, decide
from flutter_pipeline.adapters.stage_run import About, StageRun
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.birds.history import load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.contracts.state import State
from flutter_pipeline.contracts.table import Expectation
from flutter_pipeline.defs.asset import Made, Stage, audited_asset
from flutter_pipeline.defs.moments import past_days
from flutter_pipeline.defs.resources import DataFolder, TrackingServer, run_link
from flutter_pipeline.evaluation.past import weights_of
from flutter_pipeline.evaluation.promotion import PromotionConfig
from flutter_pipeline.settings import read_settings

NAMES = read_settings().use_encoders
WHAT = "What serves together: encoders, the ranker, and the weights of the sources."
SERVES = Expectation(
    "column_values_to_be_in_set",
    {"column": "challenger_serves", "value_set": [True]},
    "what was trained serves; else it waits as the challenger, see `flutter-pipeline versions`",
    severity="warning",
)


@audited_asset(
    Stage(
        "promotion",
        frozenset({"numpy", "mlflow"}),
        io="releases",
        expectations=(SERVES,),
        section="promotion",
        options={
            "ins": {name: dg.AssetIn(f"{name}_embeddings") for name in NAMES},
            # What failed its backtest's audit is not compared at all.
            "deps": ["offline_evaluation"],
        },
    )
)
def champion(
    context: dg.AssetExecutionContext,
    config: PromotionConfig,
    network: Stored,
    past_candidates: pd.DataFrame,
    source_weights: pd.DataFrame,
    ranker: Stored,
    data: DataFolder,
    tracking: TrackingServer,
    **embeddings: Embeddings,
) -> Made:
    """The release that serves: encoders, ranker and weights, pinned together.

    What was trained is the challenger. It is compared with the champion on the same past days,
    bird by bird, and serves if it is better, or not worse by the margin; else it waits.
    """
    challenger = Release(
        {name: embeddings[name].version for name in NAMES},
        ranker.version,
        weights_of(source_weights),
    )
    days = past_days(network, data.settings)
    known = load_network(network.state)
    compared_on = None if days is None else (days, with_codes(past_candidates, known))
    bar = progress_bar("champion's past days", "days")
    decision = decide(challenger, compared_on, data.stores, config, bar)
    with tracking.run(context) as run:
        _tell(run, decision, config, data)
    compared = decision.facts.get("comparison", {})
    facts = {
        "challenger": challenger.id,
        "champion_before": decision.champion or "none",
        "challenger_serves": decision.serves,
        **{name: value for name, value in compared.items() if value is not None},
    }
    metadata = {
        "mlflow_run": run_link(run),
        "reason": decision.reason,
        "release": dg.MetadataValue.json(
            {"encoders": dict(challenger.encoders), "weights": dict(challenger.weights)}
        ),
    }
    return Made(decision, facts, metadata)


def _tell(run: StageRun, decision: Decision, config: PromotionConfig, data: DataFolder) -> None:
    """The comparison as parameters, figures and artefacts; the release as a registered version."""
    release, facts = decision.challenger, decision.facts
    parts = {f"{name}_version": version for name, version in release.encoders.items()}
    made_from = {"challenger": release.id, "champion_before": decision.champion or "none"}
    numbers = {
        name: float(value)
        for name, value in facts.get("comparison", {}).items()
        if value is not None
    }
    run.name_after(release.id)
    run.tag(release=release.id)
    run.log(
        {**config.model_dump(), **made_from, **parts, "ranker_version": release.ranker},
        {**numbers, "promoted": float(decision.serves)},
    )
    run.log_json("comparison.json", facts)
    if decision.birds is not None:
        run.log_json(
            "comparison_by_bird.json",
            {str(name): list(decision.birds[name]) for name in decision.birds},
        )
    folder = data.releases.root / release.id
    if decision.champion != release.id:
        # The reason for which the champion serves stays as it was written then.
        folder = data.releases.keep(release, facts)
    made_from = {**parts, "ranker_version": release.ranker, "reason": decision.reason}
    about = About(WHAT, made_from)
    run.register(Stored("release", release.id, State({}, {})), folder, about)
