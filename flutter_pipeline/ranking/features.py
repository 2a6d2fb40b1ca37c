"""What a ranker may look at: one row of numbers for each candidate, as of the candidate's moment.

Everything comes from the candidate table and from a :class:`History`, so nothing here can see past
the moment. Knows no labels and no ranker. Counts enter as log(1 + n), because the hundredth like
says less than the first; rates enter as logarithms, because a logistic ranker adds up log-odds.

Follows carry no time, so they count as known at every moment.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.birds.history import DAY, Engagements, FloatArray, History, IntArray
from flutter_pipeline.candidates.merge import SIGNAL
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.errors import VersionError
from flutter_pipeline.ranking.followed import likes_of_followed, written_by_followed
from flutter_pipeline.ranking.pairs import found_in, pair_keys, times_in

PRIOR_SHOWN = 20.0
"""Showings that the network-wide like rate counts for, beside a flit's or an author's own."""

PRIOR_LIKES = 1.0
"""Likes that the network-wide mix of languages counts for, beside a bird's own likes."""

RECENT = DAY
"""How far back likes are recent: they say what is about to be seen by many."""

IMPRESSION = np.array([ACTIONS.index("impression")], dtype=np.int8)

_SOURCE_PARTS = ("reciprocal_rank", "score", "proposed")
_GROUPS = {
    "fused": "blend",
    "n_sources": "blend",
    "flit_age": "flit",
    "flit_newness": "flit",
    "flit_likes": "flit",
    "flit_recent_likes": "flit",
    "flit_impressions": "flit",
    "flit_like_rate": "flit",
    "flit_length": "flit",
    "author_like_rate": "author",
    "bird_activity": "bird",
    "bird_recency": "bird",
    "author_likes": "affinity",
    "author_met": "affinity",
    "author_like_share": "affinity",
    "follows_author": "affinity",
    "followed_share": "affinity",
    "followed_liked": "affinity",
    "language_match": "affinity",
}


def feature_groups(sources: Sequence[str], signals: Sequence[str] = ()) -> dict[str, str]:
    """Each feature's group, in column order; each source is a group of its own.

    ``signals`` are columns of the candidate table, named as in
    :func:`~flutter_pipeline.candidates.merge.tell_all`; each belongs to its source.
    """
    by_source = {f"{source}_{part}": source for source in sources for part in _SOURCE_PARTS}
    # Where one source's name begins another's, the longer one is meant.
    longest = sorted(sources, key=len, reverse=True)
    told = {
        signal: next((name for name in longest if signal.startswith(f"{SIGNAL}{name}_")), "signals")
        for signal in signals
    }
    return {**by_source, **told, **_GROUPS}


def signals_of(candidates: pd.DataFrame) -> tuple[str, ...]:
    """The columns of a candidate table that hold what sources told beside their scores."""
    return tuple(name for name in candidates.columns if name.startswith(SIGNAL))


def build_features(
    candidates: pd.DataFrame, history: History, sources: Sequence[str]
) -> pd.DataFrame:
    """One float32 row for each candidate, columns as in :func:`feature_groups`, all finite.

    ``candidates`` is the wide candidate table of the history's moment. Features that say the same
    of all candidates of a bird (group "bird") do not change the order within a feed; they make the
    probabilities right.
    """
    bird = candidates["bird"].to_numpy(dtype=np.int64)
    flit = candidates["flit"].to_numpy(dtype=np.int64)
    signals = signals_of(candidates)
    columns: dict[str, NDArray] = {
        **_by_source(candidates, sources),
        **{name: candidates[name].to_numpy() for name in signals},
        **_of_flits(flit, history),
        **_of_birds(bird, history),
        **_of_affinity(bird, flit, history),
    }
    names = list(feature_groups(sources, signals))
    return pd.DataFrame(
        {name: columns[name].astype(np.float32, copy=False) for name in names},
        index=candidates.index,
    )


def _by_source(candidates: pd.DataFrame, sources: Sequence[str]) -> dict[str, NDArray]:
    """Place and score that each source gave, and how many sources agreed."""
    columns: dict[str, NDArray] = {"fused": candidates["fused"].to_numpy()}
    n_sources = np.zeros(len(candidates), dtype=np.float32)
    for source in sources:
        rank = candidates[f"rank_{source}"].to_numpy(dtype=np.float32)
        proposed = (rank > 0).astype(np.float32)
        columns[f"{source}_reciprocal_rank"] = proposed / np.maximum(rank, 1)
        columns[f"{source}_score"] = candidates[f"score_{source}"].to_numpy()
        columns[f"{source}_proposed"] = proposed
        n_sources += proposed
    columns["n_sources"] = n_sources
    return columns


def _of_flits(flit: IntArray, history: History) -> dict[str, NDArray]:
    """Age, length and reception of each flit, and how its author's flits are received."""
    network = history.network
    impressions, likes = _reception(history)
    # Some networks log no impressions; a flit was shown at least as often as it was liked.
    shown = np.maximum(impressions, likes)
    author_likes = np.bincount(network.author, weights=likes, minlength=len(network.bird_ids))
    author_shown = np.bincount(network.author, weights=shown, minlength=len(network.bird_ids))
    prior = (likes.sum() + 1) / (shown.sum() + 2)
    recent = history.likes.between(history.as_of - RECENT, history.as_of).flit
    age = history.age_in_days(flit)
    return {
        "flit_age": np.log1p(age),
        # Showings die away with age; a logarithm alone falls too slowly for the oldest.
        "flit_newness": 0.5**age,
        "flit_recent_likes": np.log1p(np.bincount(recent, minlength=len(likes)))[flit],
        "flit_likes": np.log1p(likes)[flit],
        "flit_impressions": np.log1p(impressions)[flit],
        "flit_like_rate": _log_rate(likes, shown, prior)[flit],
        "flit_length": np.log1p(network.n_tokens[flit]),
        "author_like_rate": _log_rate(author_likes, author_shown, prior)[network.author[flit]],
    }


def _reception(history: History) -> tuple[IntArray, IntArray]:
    """Impressions and likes of every flit so far, shape (F,) each."""
    n_flits = len(history.known)
    shown = history.engagements.of(IMPRESSION).flit
    return np.bincount(shown, minlength=n_flits), np.bincount(history.likes.flit, minlength=n_flits)


def _log_rate(likes: NDArray, shown: NDArray, prior: float) -> NDArray[np.float64]:
    """log of likes per showing, drawn towards ``prior`` where little was shown."""
    return np.log((likes + PRIOR_SHOWN * prior) / (shown + PRIOR_SHOWN))


def _of_birds(bird: IntArray, history: History) -> dict[str, NDArray]:
    """How much a bird has liked so far, and how lately it did anything (1: now, 0: never)."""
    n_birds = len(history.network.bird_ids)
    engagements = history.engagements
    last = np.full(n_birds, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(last, engagements.bird, engagements.occurred_at)
    ever = last > np.iinfo(np.int64).min
    idle_days = (history.as_of - np.where(ever, last, history.as_of)) / DAY
    recency = np.where(ever, 1 / (1 + idle_days), 0)
    activity = np.log1p(np.bincount(history.likes.bird, minlength=n_birds))
    return {"bird_activity": activity[bird], "bird_recency": recency[bird]}


def _of_affinity(bird: IntArray, flit: IntArray, history: History) -> dict[str, NDArray]:
    """What ties this bird to this flit: its author, and its language."""
    network = history.network
    n_birds = len(network.bird_ids)
    wanted = np.zeros(n_birds, dtype=bool)
    wanted[bird] = True
    likes = history.likes.where(wanted[history.likes.bird])
    engaged = history.engagements.where(wanted[history.engagements.bird])
    pairs = pair_keys(bird, network.author[flit], n_birds)
    follows = pair_keys(network.follower, network.followed, n_birds)
    followed = found_in(pairs, follows)
    liked = times_in(pairs, _with_authors(likes, history))
    met = times_in(pairs, _with_authors(engaged, history))
    prior = (len(likes) + 1) / (len(engaged) + 2)
    return {
        "author_likes": np.log1p(liked),
        "author_met": np.log1p(met),
        "author_like_share": np.log((liked + PRIOR_LIKES * prior) / (met + PRIOR_LIKES)),
        "follows_author": followed,
        "followed_share": followed / np.log(2 + written_by_followed(history))[bird],
        "followed_liked": np.log1p(likes_of_followed(bird, flit, history)),
        "language_match": _language_match(bird, flit, likes, history),
    }


def _with_authors(engagements: Engagements, history: History) -> IntArray:
    """The (bird, author) pair of each engagement, as a key."""
    network = history.network
    return pair_keys(engagements.bird, network.author[engagements.flit], len(network.bird_ids))


def _language_match(
    bird: IntArray, flit: IntArray, likes: Engagements, history: History
) -> FloatArray:
    """Share of the bird's likes that are in the flit's language, drawn towards everybody's."""
    network = history.network
    lang, names = pd.factorize(network.lang, use_na_sentinel=False)
    everybody = np.bincount(lang[history.likes.flit], minlength=len(names)) + 1.0
    same = times_in(
        pair_keys(bird, lang[flit], len(names)), pair_keys(likes.bird, lang[likes.flit], len(names))
    )
    all_likes = np.bincount(likes.bird, minlength=len(network.bird_ids))[bird]
    prior = (everybody / everybody.sum())[lang[flit]]
    return ((same + PRIOR_LIKES * prior) / (all_likes + PRIOR_LIKES)).astype(np.float32)


def check_features(features: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise VersionError where ``features`` misses one of ``names``."""
    missing = [name for name in names if name not in features]
    if missing:
        raise VersionError(
            f"the ranker expects {len(names)} features and misses {', '.join(missing)}; "
            "train it again on today's sources"
        )
