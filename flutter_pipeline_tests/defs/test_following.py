"""What is made anew by itself when somebody has made something above it anew."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from flutter_pipeline.defs.following import FOLLOWS, condition_of, freshness_of, tags_of
from flutter_pipeline.settings import Settings


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


DAYS = dg.StaticPartitionsDefinition(["monday", "tuesday"])


@dg.asset(partitions_def=DAYS, check_specs=[dg.AssetCheckSpec("fits", asset="raw", blocking=True)])
def raw(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
    """By day; its check fails where the run's tags say so, but it is there all the same."""
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(passed="refused" not in context.run.tags)


@dg.asset(deps=[raw], partitions_def=DAYS, automation_condition=FOLLOWS)
def tokens(context: dg.AssetExecutionContext) -> None:
    """By day, and follows its day; breaks where the run's tags say so."""
    if "broken" in context.run.tags:
        raise OSError("no room")


@dg.asset(deps=[tokens], automation_condition=FOLLOWS)
def feeds() -> None:
    """Of all days."""


@dg.asset(deps=[tokens])
def model() -> None:
    """Learnt; follows nobody."""


DEFINITIONS = dg.Definitions(
    assets=[raw, tokens, feeds, model],
    jobs=[dg.define_asset_job("one_day", [raw, tokens, feeds], tags=tags_of("one_day"))],
)


class Daemon:
    """Looks at the conditions as the daemon does, one tick after the other."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor = None
        self.look()

    def look(self) -> dict[str, int]:
        """By asset how many days, or wholes, are asked for now."""
        found = dg.evaluate_automation_conditions(
            defs=DEFINITIONS, instance=self.instance, cursor=self.cursor
        )
        self.cursor = found.cursor
        asked = {name: found.get_num_requested(dg.AssetKey(name)) for name in ("tokens", "feeds")}
        return {name: count for name, count in asked.items() if count}

    def make(self, *assets: dg.AssetsDefinition, day: str | None = None, **tags: str) -> None:
        """A run of some assets, by hand or by a job."""
        dg.materialize(
            [raw, tokens, feeds, model],
            selection=list(assets),
            partition_key=day,
            instance=self.instance,
            tags=tags,
            raise_on_error=False,
        )


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with dg.DagsterInstance.ephemeral() as instance:
        first = Daemon(instance)
        for day in ("monday", "tuesday"):
            first.make(raw, tokens, day=day)
        first.make(feeds)
        first.look()
        yield Daemon(instance)


def test_a_day_that_somebody_made_anew_is_followed_step_by_step(daemon: Daemon):
    assert daemon.look() == {}
    daemon.make(raw, day="monday")
    assert daemon.look() == {"tokens": 1}
    assert daemon.look() == {}
    daemon.make(tokens, day="monday")
    assert daemon.look() == {"feeds": 1}
    daemon.make(feeds)
    assert daemon.look() == {}


def test_a_run_that_makes_both_asks_for_nothing_twice(daemon: Daemon):
    daemon.make(raw, tokens, day="tuesday")
    # The feeds were not part of that run, so they follow; the tokens were.
    assert daemon.look() == {"feeds": 1}


def test_a_job_that_ends_halfway_is_not_gone_on_with(daemon: Daemon):
    job = DEFINITIONS.resolve_job_def("one_day")
    broken = {"broken": "yes"}
    job.execute_in_process(
        partition_key="monday", instance=daemon.instance, tags=broken, raise_on_error=False
    )
    assert daemon.look() == {}
    job.execute_in_process(partition_key="monday", instance=daemon.instance)
    assert daemon.look() == {}


def test_nothing_follows_what_has_failed_its_blocking_check(daemon: Daemon):
    daemon.make(raw, day="monday", refused="yes")
    assert daemon.look() == {}
    daemon.make(raw, day="monday")
    assert daemon.look() == {"tokens": 1}


def test_what_is_learnt_or_landed_follows_nobody():
    assert condition_of("cleaned_tokens", "text") is FOLLOWS
    assert condition_of("ranked_candidates", "ranking") is FOLLOWS
    assert condition_of("tfidf_model", "embeddings") is None
    assert condition_of("ranker", "ranking") is None
    assert condition_of("raw_flits", "raw") is None
    assert condition_of("offline_evaluation", "evaluation") is None


def test_feeds_are_late_after_a_day_and_a_quarter_and_overdue_after_a_day_and_a_half(tmp_path):
    daily = freshness_of("ranked_candidates", Settings(tmp_path))
    hourly = freshness_of("ranked_candidates", Settings(tmp_path, cadence="hourly"))
    assert daily == dg.FreshnessPolicy.time_window(fail_window=hours(36), warn_window=hours(30))
    assert hourly == dg.FreshnessPolicy.time_window(fail_window=hours(1.5), warn_window=hours(1.25))
    assert freshness_of("ranker", Settings(tmp_path)) is None
