"""What a forked process is asked to do besides the command line, and what it is misled by.

Every function is named ``module:function`` by a test and runs in a process of its own.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from flutter_pipeline.adapters.promotion import apply_champion, stores_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.settings import read_settings

ENCODER, VERSION = "lsa", "v1"
DIM = 8
MAX_PARTS = 2
"""So few that an append soon folds the parts into one."""


def store_of(data: str | Path) -> EmbeddingStore:
    """The embeddings of a data folder."""
    return EmbeddingStore(Path(data) / "embeddings", max_parts=MAX_PARTS)


def vectors_of(ids: list[str]) -> np.ndarray:
    """A unit vector that an id alone decides."""
    numbers = [np.random.default_rng(int(name[1:])).normal(size=DIM) for name in ids]
    rows = np.array(numbers, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def create(data: str) -> None:
    """A version of two parts."""
    store = store_of(data)
    store.create(ENCODER, VERSION, DIM, {"encoder": ENCODER})
    append(data, "0", "50")
    append(data, "50", "90")


def append(data: str, first: str, last: str) -> None:
    """Append what is missing of the flits with these numbers."""
    store = store_of(data)
    ids = [f"f{number}" for number in range(int(first), int(last))]
    missing = list(store.open(ENCODER, VERSION).missing(ids))
    store.append(ENCODER, VERSION, [(missing, vectors_of(missing))] if missing else [])


def compact(data: str) -> None:
    """Fold the parts into one."""
    store_of(data).compact(ENCODER, VERSION)


def second_release(data: str) -> None:
    """Promote a release of the same models with other weights, so that there is a way back."""
    stores = stores_of(Path(data))
    now = stores.releases.champion()
    assert now is not None
    even = {source: 1 / len(now.weights) for source in now.weights}
    other = replace(now, weights=even)
    stores.releases.keep(other, {"reason": "made by hand"})
    assert stores.releases.promote(other.id, now.id)
    apply_champion(stores)


def finish_rollback(data: str, before: str) -> None:
    """Go back where that was cut off before it counted; and, as each run does, go on from there."""
    stores = stores_of(Path(data))
    if stores.releases.aliases().champion == before:
        stores.releases.rollback()
    apply_champion(stores)


def shift_clock(seconds: str, after_calls: str = "0") -> None:
    """From that call on, the clock is wrong by so many seconds: for Python, not for files."""
    shift, calls = float(seconds), int(after_calls)
    real, real_ns = time.time, time.time_ns
    asked = 0

    def shifted() -> float:
        nonlocal asked
        asked += 1
        return shift if asked > calls else 0.0

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(real() + shifted(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(real() + shifted(), UTC).replace(tzinfo=None)

    time.time = lambda: real() + shifted()
    time.time_ns = lambda: real_ns() + int(shifted() * 1e9)
    for name, module in list(sys.modules.items()):
        if name.startswith("flutter_pipeline") and getattr(module, "datetime", None) is datetime:
            vars(module)["datetime"] = Shifted


def tick() -> None:
    """Print the run keys that the sensors ask for, as JSON."""
    from flutter_pipeline.adapters.instance import opened_instance, prepare_instance
    from flutter_pipeline.defs.automation import days_that_changed, landed_files

    settings = read_settings()
    prepare_instance(settings)
    asked: dict[str, str | None] = {}
    with opened_instance(settings) as instance:
        for sensor in (landed_files, days_that_changed):
            context = dg.build_sensor_context(instance=instance, cursor=None)
            found = sensor(context)
            asked[sensor.name] = found.run_key if isinstance(found, dg.RunRequest) else None
    sys.stdout.write(json.dumps(asked) + "\n")
