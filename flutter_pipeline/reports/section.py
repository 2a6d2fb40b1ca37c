"""A section of the report: what one part of the page shows, and how to read it.

It knows nothing of the page that it will stand in, nor of where its figures come from.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One part of the page; made by a pure function from frames."""

    key: str
    """The anchor: lower-case words joined by hyphens, unique on the page."""
    title: str
    """A plain noun for the navigation; text, which the page escapes."""
    lead: str
    """One or two plain sentences, what is shown and how to read it; text, escaped by the page."""
    body: str
    """HTML; whoever made it has escaped every text in it."""
