"""What MLflow calls to bring a model of the pipeline back, in any process that has the package.

A model's folder holds ``reading.json`` and the state as the pipeline stores it, arrays and JSON:
nothing is pickled, so loading runs no code that came with the model. Where a model came from, and
what serves, is not known here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.adapters.store.files import read_json
from flutter_pipeline.adapters.store.states import read_facts, read_state
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.embeddings.encoder import Encoder
from flutter_pipeline.errors import VersionError
from flutter_pipeline.ranking.ranker import Ranker
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

READING = "reading.json"
STATE = "state"


@dataclass(frozen=True)
class EncoderModel:
    """An encoder that is asked for the vectors of texts as birds write them."""

    encoder: Encoder
    text: TextConfig

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> NDArray[np.float32]:
        """A row for each text of the first column: a unit vector, or zeros where nothing is
        known of it.
        """
        texts = model_input.iloc[:, 0].astype("str").reset_index(drop=True)
        cleaned = clean_flits(_as_flits(texts), self.text)
        return self.encoder.encode(list(cleaned[self.encoder.reads]))


@dataclass(frozen=True)
class RankerModel:
    """A ranker that is asked how likely candidates are to be liked."""

    ranker: Ranker

    def predict(self, model_input: pd.DataFrame, params: Any = None) -> NDArray[np.float64]:
        """A probability for each row of features."""
        return np.asarray(self.ranker.score(model_input), dtype=np.float64)


def _load_pyfunc(path: str) -> EncoderModel | RankerModel:
    """The model in the folder ``path``; the name is what MLflow looks for."""
    folder = Path(path)
    reading = read_json(folder / READING)
    stored = Stored(
        reading["name"],
        reading["version"],
        read_state(folder / STATE),
        read_facts(folder / STATE),
    )
    if reading["kind"] == "encoder":
        # What is not asked for is not imported: encoders bring torch, rankers LightGBM.
        from flutter_pipeline.adapters.encoding import encoder_of

        return EncoderModel(encoder_of(stored), TextConfig(**reading["text"]))
    if reading["kind"] == "ranker":
        from flutter_pipeline.adapters.ranking import ranker_of

        return RankerModel(ranker_of(stored))
    raise VersionError(
        f"{folder} holds a {reading['kind']!r}; this flutter_pipeline knows encoders and rankers: "
        "load it with the one that wrote it"
    )


def _as_flits(texts: pd.Series) -> pd.DataFrame:
    """Flits that say no more than their text: no language, one bird, one time."""
    return pd.DataFrame(
        {
            "flit_id": texts.index.astype("str"),
            "bird_id": "a",
            "text": texts,
            "created_at": pd.Timestamp(0, tz="UTC"),
        }
    )
