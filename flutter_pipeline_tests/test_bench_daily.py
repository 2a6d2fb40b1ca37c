"""The benchmark of a day's cost, at a size at which it only shows that it works."""

import subprocess
import sys

import pytest

from flutter_pipeline_tests.conftest import PROJECT

SMALL = ["--stored", "2000", "--new", "60", "--birds", "60"]


@pytest.mark.slow
def test_everything_and_a_day_are_measured_by_asset_and_compared(tmp_path):
    command = [sys.executable, "benchmarks/bench_daily.py", *SMALL, "--keep", str(tmp_path)]
    printed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    lines = printed.stdout.splitlines()
    assets = {line.split()[0]: line.split()[1:] for line in lines if line}
    # Seconds, CPU seconds and MB of everything, and the same of the day.
    assert len(assets["candidates"]) == len(assets["ranked_candidates"]) == 6
    assert len(assets["cbow_model"]) == 3
    assert sum(line.startswith(("seconds: ", "cpu_seconds: ")) for line in lines) == 2
    again = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert again.stdout == printed.stdout
