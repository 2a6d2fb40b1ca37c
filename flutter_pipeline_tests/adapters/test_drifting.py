import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.drift_pictures import picture_of_drift, picture_of_topics
from flutter_pipeline.adapters.drifting import Days, drift_report_of, known_report
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.contracts.drift import DRIFT_REPORT, TOO_FEW
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.text.near_copies import NearCopyConfig
from flutter_pipeline_tests.drift.small_days import CONFIG, day_of

NUMBERS = range(1, 15)


def engagements_of(counts: pd.DataFrame) -> pd.DataFrame:
    """A row an engagement, as they are stored."""
    long = counts.melt("bird_id", value_vars=list(ACTIONS), var_name="action")
    return long.loc[long.index.repeat(long["value"]), ["bird_id", "action"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen days, stored as a run would."""
    root = tmp_path_factory.mktemp("drifting")
    tables, store = TableStore(root / "tables"), EmbeddingStore(root / "embeddings")
    days = [day_of(number) for number in NUMBERS]
    tables.write("cleaned_tokens", {one.day: one.flits for one in days})
    tables.write("raw_engagements", {one.day: engagements_of(one.engagements) for one in days})
    store.create("enc", "v1", 8, {})
    for one in days:
        store.append("enc", "v1", [(one.flits["flit_id"].to_list(), one.vectors["enc"])])
    for one in days:
        tables.write("raw_flits", {one.day: one.flits[["flit_id"]]}, {one.day: f"of {one.day}"})
    return root


def days(folder: Path) -> Days:
    vectors = EmbeddingStore(folder / "embeddings").open("enc", "v1")
    return Days(TableStore(folder / "tables"), {"enc": vectors}, CONFIG, NearCopyConfig())


def test_a_window_holds_what_was_stored(folder: Path):
    window = days(folder).window("2026-02-03", ["2026-02-01", "2026-02-02"])
    made = [day_of(number) for number in (1, 2, 3)]
    assert window.flits["day"].value_counts().to_dict() == {one.day: 60 for one in made}
    expected = np.concatenate([one.vectors["enc"] for one in made])
    np.testing.assert_array_equal(window.vectors["enc"], expected)
    totals = window.engagements[list(ACTIONS)].sum()
    counts = np.concatenate([one.engagements[list(ACTIONS)].to_numpy() for one in made])
    assert totals.to_list() == counts.sum(axis=0).tolist()


def test_a_day_is_read_once(folder: Path, monkeypatch):
    reads = []
    read = TableStore.read

    def counted(self, name, keys=None, columns=None):
        reads.append((name, *(keys or ())))
        return read(self, name, keys, columns)

    monkeypatch.setattr(TableStore, "read", counted)
    drift_report_of(days(folder))
    assert len(reads) == len(set(reads))
    # Never a whole table.
    assert {len(one) for one in reads} == {2}


def test_only_what_changed_is_compared_and_it_is_kept_by_origin(folder: Path, tmp_path: Path):
    folder = shutil.copytree(folder, tmp_path / "copy")
    tables = TableStore(folder / "tables")
    first = drift_report_of(days(folder))
    assert set(first["day"]) == {f"2026-02-{number:02d}" for number in range(2, 15)}
    tables.write("drift_report", {WHOLE: first})
    again = days(folder)
    pd.testing.assert_frame_equal(drift_report_of(again), known_report(tables))
    assert again.read == {}
    tables.write(
        "raw_flits", {"2026-02-14": tables.read("raw_flits", ["2026-02-14"])}, {"2026-02-14": "new"}
    )
    late = days(folder)
    report = drift_report_of(late)
    assert max(late.read) == "2026-02-14" and len(late.read) == 1 + CONFIG.window
    columns = [name for name in DRIFT_REPORT.names if name != "origin"]
    pd.testing.assert_frame_equal(report[columns], first[columns])


def test_a_report_of_an_earlier_release_is_made_anew(folder: Path, tmp_path: Path):
    folder = shutil.copytree(folder, tmp_path / "copy")
    first = drift_report_of(days(folder))
    older = first.drop(columns="counts_as")
    TableStore(folder / "tables").write("drift_report", {WHOLE: older})
    pd.testing.assert_frame_equal(drift_report_of(days(folder)), first)


def test_a_day_on_which_nobody_engaged_is_compared_by_its_flits(folder: Path, tmp_path: Path):
    folder = shutil.copytree(folder, tmp_path / "copy")
    tables = TableStore(folder / "tables")
    day = "2026-02-14"
    tables.write("raw_engagements", {day: tables.read("raw_engagements", [day]).iloc[:0]})
    report = drift_report_of(days(folder))
    measures = set(report.loc[report["day"] == day, "measure"])
    assert "tokens" in measures and "engagements" not in measures
    # Nor is it in the way where its part is not there at all.
    tables.publish("raw_engagements", {"2026-02-01": tables.parts("raw_engagements")["2026-02-01"]})
    assert days(folder).window(day, ["2026-02-13"]).engagements.empty


def test_nothing_published_is_no_report(tmp_path: Path):
    nothing = Days(TableStore(tmp_path), {}, CONFIG, NearCopyConfig())
    assert drift_report_of(nothing).empty


def test_pictures_are_drawn_of_much_and_of_nothing(folder: Path):
    report = drift_report_of(days(folder))
    first = picture_of_drift(report)
    assert first.startswith(b"\x89PNG") and first == picture_of_drift(report)
    too_few = report[report["said"] == TOO_FEW]
    assert picture_of_drift(too_few).startswith(b"\x89PNG")
    assert picture_of_drift(DRIFT_REPORT.empty()).startswith(b"\x89PNG")
    shares = pd.DataFrame(
        {"topic": ["owls $5$", "crows"], "before": [0.5, 0.5], "today": [0.9, 0.1]}
    )
    assert picture_of_topics(shares).startswith(b"\x89PNG")


def test_topics_are_told_of_a_day_that_was_compared(folder: Path):
    some = days(folder)
    assert some.topics("2026-02-14").empty
    some.window("2026-02-14", ["2026-02-12", "2026-02-13"])
    found = some.topics("2026-02-14")
    assert found["before"].sum() == pytest.approx(1) and found["today"].sum() == pytest.approx(1)
