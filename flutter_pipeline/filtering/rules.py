"""The rules that a flit must pass to enter a feed, each one small function of one signature.

A rule says of every row whether it is to be dropped. Rules run in the order of ``RULES``, each on
the rows that passed those before it, so a rule that looks upwards in the feed (near-copies, the
caps) never counts a row that an earlier rule took out. Knows no scores.
"""

from flutter_pipeline.filtering.by_bird import (
    blocked_author,
    hidden_or_reported,
    language,
    own,
    seen,
)
from flutter_pipeline.filtering.by_flit import sensitive, spam, too_old
from flutter_pipeline.filtering.by_place import author_cap, near_copy, source_cap
from flutter_pipeline.filtering.rule import FilterConfig, Rule

RULES: dict[str, Rule] = {
    "own": own,
    "seen": seen,
    "hidden_or_reported": hidden_or_reported,
    "blocked_author": blocked_author,
    "language": language,
    "sensitive": sensitive,
    "spam": spam,
    "too_old": too_old,
    "near_copy": near_copy,
    "author_cap": author_cap,
    "source_cap": source_cap,
}
"""In the order in which they run: what depends on the rows above comes last."""


def switched_on(config: FilterConfig) -> dict[str, Rule]:
    """The rules that ``config`` asks for, in the order in which they run."""
    return {name: rule for name, rule in RULES.items() if getattr(config, name)}
