"""How old an asset may become, and what makes it anew when something above it has changed.

The sensors in ``automation`` turn files into feeds: they know what has landed, and make one run of
it. What they do not see is a change that a person makes in the middle, such as a day of
``raw_flits`` or an encoder's model materialised by hand, or backfilled from the pages. For that
each asset of the daily run carries an automation condition: it follows what it is made of once
that has passed its blocking checks, and never beside a run that makes both. What is learnt follows
nobody: training has its own schedule.
"""

from datetime import timedelta

import dagster as dg

from flutter_pipeline.adapters.freshness import windows
from flutter_pipeline.adapters.landing.landed import look_seconds
from flutter_pipeline.settings import Settings, read_settings

LOOK_SECONDS = look_seconds(read_settings())
"""Seconds between two looks of a sensor."""

LEARNT = (
    *(f"{name}_model" for name in read_settings().use_encoders),
    "past_candidates",
    "source_weights",
    "ranker",
    "champion",
)
"""Assets that only training makes."""

DAILY = ("text", "history", "embeddings", "index", "birds", "candidates", "ranking")
"""Groups whose assets follow the data."""

OF_A_JOB = "flutter/job"
"""A tag of runs that make everything below what they make, or stop where a check fails."""

CHANGED_BY_HAND = (
    dg.AutomationCondition.newly_updated()
    & ~dg.AutomationCondition.executed_with_root_target()
    # A job's run has no list of its assets, by which Dagster would know that it makes this one.
    & ~dg.AutomationCondition.all_new_updates_have_run_tags(tag_keys={OF_A_JOB})
).with_label("changed_by_hand")

FOLLOWS = (
    dg.AutomationCondition.any_deps_match(
        CHANGED_BY_HAND | dg.AutomationCondition.will_be_requested()
    ).since_last_handled()
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("follows_changes_by_hand")


def tags_of(job: str) -> dict[str, str]:
    """The tags of a job's runs."""
    return {OF_A_JOB: job}


what_follows = dg.AutomationConditionSensorDefinition(
    "what_follows",
    target=dg.AssetSelection.all(),
    # Every look at a change is kept for the pages, 60 KB an asset: seldom is enough.
    minimum_interval_seconds=4 * LOOK_SECONDS,
    description="Makes anew what is made of something that a person has made anew.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)


def condition_of(name: str, group: str) -> dg.AutomationCondition | None:
    """When an asset is made anew by itself; None where only jobs make it."""
    return FOLLOWS if group in DAILY and name not in LEARNT else None


def freshness_of(name: str, settings: Settings) -> dg.FreshnessPolicy | None:
    """How old an asset may become before the pages say so; None where nobody waits for it."""
    window = windows(settings).get(name)
    if window is None:
        return None
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=window.overdue), warn_window=timedelta(hours=window.late)
    )
