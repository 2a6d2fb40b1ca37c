"""How the numbers of vectors are kept on disk: as they are, or in fewer bytes.

Vectors are given and taken as float32. The smaller types keep a scale beside each row, so that a
row comes back with the length that it had: a unit vector stays one, and near neighbours are not
put in another order by lengths that differ a little. What the vectors stand for is not known here.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.errors import VersionError

Numbers = Literal["float32", "float16", "int8"]

KNOWN: dict[str, Numbers] = {"float32": "float32", "float16": "float16", "int8": "int8"}

SCALE = 4
"""Bytes of a row's scale, a float32 at the row's end."""

CODES = {"float16": np.dtype("<f2"), "int8": np.dtype("i1")}
LARGEST = {"float16": 1.0, "int8": 127.0}
"""What the largest entry of a row becomes: half precision is relative, so 1 is as good as more."""


class StoreConfig(BaseModel, frozen=True, extra="forbid"):
    """As what the vectors of new versions are kept; a version that exists keeps its type."""

    numbers: Numbers = Field(
        default="float32",
        description="float32 keeps vectors as they are; float16 takes half the bytes, int8 a "
        "quarter, and some near neighbours change places.",
    )
    by_encoder: dict[str, Numbers] = Field(
        default={}, description="The same for single encoders, such as bert = 'int8'."
    )

    def numbers_of(self, encoder: str) -> Numbers:
        """As what the vectors of ``encoder`` are kept."""
        return self.by_encoder.get(encoder, self.numbers)


def row_of(numbers: Numbers, dim: int) -> tuple[str, int]:
    """NumPy's name of the type on disk, and how many of it make a row."""
    if numbers == "float32":
        return "<f4", dim
    return "|u1", dim * CODES[numbers].itemsize + SCALE


def bytes_of_row(numbers: Numbers, dim: int) -> int:
    """Bytes that one vector takes."""
    kind, width = row_of(numbers, dim)
    return width * np.dtype(kind).itemsize


def packed(vectors: Matrix, numbers: Numbers) -> NDArray[Any]:
    """``vectors`` as they are kept; shape (n, width of :func:`row_of`)."""
    if numbers == "float32":
        return np.ascontiguousarray(vectors, dtype="<f4")
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    largest = np.abs(rows).max(axis=1, initial=0.0)
    unit = np.float32(LARGEST[numbers])
    scaled = rows / np.where(largest > 0, largest, 1)[:, None] * unit
    codes = (np.rint(scaled) if numbers == "int8" else scaled).astype(CODES[numbers])
    lengths = np.linalg.norm(codes.astype(np.float32), axis=1)
    # Not largest / unit alone: with this scale the row keeps its length.
    longer = np.linalg.norm(scaled, axis=1) / np.where(lengths > 0, lengths, 1)
    scales = longer * (largest / unit)
    parts = [codes.view(np.uint8), scales.astype("<f4")[:, None].view(np.uint8)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


def unpacked(rows: NDArray[Any], numbers: Numbers) -> Matrix:
    """Float32 vectors of rows that :func:`packed` made, in memory of their own."""
    if numbers == "float32":
        return np.array(rows, dtype=np.float32)
    scales = np.ascontiguousarray(rows[:, -SCALE:]).view("<f4")
    codes = np.ascontiguousarray(rows[:, :-SCALE]).view(CODES[numbers])
    return np.multiply(codes, scales, dtype=np.float32)


def check_numbers(numbers: str, place: object) -> Numbers:
    """``numbers`` as a type that is known. VersionError, naming ``place``, where it is not."""
    if numbers not in KNOWN:
        raise VersionError(
            f"{place} keeps its vectors as {numbers!r}, expected {', '.join(KNOWN)}; "
            "remove it and encode this version again"
        )
    return KNOWN[numbers]
