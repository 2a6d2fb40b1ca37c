"""The daily loop in the real daemon: files are dropped, nobody clicks, and feeds follow.

One story, told in one test because each day goes on from the one before.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from flutter_pipeline.adapters.landing.landed import books_so_far
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline_tests.daily_loop import Producer, Served, Webhook, served, webhook

SECONDS = 300
"""How long new feeds may take on a busy machine; on an idle one they take a tenth of it."""

LATE = "2026-01-09"


def test_a_folder_that_is_served_looks_after_itself(tmp_path: Path):
    with (
        webhook() as hook,
        served(tmp_path / "data", FLUTTER_WEBHOOK=hook.url) as here,
    ):
        producer = Producer.of(here.data / "landing", days=13)
        the_first_files_that_land_train_everything(here, producer)
        a_day_of_untidy_files_makes_new_feeds(here, producer)
        a_day_that_fails_its_checks_leaves_yesterdays_feeds(here, producer, hook)
        correcting_the_data_is_enough(here, producer, hook)
        assert here.failed_ticks() == []


def the_first_files_that_land_train_everything(here: Served, producer: Producer):
    flits, engagements = producer.day("2026-01-01", "2026-01-10")
    is_late = flits["created_at"].dt.strftime("%Y-%m-%d") == LATE
    producer.drop("flits.csv", flits[~is_late | (flits.index % 5 > 0)])
    producer.drop("engagements.jsonl", engagements)
    took = here.wait_until("the first feeds", lambda: here.as_of == "2026-01-11", SECONDS)
    tell(f"first feeds, with training and backtest: {took:.0f} s")


def a_day_of_untidy_files_makes_new_feeds(here: Served, producer: Producer):
    flits, engagements = producer.day("2026-01-11")
    # Out of order: what is liked comes before it; and the day's flits come in pieces.
    producer.drop("day_11_engagements.jsonl", engagements)
    producer.drop_text("broken.parquet", "this is no Parquet")
    producer.drop_text("strange.csv", "flit_id,bird_id,text,created_at\nf,b,late,yesterday\n")
    producer.copy("flits.csv", "flits_again.csv")
    producer.write_slowly("day_11.csv", flits)
    late = producer.day(LATE)[0]
    producer.drop("late.csv", late[late.index % 5 == 0])
    took = here.wait_until("feeds of day 11", lambda: here.as_of == "2026-01-12", SECONDS)
    tell(f"a day's feeds, after its last file: {took:.0f} s")
    raw = TableStore(here.data / "tables")
    here.wait_until(
        "late and slow rows are published",
        lambda: set(raw.read("raw_flits")["flit_id"]) == up_to(producer, "2026-01-11"),
        SECONDS,
    )
    code, status = here.status()
    intake = status["intake"]
    assert books_so_far(here.data).balance
    # A broken file counts as one refused row, and the time "yesterday" is no time.
    assert intake["quarantined"] == 2 == sum(intake["reasons"].values())
    assert code == 0 and status["healthy"], status["problems"]
    assert {tick["name"] for tick in status["ticks"]} >= {"landed_files", "feeds_on_time"}


def a_day_that_fails_its_checks_leaves_yesterdays_feeds(
    here: Served, producer: Producer, hook: Webhook
):
    before = here.feeds
    flits, engagements = producer.day("2026-01-12")
    producer.drop("day_12.csv", flits)
    producer.drop("day_12_engagements.jsonl", pd.concat([engagements, of_unknown_flits()]))
    here.wait_until("the check has failed", lambda: failed(here, "network"), SECONDS, True)
    here.wait_until("somebody has been told", lambda: bool(of_runs(hook)), 60, True)
    assert here.feeds.equals(before)
    code, status = here.status()
    [failing] = [check for check in status["failing_checks"] if check["blocking"]]
    assert code == 3 and failing["asset"] == "network"
    assert "most engagements have their flit" in failing["what"]
    told = {one["about"].split()[2] for one in hook.heard if one["kind"] == "refused"}
    assert told == {"broken.parquet", "strange.csv"}
    [alert] = of_runs(hook)
    assert (alert["kind"], alert["job"], alert["assets"]) == ("failed", "one_day", ["network"])
    assert alert["run"] == failing["run"] and alert["url"].startswith(here.url)


def correcting_the_data_is_enough(here: Served, producer: Producer, hook: Webhook):
    lacking = pd.DataFrame(
        {
            "flit_id": [f"lacking_{number}" for number in range(20)],
            "bird_id": "bird_00",
            "text": [f"notes on owl number {number} in the old barn" for number in range(20)],
            "created_at": "2026-01-12T01:00:00Z",
        }
    )
    producer.drop("lacking.csv", lacking)
    took = here.wait_until("feeds of day 12", lambda: here.as_of == "2026-01-13", SECONDS, True)
    tell(f"feeds after the correction: {took:.0f} s")
    here.wait_until(
        "the recovery is told", lambda: of_runs(hook)[-1]["kind"] == "recovered", 60, True
    )
    assert of_runs(hook)[-1]["about"] == of_runs(hook)[0]["run"]
    code, status = here.status()
    assert code == 0 and status["problems"] == []
    assert here.freshness_of("ranked_candidates") == "HEALTHY"
    # Nothing was made anew by hand, so nothing had to follow.
    jobs = {run["job"] for run in status["runs"]}
    assert jobs >= {"intake", "everything", "one_day"} and "__ASSET_JOB" not in jobs


def of_runs(hook: Webhook) -> list[dict[str, Any]]:
    """What was told of runs; of files that are refused, something is told, too."""
    return [one for one in hook.heard if not one["about"].startswith("landed file ")]


def up_to(producer: Producer, last: str) -> set[str]:
    return set(producer.day("2026-01-01", last)[0]["flit_id"])


def of_unknown_flits() -> pd.DataFrame:
    """More engagements than all others together, with flits that never landed."""
    rows = 8000
    return pd.DataFrame(
        {
            "bird_id": [f"bird_{number % 40:02d}" for number in range(rows)],
            "flit_id": [f"lacking_{number // 40 % 20}" for number in range(rows)],
            "action": "impression",
            "occurred_at": pd.date_range("2026-01-12T02:00:00Z", periods=rows, freq="s"),
        }
    )


def failed(here: Served, asset: str) -> bool:
    check = here.check_of(asset)
    evaluation = check["evaluation"] if check is not None else None
    return (
        evaluation is not None and not evaluation["success"] and evaluation["severity"] == "ERROR"
    )


def tell(line: str) -> None:
    """Shown by `pytest -s`: how long it takes belongs to what is promised."""
    sys.stdout.write(f"\n{line}")
