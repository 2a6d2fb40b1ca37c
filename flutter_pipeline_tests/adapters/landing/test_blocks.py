"""Files are read in whole lines, and a damaged gzip gives all that is before the damage."""

import gzip
from pathlib import Path

from flutter_pipeline.adapters.landing.blocks import BLOCK, Block, blocks, first_line
from flutter_pipeline.adapters.landing.limits import LandingLimits


def read(path: Path) -> list[Block]:
    return list(blocks(path, path.suffix == ".gz"))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


LINES = b"".join(b"line %d\n" % number for number in range(100_000))


def test_a_large_file_comes_in_blocks_of_whole_lines(tmp_path: Path):
    content = b"x" * 99 + b"\n"
    path = written(tmp_path / "a.csv", content * (2 * BLOCK // 100))
    found = read(path)
    assert len(found) > 1
    assert all(block.text.endswith(b"\n") for block in found)
    assert b"".join(block.text for block in found) == path.read_bytes()
    assert [block.last for block in found] == [False] * (len(found) - 1) + [True]
    assert found[-1].done == path.stat().st_size


def test_a_gzip_of_several_members_is_one_text(tmp_path: Path):
    path = written(tmp_path / "a.gz", gzip.compress(b"a\n") + gzip.compress(b"b\n") + b"\0\0")
    assert [(block.text, block.fault) for block in read(path)] == [(b"a\nb\n", None)]


def test_a_gzip_that_was_cut_short_gives_the_lines_before_the_cut(tmp_path: Path):
    packed = gzip.compress(LINES, mtime=0)
    found = read(written(tmp_path / "a.gz", packed[: len(packed) // 2]))[-1]
    assert found.fault == "the gzip stream breaks off here"
    assert found.text.count(b"\n") > 10_000
    assert LINES.startswith(found.text + found.torn)


def test_a_gzip_that_is_damaged_gives_the_lines_before_the_damage(tmp_path: Path):
    packed = bytearray(gzip.compress(LINES, mtime=0))
    middle = len(packed) // 2
    packed[middle : middle + 40] = b"\xff" * 40
    found = read(written(tmp_path / "a.gz", bytes(packed)))[-1]
    assert found.fault is not None
    assert "damaged" in found.fault
    assert found.text.count(b"\n") > 10_000


def test_a_file_that_is_no_gzip_is_damaged_from_its_start(tmp_path: Path):
    found = read(written(tmp_path / "a.gz", b"flit_id,text\n"))[-1]
    assert (found.text, found.last) == (b"", True)
    assert found.fault is not None


def test_a_line_of_endless_length_is_cut_off(tmp_path: Path):
    path = written(tmp_path / "a.csv", b"a\n" + b"x" * 3 * BLOCK + b"\nb\n")
    found = blocks(path, False, LandingLimits(row_bytes=100))
    lines = b"".join(block.text for block in found).split(b"\n")
    assert [lines[0], lines[2]] == [b"a", b"b"]
    # One more than is allowed, so that it is seen to be too long.
    assert lines[1] == b"x" * 101


def test_the_first_line_is_found_without_reading_on(tmp_path: Path):
    assert first_line(written(tmp_path / "a.csv", b"a,b\r\nc,d\n"), False) == b"a,b"
    assert first_line(written(tmp_path / "b.csv", b""), False) is None
