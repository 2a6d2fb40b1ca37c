"""The landing folder is looked through cheaply, and only what is complete is named."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.landing.intake import take_in
from flutter_pipeline.adapters.landing.mapping import Mapping, TableRule
from flutter_pipeline.adapters.landing.waiting import Waiting, waiting_files

AT_ONCE = IntakeConfig(settle_seconds=0)
BIRDS = "bird_id,geo\nb1,nz\n"


def look(data: Path, config: IntakeConfig = AT_ONCE, after: float = 0) -> Waiting:
    now = datetime.now(UTC) + timedelta(seconds=after)
    return waiting_files(data / "landing", data, config, now)


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def drop(data: Path, name: str, text: str = BIRDS) -> Path:
    path = data / "landing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_that_does_not_exist_holds_nothing(tmp_path: Path):
    assert look(tmp_path) == Waiting((), (), (), {})


def test_only_supported_files_are_ready_and_others_are_reported(tmp_path: Path):
    ignored = ("mapping.toml", ".hidden.csv", "a.csv.tmp", "a.csv.part", "a.csv~", ".git/a.csv")
    for name in ("b.csv", "sub/a.jsonl.gz", "c.xlsx", "truth.npz", *ignored):
        drop(tmp_path, name)
    found = look(tmp_path)
    assert names(found.ready) == ["b.csv", "a.jsonl.gz"]
    assert names(found.unsupported) == ["c.xlsx"]


def test_a_file_is_ready_once_it_has_been_left_alone_for_a_while(tmp_path: Path):
    path = drop(tmp_path, "a.csv")
    os.utime(path, (0, 0))
    patient = IntakeConfig(settle_seconds=60)
    early, late = look(tmp_path, patient), look(tmp_path, patient, after=61)
    assert (names(early.ready), names(early.settling)) == ([], ["a.csv"])
    assert (names(late.ready), names(late.settling)) == (["a.csv"], [])


def test_a_taken_file_is_not_ready_again_until_its_content_or_its_rules_change(tmp_path: Path):
    path = drop(tmp_path, "a.csv")
    take_in(look(tmp_path).ready, tmp_path, AT_ONCE, datetime.now(UTC))
    assert look(tmp_path).ready == ()
    other = Mapping(table=(TableRule(table="birds", files="b*"),))
    assert look(tmp_path, IntakeConfig(settle_seconds=0, mapping=other)).ready == ()
    own = Mapping(table=(TableRule(table="birds", files="a*"),))
    assert names(look(tmp_path, IntakeConfig(settle_seconds=0, mapping=own)).ready) == ["a.csv"]
    path.write_text(BIRDS + "b2,au\n")
    assert names(look(tmp_path).ready) == ["a.csv"]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path):
    path = drop(tmp_path, "a.csv")
    before = look(tmp_path).digests[path]
    cache = tmp_path / "intake" / "hashes.json"
    kept = json.loads(cache.read_text())
    kept[str(path)][1] = "remembered"
    cache.write_text(json.dumps(kept))
    assert look(tmp_path).digests[path] == "remembered"
    cache.write_text("{broken")
    assert look(tmp_path).digests[path] == before


def test_a_file_from_before_the_clock_was_set_back_does_not_wait_for_the_clock(tmp_path: Path):
    drop(tmp_path, "a.csv")
    patient = IntakeConfig(settle_seconds=60)
    assert names(look(tmp_path, patient, after=-30).settling) == ["a.csv"]
    assert names(look(tmp_path, patient, after=-24 * 3600).ready) == ["a.csv"]


def test_a_link_that_leads_out_of_the_folder_is_not_followed_unless_it_may_be(tmp_path: Path):
    inside = drop(tmp_path, "inside.csv")
    outside = tmp_path / "secret.csv"
    outside.write_text(BIRDS)
    (tmp_path / "landing" / "out.csv").symlink_to(outside)
    (tmp_path / "landing" / "in.csv").symlink_to(inside)
    (tmp_path / "landing" / "nowhere.csv").symlink_to(tmp_path / "gone.csv")
    (tmp_path / "landing" / "folder").symlink_to(tmp_path)
    found = look(tmp_path)
    assert names(found.ready) == ["in.csv", "inside.csv"]
    assert [path.name for path in found.refused] == ["out.csv"]
    assert "a link that leads out of" in next(iter(found.refused.values()))
    may = AT_ONCE.model_copy(update={"follow_links": True})
    assert names(look(tmp_path, may).ready) == ["in.csv", "inside.csv", "out.csv"]


def test_what_is_no_file_or_too_large_is_left_alone(tmp_path: Path):
    drop(tmp_path, "a.csv")
    os.mkfifo(tmp_path / "landing" / "pipe.csv")
    (tmp_path / "landing" / "folder.csv").mkdir()
    # Takes no room on the disk; to read it would take hours.
    os.truncate(drop(tmp_path, "huge.csv"), 1 << 42)
    found = look(tmp_path)
    assert names(found.ready) == ["a.csv"]
    (reason,) = found.refused.values()
    assert reason.endswith(
        "the file has 4,398,046,511,104 bytes; allowed are 34,359,738,368 (`file_bytes` in "
        "[intake.limits])"
    )


def test_a_file_that_may_not_be_read_is_told_and_the_others_stay(tmp_path: Path, monkeypatch):
    locked = drop(tmp_path, "locked.csv")
    drop(tmp_path, "open.csv")
    # Whoever runs the tests may well be allowed to read everything.
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked)
    found = look(tmp_path)
    assert names(found.ready) == ["open.csv"]
    assert found.refused[locked].endswith("not readable; grant the right to read it")
