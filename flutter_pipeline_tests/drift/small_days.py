"""Small made-up days: cheap to compare, and every one drawn in the same way."""

import numpy as np
import pandas as pd

from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import DayRows
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

WORDS = [f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
CONFIG = DriftConfig(permutations=50, window=8, history=12, topics=4, frequencies=32, components=4)


def day_of(number: int, flits: int = 60, words: list[str] = WORDS) -> DayRows:
    """The ``number``-th day: ``flits`` of eight random words each, by forty birds."""
    rng = np.random.default_rng([number, 7])
    day = f"2026-02-{number:02d}"
    cleaned = clean_flits(
        pd.DataFrame(
            {
                "flit_id": [f"{day}-{place}" for place in range(flits)],
                "bird_id": [f"b{bird}" for bird in rng.integers(40, size=flits)],
                "text": [" ".join(rng.choice(words, size=8)) for _ in range(flits)],
                "created_at": pd.Timestamp(day, tz="UTC"),
                "lang": "en",
            }
        ),
        TextConfig(),
    )
    acted = rng.poisson([9, 3, 2, 1, 1, 0.2, 0.1], size=(30, len(ACTIONS)))
    engagements = pd.DataFrame(acted, columns=list(ACTIONS))
    vectors = {"enc": rng.normal(size=(flits, 8)).astype(np.float32)}
    return DayRows(day, cleaned, vectors, engagements.assign(bird_id=[f"b{n}" for n in range(30)]))
