"""Amazon Beauty, leave one out: who finds the flit that a bird's history ends with?

A bird's last flit is the test, the one before it the validation; all flits are ranked but those
that the bird has met, and at test time the history includes the validation flit (Zhou et al. 2020,
S3-Rec, section 4.1). Settings were chosen by NDCG@10 on validation flits.

Reviews of one day stand in the order in which they were stored, so part of what methods gain that
look at the order of likes may be an order that no bird chose.
"""

from functools import partial
from pathlib import Path

import numpy as np

from flutter_pipeline.adapters.benchmark_data import Beauty, read_beauty
from flutter_pipeline.adapters.retrieval.contest import Bars, RetrievalSet
from flutter_pipeline.collaborative.bird_neighbourhood import (
    BirdNeighbourhoodConfig,
    train_bird_neighbourhood,
)
from flutter_pipeline.collaborative.content import ContentConfig, train_content
from flutter_pipeline.collaborative.ease import EaseConfig, train_ease
from flutter_pipeline.collaborative.factorisation import FactorisationConfig, train_factorisation
from flutter_pipeline.collaborative.flit_neighbourhood import (
    FlitNeighbourhoodConfig,
    train_flit_neighbourhood,
)
from flutter_pipeline.collaborative.likes import Likes, likes_of_sequences
from flutter_pipeline.collaborative.scorer import Scorer
from flutter_pipeline.collaborative.transitions import TransitionsConfig, train_transitions
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.evaluation.ensemble import Logs, Method, ShortlistConfig
from flutter_pipeline.evaluation.full_ranking import Task
from flutter_pipeline.evaluation.learnt_order import OrderConfig
from flutter_pipeline.sequential.self_attention import SelfAttentionConfig, train_self_attention
from flutter_pipeline.sequential.two_tower import TwoTowerConfig, train_two_tower

K = 10

LEARNERS = {
    "flit neighbourhood": (
        train_flit_neighbourhood,
        FlitNeighbourhoodConfig(
            user_exponent=0.5, history_exponent=0.4, column_exponent=0.2, decay_per_like=0.7
        ),
    ),
    "bird neighbourhood": (
        train_bird_neighbourhood,
        BirdNeighbourhoodConfig(
            top_birds=100,
            user_exponent=0.3,
            history_exponent=0.5,
            column_exponent=0.15,
            decay_per_like=0.65,
            neighbour_decay=0.9,
        ),
    ),
    "transitions": (
        train_transitions,
        TransitionsConfig(max_gap=10, gap_exponent=0.75, backwards=0.3, column_exponent=0.15),
    ),
    "next": (
        train_transitions,
        TransitionsConfig(max_gap=1, column_exponent=0.2, decay_per_like=0.4),
    ),
    "ease": (train_ease, EaseConfig(ridge=200, column_exponent=0.2, decay_per_like=0.65)),
    "factorisation": (
        train_factorisation,
        FactorisationConfig(
            dim=512,
            unobserved_weight=0.01,
            ridge=0.006,
            user_exponent=0.5,
            decay_per_like=0.5,
            sweeps=6,
        ),
    ),
}
"""What learns from likes alone, and how."""


TOWERS = TwoTowerConfig(dim=128, hidden=256, dropout=0.4)


def beauty(root: Path, bars: Bars) -> RetrievalSet:
    """The set in ``root``, its titles encoded. Raises ContractError where it is not whole."""
    data = read_beauty(root)
    titles = train_bert([], BertConfig()).encode(data.titles, bars("titles", "flits"))
    return RetrievalSet(
        name="beauty",
        k=K,
        validation=without_last(data, 2),
        test=without_last(data, 1),
        methods=methods_of(titles, bars),
        shortlists=ShortlistConfig(length=200),
        order=OrderConfig(),
    )


def without_last(data: Beauty, left_out: int) -> Task:
    """Histories without the last ``left_out`` flits; the first of these is the target."""
    ends = data.starts[1:] - left_out
    histories = [data.flits[start:end] for start, end in zip(data.starts[:-1], ends, strict=True)]
    targets = [data.flits[end : end + 1] for end in ends]
    n_flits = len(data.titles)
    return Task(likes_of_sequences(histories, n_flits), likes_of_sequences(targets, n_flits))


def methods_of(titles: Matrix, bars: Bars) -> tuple[Method, ...]:
    """Everything that takes part; ``titles`` are the flits' vectors, shape (flits, dim)."""

    def of_likes(learner, config, likes: Likes) -> Scorer:
        return learner(likes, np.arange(likes.n_flits), config)

    def by_content(config: ContentConfig, likes: Likes) -> Scorer:
        return train_content(likes, titles, np.arange(likes.n_flits), config)

    def by_attention(likes: Likes) -> Scorer:
        everything, progress = np.arange(likes.n_flits), bars("self-attention", "steps")
        config = SelfAttentionConfig()
        return Logs(train_self_attention(likes, everything, config, titles, progress))

    def by_towers(likes: Likes) -> Scorer:
        everything, progress = np.arange(likes.n_flits), bars("two towers", "steps")
        return Logs(train_two_tower(likes, everything, TOWERS, titles, progress))

    return (
        *(Method(name, partial(of_likes, *learner)) for name, learner in LEARNERS.items()),
        Method("titles", partial(by_content, ContentConfig(decay_per_like=0.5))),
        Method("title of the last", partial(by_content, ContentConfig(max_likes=1))),
        Method("self-attention", by_attention),
        Method("two towers", by_towers),
    )
