"""What every rule is, which rules are on, and the rows that a rule looks at.

A new rule is one function in the module that fits it, a switch in :class:`FilterConfig`, and one
line in ``RULES``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, Field

from flutter_pipeline.birds.history import BoolArray, History, IntArray


class FilterConfig(BaseModel, frozen=True, extra="forbid"):
    """Which rules are on, each called as in ``RULES``, and their limits."""

    own: bool = Field(default=True, description="Drop flits that the bird wrote.")
    seen: bool = Field(default=True, description="Drop flits that the bird has met in any way.")
    hidden_or_reported: bool = Field(
        default=True, description="Drop flits that the bird hid or reported, or that many reported."
    )
    blocked_author: bool = Field(
        default=True,
        description="Drop flits of authors that the bird blocked, or disliked too often, "
        "or that blocked the bird.",
    )
    language: bool = Field(
        default=True, description="Drop flits in languages that the bird neither liked nor wrote."
    )
    sensitive: bool = Field(default=True, description="Drop flits not meant for everybody.")
    spam: bool = Field(default=True, description="Drop flits that look like spam.")
    too_old: bool = Field(default=True, description="Drop flits older than `max_age_days`.")
    near_copy: bool = Field(
        default=True,
        description="Drop near-copies of a flit higher in the feed, or of one already met.",
    )
    author_cap: bool = Field(default=True, description="Keep at most `max_per_author` a feed.")
    source_cap: bool = Field(
        default=False, description="Keep at most `max_source_share` of a feed by one source."
    )
    max_age_days: float | None = Field(
        default=None,
        gt=0,
        description="Age up to which a flit is shown; null: whatever age may be proposed.",
    )
    max_per_author: int = Field(default=2, ge=1, description="Flits of one author in one feed.")
    max_source_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of a full feed that may be there because one source ranked it best.",
    )
    reports_to_remove: int = Field(
        default=10, ge=1, description="Birds whose reports take a flit out of all feeds."
    )
    dislikes_to_block: int = Field(
        default=3,
        ge=1,
        description="Flits of one author that a bird hid or reported, after which it sees none.",
    )
    likes_to_know_languages: int = Field(
        default=10, ge=1, description="Likes after which a bird's languages count as known."
    )
    author_decay: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="The n-th flit of an author in a feed counts decay^(n-1) of its score; "
        "1: off. Drops nothing.",
    )


@dataclass(frozen=True)
class Rows:
    """Parallel arrays, grouped by bird, best first within a bird; each pair once."""

    bird: IntArray
    flit: IntArray
    source: IntArray
    """Number of the source that ranked it best; -1 where none did."""
    size: int
    """Flits that a feed will hold, at most."""

    def __len__(self) -> int:
        return len(self.bird)

    def take(self, rows: BoolArray | IntArray) -> "Rows":
        """The rows at these places, in this order; or, of a mask, where it is true."""
        return Rows(self.bird[rows], self.flit[rows], self.source[rows], self.size)


Rule = Callable[[Rows, History, FilterConfig], BoolArray]
"""Of each row, whether it is to be dropped."""
