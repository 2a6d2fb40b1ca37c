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
from flutter_pipeline.evaluation.past import fused_by_moment, sources_of
from flutter_pipeline.evaluation.promotion import (
    PromotionConfig,
    Verdict,
    paired,
    ranked_ndcg,
    verdict,
)
from flutter_pipeline.evaluation.split import Trial

FIRST = "the first release"
TOO_FEW_DAYS = (
    "there are too few days to compare on yet; until there are, the newest serves, "
    "unless promotion is manual"
)


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
    """Without sources, vectors and ranker, which each release brings."""
    candidates: CandidateConfig
    leading: str
    """The encoder by whose vectors feeds are made diverse."""


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
    known: tuple[PastDays, pd.DataFrame] | None,
    stores: Stores,
    config: PromotionConfig,
    progress: Progress = no_progress,
) -> Decision:
    """Whether ``challenger`` shall serve. Without past days to compare on, the newest does.

    ``known`` are the days to compare on, if there are any, and the challenger's candidates of them.
    """
    before = stores.releases.aliases().champion
    champion = stores.releases.champion()
    settled = _without_comparison(challenger, champion, stores)
    if settled is not None or champion is None:
        return Decision(challenger, before, *(settled or (True, FIRST)))
    if known is None or not any(len(trial.birds) for trial in known[0].trials):
        return Decision(challenger, before, config.automatic, TOO_FEW_DAYS)
    days, past = known
    one = judged(challenger, days, stores, past)
    same = dict(champion.encoders) == dict(challenger.encoders)
    other = judged(champion, days, stores, past if same else None, progress)
    found = verdict(one, other, config, days.contest.config)
    serves, reason = found.good, found.reason
    if not config.automatic:
        serves, reason = False, f"promotion is manual; {reason}"
    birds = bird_by_bird(one, other, days.network)
    return Decision(challenger, before, serves, reason, found, birds)


def judged(
    release: Release,
    days: PastDays,
    stores: Stores,
    past: pd.DataFrame | None = None,
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """`moment, bird, ndcg` of the feeds that ``release`` would have made on past days.

    ``past`` are its wide candidates of these days, with codes; made here where they are None.
    """
    moments = tuple(trial.moment for trial in days.trials)
    vectors = {
        name: stores.embeddings.open(name, version).vectors(days.network.flit_ids)
        for name, version in release.encoders.items()
    }
    if past is None:
        config = days.candidates, days.contest.config.replay
        past = pd.concat(
            [
                frame.assign(moment=moment, liked=False)
                for moment, frame in replay(days.network, vectors, moments, config, progress)
            ],
            ignore_index=True,
        )
    contest = replace(
        days.contest,
        sources=sources_of(past),
        vectors=vectors[days.leading],
        ranker=ranker_of(stores.models.open("ranker", release.ranker)),
    )
    return ranked_ndcg(days.trials, fused_by_moment(past, moments, release.weights), contest)


def bird_by_bird(one: pd.DataFrame, other: pd.DataFrame, network: Network) -> pd.DataFrame:
    """`bird_id, challenger, champion` of two results of :func:`judged`."""
    birds = paired(one, other)
    birds.insert(0, "bird_id", network.bird_ids[birds.pop("bird").to_numpy(dtype="int64")])
    return birds


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
    # What is lost is passed over here: who needs it says so, and names the way out.
    for name, version in models_of(release).items():
        if stores.models.has(name, version):
            stores.models.point(name, version)
    for encoder, version in release.encoders.items():
        if version in stores.embeddings.versions(encoder):
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


def lost_parts(release: Release, stores: Stores) -> list[str]:
    """What of a release is not stored any more, such as ``ranker 40e4…``; it cannot serve then."""
    return [
        f"{name} {version}"
        for name, version in models_of(release).items()
        if not stores.models.has(name, version)
    ]


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


def _without_comparison(
    challenger: Release, champion: Release | None, stores: Stores
) -> tuple[bool, str] | None:
    """Whether the challenger serves, and why, where that needs no comparison; else None."""
    if champion is None:
        return True, FIRST
    if champion.id == challenger.id:
        return True, "the same as serves already"
    reason = _unfit(champion, challenger, stores)
    if challenger.id in stores.releases.aliases().withdrawn:
        beside = f"; {reason}" if reason else ""
        return False, f"it was rolled back from; only `versions promote` lets it serve{beside}"
    return (True, reason) if reason else None


def _unfit(champion: Release, challenger: Release, stores: Stores) -> str:
    """Why the champion can serve no longer, whatever it is worth; empty where it can."""
    if set(champion.encoders) != set(challenger.encoders):
        return "the settings use other encoders than what served"
    if set(champion.weights) != set(challenger.weights):
        return "the settings use other sources of candidates than what served"
    if lost := lost_parts(champion, stores):
        return f"what served cannot be read any more: {lost[0]} is gone"
    try:
        ranker_of(stores.models.open("ranker", champion.ranker))
    except VersionError as error:
        return f"what served cannot be read any more: {error}"
    return ""
