import time

import pytest

from flutter_pipeline.adapters.measure import measured


def test_seconds_are_those_of_the_block():
    with measured() as measure:
        assert measure.seconds == 0
        time.sleep(0.05)
    assert 0.05 <= measure.seconds < 5


def test_the_peak_is_of_memory_that_the_block_took_and_gave_back():
    with measured() as small:
        pass
    with measured() as large:
        block = bytearray(64 * 2**20)
        block[::4096] = b"x" * len(block[::4096])
        del block
    assert large.peak_mb > small.peak_mb + 40


def test_a_peak_of_the_past_is_forgotten():
    with measured() as large:
        block = bytearray(64 * 2**20)
        block[::4096] = b"x" * len(block[::4096])
        del block
    with measured() as small:
        pass
    if small.peak_mb >= large.peak_mb:
        pytest.skip("this system does not let a process forget its peak")
    assert small.peak_mb < large.peak_mb - 40


def test_work_that_fails_is_measured_too():
    with pytest.raises(ValueError, match="broke"), measured() as measure:
        time.sleep(0.01)
        raise ValueError("broke")
    assert measure.seconds >= 0.01
