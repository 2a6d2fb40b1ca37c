import os
from pathlib import Path

import pytest

from flutter_pipeline.adapters.store import files
from flutter_pipeline.adapters.store.files import (
    publish_file,
    publish_folder,
    publish_pointer,
    read_json,
    read_manifest,
    read_pointer,
    write_json,
)
from flutter_pipeline.errors import VersionError

NO_PROCESS = 2**22 + 1  # above the highest process id that Linux gives


def saying(text: str):
    return lambda folder: (folder / "said.txt").write_text(text)


def write_whole(path: Path) -> None:
    path.write_text("whole")


def dying(folder: Path) -> None:
    (folder / "said.txt").write_text("half")
    raise KeyboardInterrupt


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_published_folder_holds_what_was_written_and_its_manifest(tmp_path):
    publish_folder(tmp_path / "a" / "v1", saying("one"), {"count": 1})
    assert (tmp_path / "a" / "v1" / "said.txt").read_text() == "one"
    assert read_manifest(tmp_path / "a" / "v1") == {"count": 1}
    assert everything_in(tmp_path) == ["a", "a/v1", "a/v1/manifest.json", "a/v1/said.txt"]


def test_a_writer_that_dies_leaves_no_folder(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        publish_folder(tmp_path / "v1", dying, {})
    assert everything_in(tmp_path) == []
    with pytest.raises(VersionError, match="nothing is published at"):
        read_manifest(tmp_path / "v1")


def test_a_writer_that_dies_while_replacing_leaves_the_old_folder(tmp_path):
    publish_folder(tmp_path / "v1", saying("one"), {"count": 1})
    with pytest.raises(KeyboardInterrupt):
        publish_folder(tmp_path / "v1", dying, {"count": 2}, replace=True)
    assert (tmp_path / "v1" / "said.txt").read_text() == "one"
    assert read_manifest(tmp_path / "v1") == {"count": 1}
    assert everything_in(tmp_path) == ["v1", "v1/manifest.json", "v1/said.txt"]


def test_publishing_again_is_refused_unless_it_is_to_replace(tmp_path):
    publish_folder(tmp_path / "v1", saying("one"), {"count": 1})
    with pytest.raises(VersionError, match="published already"):
        publish_folder(tmp_path / "v1", saying("two"), {"count": 2})
    publish_folder(tmp_path / "v1", saying("two"), {"count": 2}, replace=True)
    assert (tmp_path / "v1" / "said.txt").read_text() == "two"
    assert everything_in(tmp_path) == ["v1", "v1/manifest.json", "v1/said.txt"]


def test_replacing_works_where_folders_cannot_be_exchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    publish_folder(tmp_path / "v1", saying("one"), {"count": 1})
    publish_folder(tmp_path / "v1", saying("two"), {"count": 2}, replace=True)
    assert (tmp_path / "v1" / "said.txt").read_text() == "two"
    assert everything_in(tmp_path) == ["v1", "v1/manifest.json", "v1/said.txt"]


def test_a_folder_without_a_manifest_does_not_exist_and_gives_way(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "left.txt").write_text("by a hand")
    publish_folder(tmp_path / "v1", saying("one"), {"count": 1})
    assert everything_in(tmp_path / "v1") == ["manifest.json", "said.txt"]


def test_a_folder_in_the_making_is_not_found_by_its_manifest(tmp_path):
    seen = []

    def look(folder: Path) -> None:
        (folder / "manifest.json").write_text("{}")
        seen.extend(tmp_path.glob("*/manifest.json"))

    publish_folder(tmp_path / "v1", look, {})
    assert seen == []


def test_a_writer_that_dies_leaves_the_old_file(tmp_path):
    def half(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    publish_file(tmp_path / "a.txt", write_whole)
    with pytest.raises(KeyboardInterrupt):
        publish_file(tmp_path / "a.txt", half)
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert everything_in(tmp_path) == ["a.txt"]


def test_a_file_in_the_making_has_the_suffix_that_libraries_go_by(tmp_path):
    suffixes = []

    def note(path: Path) -> None:
        suffixes.append(path.suffix)
        path.touch()

    publish_file(tmp_path / "a.parquet", note)
    assert suffixes == [".parquet"]


def test_json_comes_back_as_it_was(tmp_path):
    value = {"ü": [1, 2.5, None, True], "b": {"c": "🐦"}}
    write_json(tmp_path / "deep" / "a.json", value)
    assert read_json(tmp_path / "deep" / "a.json") == value


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(VersionError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_a_pointer_says_what_it_was_last_told(tmp_path):
    with pytest.raises(VersionError, match="there is no"):
        read_pointer(tmp_path / "current.json")
    publish_pointer(tmp_path / "current.json", "v1")
    publish_pointer(tmp_path / "current.json", "v2")
    assert read_pointer(tmp_path / "current.json") == "v2"


def test_what_killed_writers_left_is_removed_once_it_is_old(tmp_path):
    left = tmp_path / f".tmp-{NO_PROCESS}-0a1b2c3d.v1"
    fresh = tmp_path / f".tmp-{NO_PROCESS}-4e5f6a7b.v1"
    living = tmp_path / f".tmp-{os.getpid()}-8c9d0e1f.v1"
    others = tmp_path / f".tmp-{NO_PROCESS}-0a1b2c3d.v2"
    for folder in (left, fresh, living, others):
        (folder / "v1").mkdir(parents=True)
    for folder in (left, living, others):
        os.utime(folder, (0, 0))
    publish_folder(tmp_path / "v1", saying("one"), {})
    assert not left.exists()
    assert fresh.exists() and living.exists() and others.exists()


def test_a_json_file_that_was_changed_by_hand_or_by_the_disk_is_found(tmp_path: Path):
    write_json(tmp_path / "one.json", {"version": "abc", "share": 0.1, 3: None})
    assert read_json(tmp_path / "one.json") == {"version": "abc", "share": 0.1, "3": None}
    (tmp_path / "one.json").write_text((tmp_path / "one.json").read_text().replace("abc", "abd"))
    with pytest.raises(VersionError, match=r"one\.json is damaged: its checksum differs"):
        read_json(tmp_path / "one.json")


def test_a_json_file_from_before_there_were_checksums_is_read(tmp_path: Path):
    (tmp_path / "one.json").write_text('{"version": "abc"}')
    assert read_json(tmp_path / "one.json") == {"version": "abc"}
