"""Holds the taste source to a floor on real engagements, where they are at hand."""

import os
from pathlib import Path

import pytest

from benchmarks.bench_retrieval import measure, read_sequences
from flutter_pipeline.candidates.by_taste import TasteConfig

CHOSEN = TasteConfig(
    half_age_days=None, decay_per_like=0.65, popularity_exponent=0.25, user_exponent=0.25
)
"""What the benchmark chooses on the validation flits."""

DATA = os.environ.get("FLUTTER_BENCHMARK_DATA")


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="FLUTTER_BENCHMARK_DATA names no folder of data")
def test_taste_alone_finds_the_next_flit_among_its_first_ten():
    sequences = read_sequences(Path(DATA or "") / "amazon_beauty" / "sequences.txt.gz")
    result = measure(sequences, 1, CHOSEN)
    assert result.hit_rate >= 0.080
    assert result.ndcg >= 0.046
