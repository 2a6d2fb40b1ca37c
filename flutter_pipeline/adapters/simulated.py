"""A simulated network on disk: four Parquet files as a user would land them, and the truth.

The same network gives the same bytes (with the same versions of pyarrow and numpy).
"""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flutter_pipeline.contracts.state import State
from flutter_pipeline.contracts.table import Table
from flutter_pipeline.contracts.tables import BIRDS, ENGAGEMENTS, FLITS, FOLLOWS
from flutter_pipeline.errors import ConfigError, ContractError
from flutter_pipeline.simulation.network import SimulatedNetwork
from flutter_pipeline.simulation.truth import Truth, load_truth

TRUTH_FILE = "truth.npz"
SETTINGS = "settings"
"""The array of the truth's file that holds its settings, as JSON."""

COMPRESSION_LEVEL = 9


def write_network(network: SimulatedNetwork, folder: Path) -> None:
    """Write every table and the truth into ``folder``, replacing those of an earlier simulation.

    Each file appears whole or not at all. Raises ConfigError where ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; name a folder to write the network into")
    folder.mkdir(parents=True, exist_ok=True)
    tables = (
        (FLITS, network.flits),
        (ENGAGEMENTS, network.engagements),
        (BIRDS, network.birds),
        (FOLLOWS, network.follows),
    )
    # Beside the folder, not in it: whoever watches the folder sees only whole files.
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        for table, rows in tables:
            _write_table(table, rows, Path(beside) / f"{table.name}.parquet")
        _write_truth(network.truth, Path(beside) / TRUTH_FILE)
        for made in sorted(Path(beside).iterdir()):
            made.replace(folder / made.name)


def read_truth(path: Path) -> Truth:
    """The truth in the file ``path``. Raises ContractError where it cannot be read."""
    if not path.is_file():
        raise ContractError(f"there is no truth at {path}; only simulated networks have one")
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ContractError(f"{path} is damaged ({error}); simulate again") from error
    if SETTINGS not in arrays:
        raise ContractError(f"{path} holds no settings, so it is no truth; simulate again")
    return load_truth(State(json.loads(str(arrays.pop(SETTINGS))), arrays))


def _write_table(table: Table, rows: pd.DataFrame, path: Path) -> None:
    times = [column.name for column in table.columns if column.dtype == "time"]
    stored = [str(name) for name in rows.columns if name in times]
    # Column by column: pandas' own metadata would name versions of packages in the file.
    columns = pa.table(
        {
            str(name): _instants(values) if name in stored else _plain(values)
            for name, values in rows.items()
        }
    )
    options: dict[str, Any] = {
        "use_dictionary": [name for name in columns.column_names if name not in stored],
        "column_encoding": dict.fromkeys(stored, "DELTA_BINARY_PACKED"),
    }
    level = COMPRESSION_LEVEL
    pq.write_table(columns, path, compression="zstd", compression_level=level, **options)


def _instants(times: pd.Series) -> pa.Array:
    return pa.array(times.dt.tz_convert(None).to_numpy()).cast(pa.timestamp("us", tz="UTC"))


def _plain(values: pd.Series) -> pa.Array:
    return pa.array(values, from_pandas=True)


def _write_truth(truth: Truth, path: Path) -> None:
    state = truth.state()
    settings = np.array(json.dumps(state.settings, sort_keys=True))
    arrays: dict[str, Any] = {SETTINGS: settings, **state.arrays}
    np.savez_compressed(path, **arrays)
