"""How much one landed file may ask for; what lies in the landing folder is trusted with nothing.

Each limit is far above what real data needs and far below what stops a machine. In `flutter.toml`
they stand in `[intake.limits]`, where "null" switches one off. A refusal names its setting.
"""

from pydantic import BaseModel, Field

Limit = int | None

SHOWN_REASON = 600
"""Characters of a reason that are kept: enough for the words, whatever a file calls its columns."""


class LandingLimits(BaseModel, frozen=True, extra="forbid"):
    """What is refused for its size, before it takes the memory or the disk of everybody else."""

    broken_rows: Limit = Field(
        default=100_000,
        gt=0,
        description="Rows that cannot be told apart, in a file of which most are so; the rest of "
        "it is not read.",
    )
    file_bytes: Limit = Field(default=1 << 35, gt=0, description="A file as it lies on the disk.")
    unpacked_bytes: Limit = Field(
        default=1 << 36, gt=0, description="What a compressed file may unpack to."
    )
    unpacked_ratio: Limit = Field(
        default=250, gt=0, description="How many times its size a file may unpack to, past 16 MiB."
    )
    row_bytes: Limit = Field(
        default=1 << 20, gt=0, description="A row of a text file, with all its columns."
    )
    columns: Limit = Field(default=1_000, gt=0, description="Columns of a file.")
    depth: Limit = Field(
        default=64, gt=0, description="How deep the values of a JSON line may be nested."
    )
    id_characters: Limit = Field(
        default=250, gt=0, description="An id, or another short text such as a language."
    )
    row_group_bytes: Limit = Field(
        default=1 << 32, gt=0, description="A row group of a Parquet file, unpacked."
    )
    parquet_memory_bytes: Limit = Field(
        default=1 << 32,
        gt=0,
        description="Memory of the process that reads a Parquet file through before it is taken "
        "in; null: it is not read through.",
    )


USUAL_LIMITS = LandingLimits()
"""What holds where nothing is set."""


def exceeds(size: float, limit: Limit) -> bool:
    """Whether ``size`` is more than a limit that is on."""
    return limit is not None and size > limit


def too_much(found: str, limit: Limit, setting: str) -> str:
    """The sentence that refuses: what was found, what is allowed, and where to allow more."""
    return f"{found}; allowed are {limit or 0:,} (`{setting}` in [intake.limits])"


def shown(text: str, length: int = SHOWN_REASON) -> str:
    """``text`` in one line of printable characters that any terminal and any file can take.

    File names may hold line breaks, escape sequences and bytes that are no text at all.
    """
    plain = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in text[: length + 1]
    )
    return plain if len(plain) <= length else plain[:length] + "…"
