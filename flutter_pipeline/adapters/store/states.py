"""Trained states on disk, bit for bit, and the names of versions.

A version is named after what made it: settings, training data, code. A state becomes a folder of
``.npy`` files and a manifest with the settings, the facts and a checksum for each array; nothing
is pickled. What a state means is not known here.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.adapters.store.files import publish_folder, read_manifest
from flutter_pipeline.adapters.store.hashing import hash_values
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError

AGAIN = "make this version again, `flutter-pipeline verify --repair` does it"

KINDS = "biufcUSmM"
"""Kinds of NumPy dtype that a state may hold: all that are kept without pickling."""

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: spreads columns apart
_NULL = np.uint64(0xC2B2AE3D27D4EB4F)  # stands for a missing value, whatever type is missing


def version_of(settings: dict[str, Any], data_digest: str, code_version: str) -> str:
    """Twelve hexadecimal digits that differ where settings, training data or code differ."""
    made_from = {"settings": settings, "data": data_digest, "code": code_version}
    canonical = json.dumps(made_from, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def digest_of(
    frame: pd.DataFrame, columns: Sequence[str] | None = None, ordered: bool = False
) -> str:
    """A digest of the values in ``columns`` (None: all), as 64 hexadecimal digits.

    The order of the rows does not matter unless ``ordered`` says so; the number of equal rows
    does. The same values give the same digest whatever unit a time is kept in.
    """
    names = list(frame.columns) if columns is None else list(columns)
    rows = np.zeros(len(frame), dtype=np.uint64)
    for name in names:
        rows = rows * _MIX + _hashes(pd.Series(frame[name]))
    if not ordered:
        rows = np.sort(rows)
    digest = hashlib.sha256(json.dumps([names, len(rows)]).encode())
    digest.update(rows.astype("<u8").tobytes())
    return digest.hexdigest()


def digest_of_state(state: State) -> str:
    """A digest of everything that is in ``state``, as 64 hexadecimal digits."""
    arrays = {name: _described(array) for name, array in state.arrays.items()}
    canonical = json.dumps({"settings": state.settings, "arrays": arrays}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def write_state(folder: Path, state: State, facts: dict[str, Any]) -> None:
    """Publish ``state`` at ``folder`` with ``facts`` (JSON-able), in place of what was there."""
    files = {name: f"array-{i:03d}.npy" for i, name in enumerate(sorted(state.arrays))}
    for name, array in state.arrays.items():
        if array.dtype.kind not in KINDS:
            raise VersionError(
                f"array {name!r} has dtype {array.dtype}; "
                "a state holds numbers, times and fixed-width strings only"
            )
    manifest = {
        # So that a copy elsewhere is known for what it is.
        "of": f"{folder.parent.name}/{folder.name}",
        "facts": facts,
        "settings": state.settings,
        "arrays": {
            name: {"file": files[name], **_described(array)}
            for name, array in sorted(state.arrays.items())
        },
    }
    publish_folder(folder, partial(_save_arrays, state, files), manifest, replace=True)


def read_state(folder: Path) -> State:
    """The state at ``folder``, bit for bit. VersionError where it is absent or damaged."""
    manifest = read_manifest(folder)
    arrays = {name: _load(folder, described) for name, described in manifest["arrays"].items()}
    return State(manifest["settings"], arrays)


def read_facts(folder: Path) -> dict[str, Any]:
    """The facts that were published with the state. VersionError where there is none."""
    return read_manifest(folder)["facts"]


def _save_arrays(state: State, files: dict[str, str], folder: Path) -> None:
    for name, file in files.items():
        np.save(folder / file, state.arrays[name], allow_pickle=False)


def _load(folder: Path, described: dict[str, Any]) -> np.ndarray:
    path = folder / described["file"]
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise VersionError(f"{path} cannot be read ({error}); {AGAIN}") from None
    if {"file": described["file"], **_described(array)} != described:
        raise VersionError(f"{path} is damaged: its checksum differs; {AGAIN}")
    return array


def _described(array: np.ndarray) -> dict[str, Any]:
    """What has to be the same for an array to be the same."""
    digest = hashlib.sha256(np.ravel(array, order="A").view(np.uint8).data)
    return {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": digest.hexdigest()}


def _hashes(column: pd.Series) -> NDArray[np.uint64]:
    """One hash a value; missing values hash alike, whatever they are made of."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if column.dtype.kind == "M":
        values = column.to_numpy(dtype="datetime64[us]")
    elif column.dtype.kind in "biufc" and isinstance(column.dtype, np.dtype):
        values = column.to_numpy()
    else:
        values = column.to_numpy(dtype=object)
    hashes = hash_values(values)
    missing = column.isna().to_numpy()
    return np.where(missing, _NULL, hashes) if missing.any() else hashes
