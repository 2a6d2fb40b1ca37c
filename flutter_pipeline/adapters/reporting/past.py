"""What past candidates tell a report: the calibration of what serves, and the reach of sources."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.birds.history import HOUR, known_before, load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.calibration import calibration, expected_calibration_error
from flutter_pipeline.evaluation.past import fused_by_moment, sources_of
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.ranking.blend import BlendRanker
from flutter_pipeline.ranking.features import build_features
from flutter_pipeline.ranking.labels import label
from flutter_pipeline.reports.source_table import REACH, reach_of
from flutter_pipeline.settings import Settings

TABLE = "past_candidates"
UNLEARNT = "No ranker serves, so the scores order the feeds and are no chances: {why}."
CHOSEN = "the settings leave the order to the blend"


@dataclass(frozen=True)
class Calibrated:
    """Bins of chances beside what was liked, and of which rows."""

    said: str
    bins: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"rows": []}))
    error: float = float("nan")
    unlearnt: str = ""
    """Why scores are no chances, where they are none."""


def calibrated(settings: Settings, release: Release | None, birds: int) -> Calibrated:
    """How true the scores of ``release`` were at the newest past moment, for some of its birds.

    That moment is one of the backtest's, so what serves has not learnt from it.
    """
    tables, models = TableStore(settings.data / "tables"), VersionStore(settings.data / "models")
    parts = tables.parts(TABLE)
    filled = [key for key, part in parts.items() if part.rows]
    if release is None or not filled:
        return Calibrated("There are too few past days to tell.")
    network = load_network(models.current("network").state)
    rows = tables.read(TABLE, filled[-1:])
    moment = int(rows["moment"].max())
    past = _some_birds(with_codes(rows[rows["moment"] == moment], network), birds)
    keep = settings.config(CandidateConfig, "candidates").keep
    fused = fused_by_moment(past, (moment,), release.weights, keep)[moment]
    try:
        stored = models.open("ranker", release.ranker)
        ranker = ranker_of(stored)
        features = build_features(fused, known_before(network, moment), sources_of(fused))
        chance = ranker.score(features)
    except VersionError as error:
        return Calibrated(f"What serves cannot score these candidates: {error}.")
    liked = label(fused, network, (moment, moment + settings.cadence_hours * HOUR))
    when = pd.Timestamp(moment, unit="us").strftime("%Y-%m-%d %H:%M")
    return Calibrated(
        f"what was proposed to {fused['bird'].nunique():,} birds at {when} UTC",
        calibration(chance, liked),
        expected_calibration_error(chance, liked),
        unlearnt_of(stored),
    )


def unlearnt_of(stored: Stored) -> str:
    """Why scores by a stored ranker are no chances of a like; empty where they are such."""
    if not isinstance(ranker_of(stored), BlendRanker):
        return ""
    return UNLEARNT.format(why=stored.facts.get("reason") or CHOSEN)


def reach(settings: Settings) -> pd.DataFrame:
    """What each source proposed, and found, at the past moments that the backtest measures."""
    tables = TableStore(settings.data / "tables")
    filled = [key for key, part in tables.parts(TABLE).items() if part.rows]
    if not filled:
        return pd.DataFrame(columns=REACH)
    tested = settings.config(BacktestConfig, "backtest").test_moments
    sources = sources_of(tables.read(TABLE, filled[:1]).head(0))
    columns = ["moment", "bird_id", "liked", *(f"rank_{name}" for name in sources)]
    rows = tables.read(TABLE, filled[-tested:], columns)
    newest = np.sort(rows["moment"].unique())[-tested:]
    return reach_of(rows[rows["moment"].isin(newest)], sources)


def _some_birds(past: pd.DataFrame, birds: int) -> pd.DataFrame:
    """The rows of so many birds, drawn evenly: early in the alphabet says nothing."""
    known = np.unique(past["bird"])
    return past[past["bird"].isin(known[:: -(-len(known) // birds)])]
