"""The tables of the later stages: interests, candidates, weights, and what was measured.

Candidate tables also have, for every source, ``rank_<source>`` (from 1, 0 where it did not
propose) and ``score_<source>``; which sources there are is no part of the contract.
"""

from flutter_pipeline.contracts.table import Column, Expectation, Table
from flutter_pipeline.contracts.tables import has_rows


def _unique(*columns: str, sentence: str) -> Expectation:
    return Expectation("compound_columns_to_be_unique", {"column_list": list(columns)}, sentence)


def _between(column: str, low: float, high: float, sentence: str) -> Expectation:
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Expectation("column_values_to_be_between", arguments, sentence)


BIRD_INTERESTS = Table(
    name="bird_interests",
    description="What each bird likes, as few of the flits that it liked, by each encoder.",
    columns=(
        Column("encoder", "category", "In whose vectors the likes were clustered."),
        Column("bird_id", "category", "The bird."),
        Column("flit_id", "category", "The medoid: the liked flit that stands for the interest."),
        Column("importance", "float32", "Decayed count of the likes in it."),
        Column("n_likes", "int64", "How many likes are in it."),
        Column("weight", "float32", "What it counts beside the bird's first, 0 to 1."),
    ),
    key=("encoder", "bird_id", "flit_id"),
    expectations=(
        _unique("encoder", "bird_id", "flit_id", sentence="a flit stands for one interest"),
        _between("n_likes", 1, 1e9, "every interest rests on a like"),
    ),
)

_CANDIDATE_COLUMNS = (
    Column("bird_id", "category", "For whom."),
    Column("flit_id", "category", "What is proposed."),
    Column("because_id", "category", "The liked flit that led here, where one did.", nullable=True),
    Column("best_source", "str", "The source that ranked it best."),
    Column(
        "fused", "float32", "Weighted sum of the sources' standardised scores, higher is better."
    ),
)

CANDIDATES = Table(
    name="candidates",
    description="What the sources propose now, for every bird.",
    columns=_CANDIDATE_COLUMNS,
    key=("bird_id", "flit_id"),
    expectations=(
        has_rows("some source of `candidates.use` proposed something (`fresh` always can)"),
        _unique("bird_id", "flit_id", sentence="a flit is proposed to a bird once"),
    ),
)

PAST_CANDIDATES = Table(
    name="past_candidates",
    description="What the sources would have proposed at past moments, and what was liked then.",
    columns=(
        Column("moment", "int64", "The moment, microseconds since 1970, UTC."),
        *_CANDIDATE_COLUMNS[:-1],
        Column("liked", "bool", "Whether the bird liked it in the window after the moment."),
    ),
    key=("moment", "bird_id", "flit_id"),
    expectations=(
        _unique("moment", "bird_id", "flit_id", sentence="a flit is proposed to a bird once"),
    ),
)

SOURCE_WEIGHTS = Table(
    name="source_weights",
    description="How much each source counts when candidates are merged, learnt on past days.",
    columns=(
        Column("source", "str", "The source."),
        Column("weight", "float64", "Its weight; all add up to 1."),
    ),
    key=("source",),
    expectations=(
        has_rows("there are sources"),
        _between("weight", 0.0, 1.0, "every weight is a share"),
    ),
)

OFFLINE_EVALUATION = Table(
    name="offline_evaluation",
    description="What feeds of past days were worth, method by method, with intervals over birds.",
    columns=(
        Column("by", "str", "What the slice is cut by; 'all' for all birds."),
        Column("slice", "str", "The birds that were measured."),
        Column("method", "str", "Whose feeds: a source, the blend, the ranker, a baseline."),
        Column("metric", "str", "What was measured."),
        Column("k", "int64", "Places of the feed that count."),
        Column("mean", "float64", "Mean over birds.", nullable=True),
        Column("low", "float64", "Lower end of its interval.", nullable=True),
        Column("high", "float64", "Upper end.", nullable=True),
        Column("birds", "int64", "How many birds were measured."),
    ),
    key=("by", "slice", "method", "metric"),
    expectations=(
        has_rows("there are enough days and likes to measure by", "warning"),
        _unique("by", "slice", "method", "metric", sentence="every figure is there once"),
    ),
)

EMBEDDING_COMPARISON = Table(
    name="embedding_comparison",
    description="The encoders side by side: what their feeds are worth, and what they cost.",
    columns=(
        Column("encoder", "str", "The encoder."),
        Column("version", "str", "Its version."),
        Column("dim", "int64", "Length of a vector."),
        Column("flits", "int64", "Flits that have a vector."),
        Column("size_mb", "float64", "What the vectors take on disk, MiB."),
        Column("train_seconds", "float64", "Training, when this version was made."),
        Column("flits_per_second", "float64", "Encoding, when last measured.", nullable=True),
        Column("recall_at_10", "float64", "Of its index, against exact search."),
        Column("ndcg", "float64", "Of feeds from this encoder alone.", nullable=True),
        Column("low", "float64", "Lower end of its interval.", nullable=True),
        Column("high", "float64", "Upper end.", nullable=True),
        Column("previous", "str", "The version that served before, if stored.", nullable=True),
        Column("overlap", "float64", "Neighbours kept since then, a share.", nullable=True),
        Column("cka", "float64", "Linear CKA with it; 1 is the same geometry.", nullable=True),
        Column("residual", "float64", "Procrustes residual; 0 is a mere turn.", nullable=True),
        Column("divergence", "float64", "KL from it, nats, by neighbours.", nullable=True),
    ),
    key=("encoder",),
    expectations=(has_rows("there are encoders"),),
)
