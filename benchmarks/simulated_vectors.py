"""Vectors of simulated flits for the benchmarks, made once and kept in a folder.

Simulation, cleaning and every section of vectors are written as soon as they are there, so that
who is cut off and comes again goes on where it ended.
"""

import os
import re
import resource
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_info

from flutter_pipeline.adapters.encoding import Known, encode_missing, train_version
from flutter_pipeline.adapters.progress import progress_bar
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.embeddings.encoders import encoder_kind
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

FLITS_PER_BIRD = 10
MIXED = 20_000
"""Real vectors that are mixed to more."""

FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")


def simulated_vectors(count: int, encoder: str, cache: Path) -> Matrix:
    """Vectors of ``count`` simulated flits in shuffled order, those of nothing left out."""
    kind = encoder_kind(encoder)
    flits = _cleaned(count, cache)
    models, store = VersionStore(cache / "models"), EmbeddingStore(cache / "embeddings")
    trained = train_version(
        kind, kind.config(), Known(flits), models, progress_bar(f"train {encoder}")
    )
    encode_missing(trained.stored, flits, store, progress_bar(encoder))
    order = np.random.default_rng(0).permutation(count)
    ids = flits["flit_id"].to_numpy(dtype=object)[order]
    vectors = store.open(encoder, trained.stored.version).vectors(ids)
    known = vectors.any(axis=1)
    return vectors if known.all() else vectors[known]


def mixed_vectors(count: int, encoder: str, cache: Path) -> Matrix:
    """``count`` vectors that lie each between two of some simulated flits, with noise.

    No stand-in for real ones, for they form fewer clusters; but there are as many as are asked for.
    """
    real = simulated_vectors(min(MIXED, count), encoder, cache)
    rng = np.random.default_rng(1)
    mixed = np.empty((count, real.shape[1]), dtype=np.float32)
    for first in range(0, count, MIXED):
        rows = mixed[first : first + MIXED]
        one, other = rng.integers(len(real), size=(2, len(rows)))
        share = rng.beta(0.5, 0.5, size=(len(rows), 1)).astype(np.float32)
        noise = rng.standard_normal(rows.shape, dtype=np.float32) * (0.3 / rows.shape[1] ** 0.5)
        rows[:] = unit_rows(share * real[one] + (1 - share) * real[other] + noise)
    return mixed


def machine() -> str:
    """What the figures depend on."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = re.findall(r"model name\s*: (.*)", cpu)[0]
    flags = re.findall(r"flags\s*: (.*)", cpu)[0].split()
    has = " ".join(flag for flag in FLAGS if flag in flags)
    threads = max([pool["num_threads"] for pool in threadpool_info()], default=1)
    return f"{name} ({has}), {threads} threads, load {os.getloadavg()[0]:.1f}"


def peak_mb() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cleaned(count: int, cache: Path) -> pd.DataFrame:
    """`flit_id, tokens, text_clean` of a simulated network, in order of time."""
    path = cache / f"flits-{count}.parquet"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        birds = max(50, count // FLITS_PER_BIRD)
        network = simulate(SimulationConfig(flits=count, birds=birds, engagements=1, seed=3))
        cleaned = clean_flits(network.flits, TextConfig())[["flit_id", "tokens", "text_clean"]]
        cleaned.to_parquet(path.with_suffix(".partial"))
        path.with_suffix(".partial").rename(path)
    return pd.read_parquet(path)
