"""The tables that travel between stages, and the values that their columns may hold.

Ids are strings, times are UTC with microseconds. ``arrived_at`` is when a row became known: its
event time, or later for a row that came after its day had been stored.
"""

from flutter_pipeline.contracts.table import Column, Expectation, Severity, Table

ACTIONS = ("impression", "click", "like", "share", "reply", "hide", "report")
"""What a bird can do with a flit; an action's code is its place in this tuple."""

LIKED = ("like", "share", "reply")
"""Actions that say a bird wanted more of the same: what feeds are built from and measured by."""

DISLIKED = ("hide", "report")
"""Actions after which a flit is never shown to that bird again."""

MAX_TEXT_LENGTH = 100_000
"""Characters; a longer text is quarantined."""


def _not_null(column: str) -> Expectation:
    return Expectation(
        "column_values_to_not_be_null", {"column": column}, f"every row has a {column}"
    )


def has_rows(sentence: str, severity: Severity = "critical") -> Expectation:
    """That a table is not empty."""
    return Expectation("table_row_count_to_be_between", {"min_value": 1}, sentence, severity)


FLITS = Table(
    name="flits",
    description="Posts, each by one bird.",
    columns=(
        Column("flit_id", "str", "Names the flit; unique."),
        Column("bird_id", "str", "Its author."),
        Column("text", "str", "As it was written; may be empty."),
        Column("created_at", "time", "When it was posted, UTC."),
        Column("lang", "str", "ISO 639-1 code, where the producer knows it.", nullable=True),
        Column("reply_to", "str", "The flit that this one answers.", nullable=True),
        Column("sensitive", "bool", "Marked as not for everybody.", nullable=True),
        Column("arrived_at", "time", "When the row became known, UTC.", nullable=True),
    ),
    key=("flit_id",),
    time="created_at",
    expectations=(
        has_rows("there are flits", "warning"),
        _not_null("flit_id"),
        _not_null("bird_id"),
        _not_null("created_at"),
        Expectation(
            "column_values_to_be_unique", {"column": "flit_id"}, "every flit is stored once"
        ),
        Expectation(
            "column_value_lengths_to_be_between",
            {"column": "text", "max_value": MAX_TEXT_LENGTH},
            "no text is longer than the contract allows",
        ),
        Expectation(
            "column_value_lengths_to_be_between",
            {"column": "text", "min_value": 1, "mostly": 0.99},
            "hardly any flit is empty",
            severity="warning",
        ),
    ),
)

ENGAGEMENTS = Table(
    name="engagements",
    description="What birds did with flits, one row an action.",
    columns=(
        Column("bird_id", "str", "Who acted."),
        Column("flit_id", "str", "On which flit."),
        Column("action", "str", "One of " + ", ".join(ACTIONS) + "."),
        Column("occurred_at", "time", "When, UTC."),
        Column("position", "int32", "Place in the feed where it was shown, from 1.", nullable=True),
        Column("arrived_at", "time", "When the row became known, UTC.", nullable=True),
    ),
    key=("bird_id", "flit_id", "action", "occurred_at"),
    time="occurred_at",
    expectations=(
        has_rows("there are engagements", "warning"),
        _not_null("bird_id"),
        _not_null("flit_id"),
        _not_null("occurred_at"),
        Expectation(
            "column_values_to_be_in_set",
            {"column": "action", "value_set": list(ACTIONS)},
            "every action is a known one",
        ),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["bird_id", "flit_id", "action", "occurred_at"]},
            "every engagement is stored once",
        ),
    ),
)

BIRDS = Table(
    name="birds",
    description="What is known of birds beyond what they do. Optional.",
    columns=(
        Column("bird_id", "str", "Names the bird; unique."),
        Column("geo", "str", "Country code.", nullable=True),
        Column("joined_at", "time", "When the bird joined, UTC.", nullable=True),
    ),
    key=("bird_id",),
    expectations=(
        _not_null("bird_id"),
        Expectation(
            "column_values_to_be_unique", {"column": "bird_id"}, "every bird is stored once"
        ),
    ),
)

FOLLOWS = Table(
    name="follows",
    description="Which bird follows which. Optional.",
    columns=(
        Column("bird_id", "str", "The follower."),
        Column("follows_id", "str", "The bird that is followed."),
    ),
    key=("bird_id", "follows_id"),
    expectations=(
        _not_null("bird_id"),
        _not_null("follows_id"),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["bird_id", "follows_id"]},
            "every follow is stored once",
        ),
    ),
)

BLOCKS = Table(
    name="blocks",
    description="Which bird wants to see nothing of which other. Optional.",
    columns=(
        Column("bird_id", "str", "The one who blocks."),
        Column("blocks_id", "str", "The bird that is blocked."),
    ),
    key=("bird_id", "blocks_id"),
    expectations=(
        _not_null("bird_id"),
        _not_null("blocks_id"),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["bird_id", "blocks_id"]},
            "every block is stored once",
        ),
    ),
)

LANDED = {table.name: table for table in (FLITS, ENGAGEMENTS, BIRDS, FOLLOWS, BLOCKS)}
"""The tables that a user may drop into the landing folder, by name."""

CLEANED_TOKENS = Table(
    name="cleaned_tokens",
    description="Every flit's text made ready: for BERT as clean text, for the others as tokens.",
    columns=(
        Column("flit_id", "str", "The flit."),
        Column("bird_id", "str", "Its author."),
        Column("created_at", "time", "When it was posted, UTC."),
        Column("arrived_at", "time", "When it became known, UTC."),
        Column("text_clean", "str", "Readable text without links, mentions and noise."),
        Column("tokens", "str", "Lower-case tokens, joined by single spaces; may be empty."),
        Column("n_tokens", "int32", "How many tokens."),
        Column("lang", "str", "ISO 639-1 code, or 'und' where it cannot be told."),
        Column("sensitive", "bool", "Marked as not for everybody."),
        Column("spam", "bool", "Looks like spam by the stated rules."),
        Column("minhash", "bytes", "MinHash signature; alike where texts are near-copies."),
    ),
    key=("flit_id",),
    time="created_at",
    expectations=(
        has_rows("there are flits", "warning"),
        _not_null("flit_id"),
        _not_null("text_clean"),
        _not_null("tokens"),
        _not_null("lang"),
        Expectation(
            "column_values_to_be_unique", {"column": "flit_id"}, "every flit is cleaned once"
        ),
        Expectation(
            "column_values_to_be_between",
            {"column": "n_tokens", "min_value": 1, "mostly": 0.95},
            "nearly every flit has tokens",
            severity="warning",
        ),
        Expectation(
            "column_values_to_be_in_set",
            {"column": "spam", "value_set": [False], "mostly": 0.8},
            "spam is rare",
            severity="warning",
        ),
    ),
)

RANKED_CANDIDATES = Table(
    name="ranked_candidates",
    description="The feeds: for every bird the flits that it will see, best first.",
    columns=(
        Column("bird_id", "str", "Whose feed."),
        Column("rank", "int32", "Place in the feed, from 1."),
        Column("flit_id", "str", "The flit."),
        Column("score", "float32", "The ranker's score, or the drawn chance of a tried flit."),
        Column("sources", "str", "What proposed it, joined by commas."),
        Column("because", "str", "Why, in words."),
        Column("as_of", "time", "The moment whose knowledge was used, UTC."),
        Column("encoder", "str", "The encoder that placed it best, where one did.", nullable=True),
        Column("embedding_version", "str", "That encoder's version.", nullable=True),
        Column("ranker_version", "str", "The ranker's version."),
    ),
    key=("bird_id", "rank"),
    expectations=(
        has_rows("there are feeds"),
        _not_null("flit_id"),
        _not_null("because"),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["bird_id", "flit_id"]},
            "no feed shows a flit twice",
        ),
        Expectation(
            "compound_columns_to_be_unique",
            {"column_list": ["bird_id", "rank"]},
            "every place in a feed is taken once",
        ),
        Expectation(
            "column_values_to_be_between",
            {"column": "score", "min_value": 0.0, "max_value": 1.0},
            "every score is a probability",
        ),
    ),
)
