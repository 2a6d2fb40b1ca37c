"""Promotion: a newly trained release against the one that serves, and what follows from it.

The comparison itself is :mod:`flutter_pipeline.evaluation.promotion`; here releases are brought
back from the stores, replayed, and pointed at. Which asset asks is not known here.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import Aliases, Release, ReleaseStore
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import Network
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.candidates.replay import replay
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.backtest import Contest
from flutter_pipeline.evaluation.past import fused_by_moment
from flutter_pipeline.evaluation.promotion import (
    PromotionConfig,
    Verdict,
    paired,
    ranked_ndcg,
    verdict,
)
from flutter_pipeline.evaluation.split import Trial


@dataclass(frozen=True)
class Stores:
    """Where the parts of releases lie."""

    models: VersionStore
    embeddings: EmbeddingStore
    tables: TableStore
    releases: ReleaseStore


def stores_of(data: Path) -> Stores:
    """The stores of one data folder, to read from."""
    return Stores(
        VersionStore(data / "models"),
        EmbeddingStore(data / "embeddings"),
        TableStore(data / "tables"),
        ReleaseStore(data / "releases"),
    )


@dataclass(frozen=True)
class PastDays:
    """What releases are compared on, and what is the same for each."""

    network: Network
    trials: list[Trial]
    contest: Contest
    """Of the challenger; the champion brings its own ranker and vectors."""
    candidates: CandidateConfig
    past: pd.DataFrame
    """The challenger's wide candidates of all moments, with codes."""


@dataclass(frozen=True)
class Decision:
    """What becomes of a challenger."""

    challenger: Release
    champion: str | None
    """The release that served when this was decided."""
    serves: bool
    """Whether the challenger is to serve."""
    reason: str
    verdict: Verdict | None = None
    birds: pd.DataFrame | None = None
    """`bird_id, challenger, champion`: the comparison bird by bird."""

    @property
    def facts(self) -> dict[str, Any]:
        """All of it but the birds, as JSON has it."""
        said = asdict(self.verdict) if self.verdict is not None else {}
        numbers = {name: value for name, value in said.items() if name != "reason"}
        if self.verdict is not None:
            numbers["difference"] = self.verdict.difference
        known = {
            name: None if isinstance(value, float) and pd.isna(value) else value
            for name, value in numbers.items()
        }
        return {
            "compared_with": self.champion,
            "promoted": self.serves,
            "reason": self.reason,
            **({"comparison": known} if known else {}),
        }


def decide(
    challenger: Release,
    days: PastDays | None,
    stores: Stores,
    config: PromotionConfig,
    progress: Progress = no_progress,
) -> Decision:
    """Whether ``challenger`` shall serve. Without past days to compare on, the newest does."""
    aliases = stores.releases.aliases()
    before = aliases.champion

    def decided(serves: bool, reason: str) -> Decision:
        return Decision(challenger, before, serves, reason)

    if before is None:
        return decided(True, "the first release")
    if before == challenger.id:
        return decided(True, "the same as serves already")
    champion = stores.releases.open(before).release
    if reason := _unfit(champion, challenger, stores):
        return decided(True, reason)
    if challenger.id in aliases.withdrawn:
        return decided(False, "it was rolled back from; only `versions promote` lets it serve")
    if days is None or not any(len(trial.birds) for trial in days.trials):
        if not config.automatic:
            return decided(False, "promotion is manual, and there are too few days to compare on")
        return decided(True, "there are too few days to compare on yet: the newest serves")
    one, other = _judged(challenger, champion, days, stores, progress)
    found = verdict(one, other, config, days.contest.config)
    birds = paired(one, other)
    names = days.network.bird_ids[birds.pop("bird").astype("int64")]
    birds.insert(0, "bird_id", names)
    serves, reason = found.good, found.reason
    if not config.automatic:
        serves, reason = False, f"promotion is manual; {reason}"
    return Decision(challenger, before, serves, reason, found, birds)


def settle(decision: Decision, run_id: str, stores: Stores) -> Aliases:
    """Publish what was decided, and let the run go on with what serves now.

    Where somebody promoted or rolled back since the comparison, the challenger waits.
    """
    id_ = decision.challenger.id
    if decision.champion != id_:
        stores.releases.keep(decision.challenger, decision.facts)
        if not (decision.serves and stores.releases.promote(id_, decision.champion)):
            stores.releases.hold(id_)
    aliases = stores.releases.aliases()
    if aliases.champion is not None:
        stores.releases.pin(run_id, aliases.champion)
    apply_champion(stores)
    return aliases


def apply_champion(stores: Stores) -> None:
    """Let what is trained and measured next go on from the release that serves.

    Done again by the next run where it was cut off: the alias says whether it is due.
    """
    aliases = stores.releases.aliases()
    if aliases.applied or aliases.champion is None:
        return
    release = stores.releases.open(aliases.champion).release
    for name, version in models_of(release).items():
        stores.models.point(name, version)
    for encoder, version in release.encoders.items():
        stores.embeddings.point(encoder, version)
    weights = pd.DataFrame({"source": list(release.weights), "weight": [*release.weights.values()]})
    stores.tables.write("source_weights", {WHOLE: weights})
    stores.releases.mark_applied(aliases.champion)


def models_of(release: Release) -> dict[str, str]:
    """By name in the store of versions, and in MLflow's registry, the version of each part."""
    return {
        **{f"{encoder}_model": version for encoder, version in release.encoders.items()},
        "ranker": release.ranker,
    }


def mlflow_aliases(aliases: Aliases, releases: ReleaseStore) -> dict[str, dict[str, str | None]]:
    """By registered model its aliases, as the releases have them; None takes an alias away."""
    found: dict[str, dict[str, str | None]] = {"release": dict(aliases.named)}
    parts = {
        alias: models_of(releases.open(id_).release) if id_ is not None else {}
        for alias, id_ in aliases.named.items()
    }
    for name in sorted({name for models in parts.values() for name in models}):
        found[name] = {alias: models.get(name) for alias, models in parts.items()}
    return found


def _unfit(champion: Release, challenger: Release, stores: Stores) -> str:
    """Why the champion can serve no longer, whatever it is worth; empty where it can."""
    if set(champion.encoders) != set(challenger.encoders):
        return "the settings use other encoders than what served"
    if set(champion.weights) != set(challenger.weights):
        return "the settings use other sources of candidates than what served"
    lacking = [name for name, v in models_of(champion).items() if not stores.models.has(name, v)]
    if lacking:
        return f"what served cannot be read any more: its version of {lacking[0]} is gone"
    try:
        ranker_of(stores.models.open("ranker", champion.ranker))
    except VersionError as error:
        return f"what served cannot be read any more: {error}"
    return ""


def _judged(
    challenger: Release, champion: Release, days: PastDays, stores: Stores, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both releases on the same trials, each by its own candidates, weights and ranker."""
    moments = tuple(trial.moment for trial in days.trials)
    mine = ranked_ndcg(
        days.trials, fused_by_moment(days.past, moments, challenger.weights), days.contest
    )
    past, contest = days.past, days.contest
    if dict(champion.encoders) != dict(challenger.encoders):
        vectors = {
            name: stores.embeddings.open(name, version).vectors(days.network.flit_ids)
            for name, version in champion.encoders.items()
        }
        replays = replay(
            days.network, vectors, moments, (days.candidates, contest.config.replay), progress
        )
        past = pd.concat(
            [frame.assign(moment=moment, liked=False) for moment, frame in replays],
            ignore_index=True,
        )
        contest = replace(contest, vectors=vectors[list(challenger.encoders)[-1]])
    contest = replace(contest, ranker=ranker_of(stores.models.open("ranker", champion.ranker)))
    fused = fused_by_moment(past, moments, champion.weights)
    return mine, ranked_ndcg(days.trials, fused, contest)
