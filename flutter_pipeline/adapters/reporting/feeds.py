"""The feeds that a report shows: of some birds the newest, and what came of a past one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.oracle import preference_of
from flutter_pipeline.adapters.ranking import ranker_of
from flutter_pipeline.adapters.reporting.past import unlearnt_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.birds.history import HOUR, History, Network, known_before, load_network
from flutter_pipeline.candidates.naming import with_codes
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.errors import VersionError
from flutter_pipeline.evaluation.past import fused_by_moment
from flutter_pipeline.filtering.feeds import FeedConfig, FeedMoment, feeds_at
from flutter_pipeline.ranking.labels import label, liked_between
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.example_feeds import (
    Example,
    Liked,
    Past,
    Served,
    Source,
    chosen_birds,
    feeds_section,
)
from flutter_pipeline.reports.section import Section
from flutter_pipeline.settings import Settings

HISTORY, PLACES = 5, 10
"""Liked flits, and places of a feed, that are shown."""
FEEDS, CANDIDATES, PAST = "ranked_candidates", "candidates", "past_candidates"


@dataclass(frozen=True)
class PastFeeds:
    """Feeds of a past moment: `bird, flit, rank, liked`, and what was liked after it by anybody."""

    when: str
    rows: pd.DataFrame
    likes: Mapping[int, int]
    """By bird (code), how many flits it liked before the next batch."""


NO_PAST = PastFeeds("", pd.DataFrame({"bird": [], "flit": []}), {})


def exemplary(settings: Settings, config: ReportConfig, release: Release, as_of: int) -> Section:
    """``config.feeds`` birds with the feeds that stand, made at ``as_of``, by ``release``."""
    tables, models = TableStore(settings.data / "tables"), VersionStore(settings.data / "models")
    network = load_network(models.current("network").state)
    history = known_before(network, as_of)
    liked = np.bincount(history.last_likes.bird, minlength=len(network.bird_ids))
    birds = chosen_birds(liked, config.feeds, config.seed)
    if not birds or not (tables.parts(FEEDS) and tables.parts(CANDIDATES)):
        return feeds_section(())
    feeds = _newest_feeds(tables, network, birds)
    past = _past_feeds(settings, release, network, birds)
    latest = {bird: _latest(history, bird) for bird in birds}
    flits = [flit for some in latest.values() for flit, _ in some]
    flits = np.unique(np.array([*flits, *feeds["flit"], *past.rows["flit"]], dtype=np.int64))
    told = _Told(network, _texts(settings, network, flits))
    truths = _truths(settings, network, feeds, as_of)
    examples = [
        Example(
            bird=str(network.bird_ids[bird]),
            likes=int(liked[bird]),
            history=[Liked(*told.of(flit), when) for flit, when in latest[bird]],
            feed=_served(feeds[feeds["bird"] == bird], told, truths),
            past=_came(past.rows[past.rows["bird"] == bird], told),
            found=past.likes.get(bird, 0),
        )
        for bird in birds
    ]
    return feeds_section(examples, past.when, _chances(models, release))


def _chances(models: VersionStore, release: Release) -> bool:
    """Whether scores by ``release`` are chances of a like; no, where its ranker is gone."""
    try:
        return not unlearnt_of(models.open("ranker", release.ranker))
    except VersionError:
        return False


@dataclass(frozen=True)
class _Told:
    """What is said of flits, by code."""

    network: Network
    texts: Mapping[int, str]

    def of(self, flit: int) -> tuple[str, str]:
        """Its text and its author."""
        return self.texts.get(flit, ""), str(self.network.bird_ids[self.network.author[flit]])


def _newest_feeds(tables: TableStore, network: Network, birds: Sequence[int]) -> pd.DataFrame:
    """The first places of the feeds that stand, with codes, and what sources gave each flit."""
    feeds = _of_birds(tables, FEEDS, network, birds)
    feeds = feeds[feeds["rank"] <= PLACES].sort_values(["bird", "rank"])
    proposed = _of_birds(tables, CANDIDATES, network, birds)
    given = [name for name in proposed if str(name).startswith(("rank_", "score_"))]
    return feeds.merge(proposed[["bird", "flit", *given]], on=["bird", "flit"], how="left")


def _of_birds(
    tables: TableStore, name: str, network: Network, birds: Sequence[int]
) -> pd.DataFrame:
    """The rows of some birds as `bird, flit` and the rest; whole only the parts that hold any."""
    ids = network.bird_ids[list(birds)]
    found = []
    for key in tables.parts(name):
        mine = tables.read(name, [key], ["bird_id"])["bird_id"].isin(ids)
        if mine.any():
            found.append(tables.read(name, [key])[mine])
    rows = pd.concat(found) if found else tables.read(name, [])
    coded = {
        "bird": network.bird_codes(rows["bird_id"].astype("str")),
        "flit": network.flit_codes(rows["flit_id"].astype("str")),
    }
    return rows.drop(columns=["bird_id", "flit_id"]).assign(**coded)


def _latest(history: History, bird: int) -> list[tuple[int, str]]:
    """The flits that a bird liked last, newest first, and when."""
    likes = history.last_likes
    places = np.flatnonzero(likes.bird == bird)[:HISTORY]
    when = pd.to_datetime(likes.occurred_at[places], unit="us").strftime("%Y-%m-%d")
    return list(zip(likes.flit[places].tolist(), when, strict=True))


def _texts(settings: Settings, network: Network, flits: np.ndarray) -> dict[int, str]:
    """What flits (codes) say; only the parts of their days are read."""
    days = pd.to_datetime(network.created_at[flits], unit="us", utc=True)
    keys = sorted(set(days.strftime(KEY_FORMATS[settings.cadence])))
    tables = TableStore(settings.data / "tables")
    rows = tables.read("cleaned_tokens", keys, ["flit_id", "text_clean"])
    rows = rows[rows["flit_id"].isin(network.flit_ids[flits])]
    return dict(zip(network.flit_codes(rows["flit_id"]).tolist(), rows["text_clean"], strict=True))


def _truths(
    settings: Settings, network: Network, feeds: pd.DataFrame, as_of: int
) -> dict[tuple[int, int], float]:
    """By bird and flit (codes) the true chance of a like before the next batch, if it is known."""
    preference = preference_of(network, settings.data, settings.cadence_hours * HOUR)
    if preference is None:
        return {}
    found = {}
    for bird in feeds["bird"].unique().tolist():
        flits = feeds.loc[feeds["bird"] == bird, "flit"].to_numpy(dtype=np.int64)
        chances = preference(np.array([bird]), flits, as_of)[0].tolist()
        found |= dict(zip([(bird, flit) for flit in flits.tolist()], chances, strict=True))
    return found


def _served(
    feed: pd.DataFrame, told: _Told, truths: Mapping[tuple[int, int], float]
) -> list[Served]:
    """One bird's feed, each flit with what proposed it."""
    best = {
        name: float(feed[name].max()) for name in feed.columns if str(name).startswith("score_")
    }
    found = []
    for row in feed.to_dict("records"):
        sources = tuple(
            Source(
                name, int(row[f"rank_{name}"]), _share(row[f"score_{name}"], best[f"score_{name}"])
            )
            for name in str(row["sources"]).split(",")
            if row.get(f"rank_{name}", 0) > 0
        )
        why = float(row["score"]), str(row["because"]), sources
        truth = truths.get((row["bird"], row["flit"]))
        found.append(Served(*told.of(row["flit"]), *why, truth))
    return found


def _share(score: float, best: float) -> float:
    return min(max(score / best, 0.0), 1.0) if best > 0 else 0.0


def _came(rows: pd.DataFrame, told: _Told) -> list[Past]:
    """One bird's past feed, and what it liked of it."""
    pairs = zip(rows["flit"].tolist(), rows["liked"].tolist(), strict=True) if len(rows) else ()
    return [Past(told.of(flit)[0], liked) for flit, liked in pairs]


def _past_feeds(
    settings: Settings, release: Release, network: Network, birds: Sequence[int]
) -> PastFeeds:
    """The feeds that ``release`` would have made at the newest past moment, and what was liked."""
    tables, models = TableStore(settings.data / "tables"), VersionStore(settings.data / "models")
    filled = [key for key, part in tables.parts(PAST).items() if part.rows]
    if not filled:
        return NO_PAST
    rows = tables.read(PAST, filled[-1:])
    moment = int(rows["moment"].max())
    rows = rows[(rows["moment"] == moment) & rows["bird_id"].isin(network.bird_ids[list(birds)])]
    if rows.empty:
        return NO_PAST
    keep = settings.config(CandidateConfig, "candidates").keep
    fused = fused_by_moment(with_codes(rows, network), (moment,), release.weights, keep)[moment]
    config = settings.config(FeedConfig, "feeds")
    vectors = None
    if config.diversity.strength:
        last = settings.use_encoders[-1]
        store = EmbeddingStore(settings.data / "embeddings")
        vectors = store.open(last, release.encoders[last]).vectors(network.flit_ids)
    moment_then = FeedMoment(known_before(network, moment), config, vectors)
    try:
        ranker = ranker_of(models.open("ranker", release.ranker))
        made = feeds_at(moment_then, fused, ranker).rows
    except VersionError:
        # What serves cannot score past candidates; the section on calibration says why.
        return NO_PAST
    made = made[made["rank"] <= PLACES][["bird", "flit", "rank"]]
    end = moment + settings.cadence_hours * HOUR
    likers, _ = liked_between(network, moment, end)
    return PastFeeds(
        when=f"{pd.Timestamp(moment, unit='us'):%Y-%m-%d %H:%M} UTC",
        rows=made.assign(liked=label(made, network, (moment, end))),
        likes=Counter(likers.tolist()),
    )
