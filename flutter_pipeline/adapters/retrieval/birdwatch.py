"""Birdwatch, played day by day: notes as flits, helpful ratings as likes, feeds as they are served.

No table is published for it, so the pipeline's own stages stand side by side: each source alone,
the blend, every kind of ranker, and the baselines, on the last days, each seen from what was known
in the morning. Weights and rankers learn on the days before. The set is small and sparse: about
ten birds come by on a day, and intervals are wide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.mapping import read_mapping
from flutter_pipeline.adapters.measure import Measure, measured
from flutter_pipeline.adapters.ranking import ranker_of, train_ranker_version
from flutter_pipeline.adapters.retrieval.contest import Bars
from flutter_pipeline.adapters.retrieval.days import Days, days_of_files
from flutter_pipeline.birds.history import known_before
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.candidates.source import pool_of
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.tfidf import TfidfConfig, train_tfidf
from flutter_pipeline.errors import ContractError
from flutter_pipeline.evaluation.backtest import RANKED, Contest, backtest
from flutter_pipeline.evaluation.past import (
    fused_by_moment,
    past_candidates_of,
    sources_of,
    validated_weights,
)
from flutter_pipeline.evaluation.split import BacktestConfig, Moments, moments, trial_at
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.ranking.ranker import RANKERS, Ranker

MAPPING = Path(__file__).parents[3] / "mappings" / "birdwatch.toml"
FILES = ("notes.tsv.gz", "ratings.tsv.gz")
BACKTEST = BacktestConfig(train_moments=15, test_moments=25)
"""Few birds come by on any one day, so many days are needed to tell methods apart."""
LEARNT = tuple(name for name in RANKERS if name != "blend")


@dataclass(frozen=True)
class Played:
    """What the last days of Birdwatch were worth, by every method."""

    per_bird: pd.DataFrame
    """As a backtest gives it; each kind of ranker is a method of its own."""
    notes: dict[str, str]
    """Of each ranker that learnt nothing, why."""
    whole: Measure


def birdwatch(root: Path, bars: Bars) -> Played:
    """Play the days of the files in ``root``. Raises ContractError where they are not there."""
    files = [root / "birdwatch" / name for name in FILES]
    missing = [path for path in (*files, MAPPING) if not path.is_file()]
    if missing:
        raise ContractError(
            f"there is no {missing[0]}; name the folder that holds birdwatch/{FILES[0]} and "
            f"birdwatch/{FILES[1]}, and run from a checkout that has {MAPPING.name}"
        )
    with measured() as whole:
        days = days_of_files(files, IntakeConfig(mapping=read_mapping(MAPPING)))
        found = moments(days.network, days.as_of, BACKTEST)
        played, notes = _played(days, found, _vectors(days, found, bars), bars)
    return Played(played, notes, whole)


def _vectors(days: Days, found: Moments, bars: Bars) -> dict[str, Matrix]:
    """By the encoders that need no training but on the flits before the first test day."""
    tokens = list(days.flits["tokens"])
    before = np.flatnonzero(known_before(days.network, found.test_start).known)
    tfidf = train_tfidf([tokens[code] for code in before], TfidfConfig())
    texts = list(days.flits["text_clean"])
    bert = train_bert([], BertConfig()).encode(texts, bars("notes", "flits"))
    return {"tfidf": tfidf.encode(tokens), "bert": bert}


def _played(
    days: Days, found: Moments, vectors: Mapping[str, Matrix], bars: Bars
) -> tuple[pd.DataFrame, dict[str, str]]:
    config = CandidateConfig()
    progress = bars("past candidates", "days")
    past = past_candidates_of(days.network, vectors, days.as_of, (config, BACKTEST), progress)
    sources = sources_of(past)
    weights = validated_weights(past, sources, found.train, BACKTEST.k)
    told = fused_by_moment(past, found.train, weights, config.keep)
    candidates = fused_by_moment(past, found.test, weights)
    pools = [
        pool_of(known_before(days.network, moment), config.max_age_days) for moment in found.test
    ]
    trials = [trial_at(pool, BACKTEST) for pool in pools]
    feeds = FeedConfig()
    tables, notes = [], {}
    for kind in LEARNT:
        settings: BaseModel = RANKERS[kind].config()
        trained = train_ranker_version(days.network, told, kind, settings, BACKTEST)
        ranker: Ranker = ranker_of(trained.stored)
        if trained.reason:
            notes[kind] = trained.reason
        contest = Contest(
            sources,
            feeds.rules,
            BACKTEST,
            keep=config.keep,
            ranker=ranker,
            diversity=feeds.diversity,
            vectors=list(vectors.values())[-1],
        )
        judged = backtest(trials, candidates, contest, bars(kind, "days")).per_bird
        judged = judged if not tables else judged[judged["method"] == RANKED]
        tables.append(judged.replace({"method": {RANKED: kind}}))
    return pd.concat(tables, ignore_index=True), notes
