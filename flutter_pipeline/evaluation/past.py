"""Past candidates as one table, and the weights of sources that it teaches.

The table holds training and test moments alike, so that ranker, weights and backtest all work on
the same rows; which moments are for what is told by their time alone.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import FloatArray, Network
from flutter_pipeline.candidates.merge import fit_weights, fuse, merge
from flutter_pipeline.candidates.propose import CandidateConfig, source_names
from flutter_pipeline.candidates.replay import replay
from flutter_pipeline.candidates.source import Proposals
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.evaluation.metrics import Shown, ndcg
from flutter_pipeline.evaluation.split import BacktestConfig, Moments, moments
from flutter_pipeline.ranking.labels import label

FEEDS = 2000
"""Newest feeds that weights are fitted on: enough, since a handful of numbers is sought."""

NO_PROPOSALS = Proposals(
    bird=np.zeros(0, np.int64),
    flit=np.zeros(0, np.int64),
    rank=np.zeros(0, np.int64),
    score=np.zeros(0, np.float32),
    because=np.zeros(0, np.int64),
)


def moments_if_any(network: Network, as_of: int, config: BacktestConfig) -> Moments | None:
    """The moments to replay, or None where the data does not reach back far enough."""
    try:
        return moments(network, as_of, config)
    except CorpusError:
        # A network that started yesterday gets feeds all the same; only the backtest has to wait.
        return None


def past_frames(
    network: Network,
    vectors: Mapping[str, Matrix],
    as_of: int,
    configs: tuple[CandidateConfig, BacktestConfig],
    progress: Progress = no_progress,
) -> Iterator[pd.DataFrame]:
    """Wide candidate rows of one moment after the other, with `moment` first and `liked` last.

    `liked` says what the bird did in the step after the moment. One frame without rows where there
    is no moment.
    """
    candidates, config = configs
    found = moments_if_any(network, as_of, config)
    if found is None:
        none = merge(dict.fromkeys(source_names(list(vectors), candidates), NO_PROPOSALS))
        yield none.assign(moment=np.zeros(0, np.int64), liked=np.zeros(0, bool))
        return
    replays = replay(
        network, vectors, (*found.train, *found.test), (candidates, config.replay), progress
    )
    for moment, frame in replays:
        liked = label(frame, network, (moment, moment + config.step))
        past = frame.assign(moment=np.int64(moment), liked=liked)
        yield past[["moment", *past.columns.drop("moment")]]


def past_candidates_of(
    network: Network,
    vectors: Mapping[str, Matrix],
    as_of: int,
    configs: tuple[CandidateConfig, BacktestConfig],
    progress: Progress = no_progress,
) -> pd.DataFrame:
    """The rows of all moments as one table."""
    return pd.concat(past_frames(network, vectors, as_of, configs, progress), ignore_index=True)


def fused_by_moment(
    past: pd.DataFrame,
    wanted: tuple[int, ...],
    weights: Mapping[str, float],
    keep: int | None = None,
) -> dict[int, pd.DataFrame]:
    """The candidates of each wanted moment, fused; with ``keep`` only so many of each bird.

    Cut, they are what the ranker would have been given; whole, they tell what each source gave.
    """
    keep = keep or len(past)
    rows = past.drop(columns=["moment", "liked"])
    return {moment: fuse(rows[past["moment"] == moment], weights, keep) for moment in wanted}


def weights_of(table: pd.DataFrame) -> dict[str, float]:
    """The weights that a table of `source, weight` holds."""
    return dict(zip(table["source"], table["weight"], strict=True))


def sources_of(candidates: pd.DataFrame) -> tuple[str, ...]:
    """Names of the sources that a wide candidate table has ranks of."""
    ranks = [name for name in candidates.columns if name.startswith("rank_")]
    return tuple(name.removeprefix("rank_") for name in ranks)


def validated_weights(
    past: pd.DataFrame, sources: tuple[str, ...], train: tuple[int, ...], k: int
) -> dict[str, float]:
    """Weights that order the candidates of the training moments best, by NDCG@k.

    All alike where nothing was liked that a source had proposed.
    """
    rows = past[past["moment"].isin(train)]
    # Who liked nothing that was proposed has no say in the order.
    feed = rows.groupby(["moment", "bird"])["liked"]
    feed = feed.ngroup(ascending=False).where(feed.transform("any"))
    newest = np.sort(feed.dropna().unique())[:FEEDS]
    chosen = feed.isin(newest)
    if not chosen.any():
        return dict.fromkeys(sources, 1 / len(sources))
    frame = rows[chosen].assign(feed=np.unique(feed[chosen], return_inverse=True)[1])
    return fit_weights(frame, sources, ndcg_of_orders(frame, k))


def ndcg_of_orders(frame: pd.DataFrame, k: int) -> Callable[[FloatArray], float]:
    """Mean NDCG@k over the feeds of ``frame``, as a function of the scores that order its rows.

    Only the places of liked rows matter, so each is compared with the rows of its own feed, and
    nothing is sorted. Rows of one score are in order of flit.
    """
    feed = np.asarray(frame["feed"], dtype=np.int64)
    flit = frame["flit"].to_numpy()
    order = np.argsort(feed, kind="stable")
    starts = np.searchsorted(feed[order], np.arange(feed.max() + 2))
    liked = np.flatnonzero(frame["liked"].to_numpy())
    lengths = np.diff(starts)[feed[liked]]
    mine = np.repeat(liked, lengths)
    within = np.arange(len(mine)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    other = order[np.repeat(starts[feed[liked]], lengths) + within]
    wins_ties = flit[other] < flit[mine]
    number = np.repeat(np.arange(len(liked)), lengths)
    targets = np.bincount(feed[liked], minlength=len(starts) - 1)

    def mean_ndcg(fused: FloatArray) -> float:
        above = (fused[other] > fused[mine]) | ((fused[other] == fused[mine]) & wins_ties)
        rank = np.bincount(number[above], minlength=len(liked)) + 1
        in_order = np.lexsort((rank, feed[liked]))
        shown = Shown(
            bird=feed[liked][in_order],
            flit=flit[liked][in_order],
            rank=rank[in_order],
            hit=np.ones(len(liked), dtype=bool),
            targets=targets,
        )
        return float(ndcg(shown, k).mean())

    return mean_ndcg
