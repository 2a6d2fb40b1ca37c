import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.files import read_json, write_json
from flutter_pipeline.adapters.store.numbers import (
    Numbers,
    StoreConfig,
    bytes_of_row,
    packed,
    unpacked,
)
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.errors import VersionError

KINDS: list[Numbers] = ["float32", "float16", "int8"]
SMALLER: list[Numbers] = ["float16", "int8"]


def random_rows(count: int, dim: int, seed: int = 0) -> Matrix:
    return unit_rows(np.random.default_rng(seed).standard_normal((count, dim)))


def back(vectors: Matrix, numbers: Numbers) -> Matrix:
    return unpacked(packed(vectors, numbers), numbers)


def test_float32_comes_back_bit_for_bit():
    vectors = random_rows(50, 7)
    assert (back(vectors, "float32") == vectors).all()


def test_a_row_takes_the_bytes_of_its_numbers_and_of_one_scale():
    assert bytes_of_row("float32", 384) == 4 * 384
    assert bytes_of_row("float16", 384) == 2 * 384 + 4
    assert bytes_of_row("int8", 384) == 384 + 4
    assert packed(random_rows(3, 384), "int8").nbytes == 3 * 388


@pytest.mark.parametrize("numbers", SMALLER)
def test_the_codes_of_int8_are_shares_of_the_largest_entry(numbers):
    # 3/127, 4/127 and 127/127 of the largest entry are codes of int8, and exact in half precision.
    vectors = np.array([[127, 3, -4]], dtype=np.float32)
    assert back(vectors, numbers) == pytest.approx(vectors, rel=1e-3)
    assert back(vectors, "int8") == pytest.approx(vectors, rel=1e-6)


@pytest.mark.parametrize("numbers", SMALLER)
def test_a_row_keeps_its_length_and_nearly_its_direction(numbers):
    vectors = random_rows(500, 100)
    kept = back(vectors, numbers)
    assert np.linalg.norm(kept, axis=1) == pytest.approx(np.ones(500), abs=2e-6)
    assert (kept * vectors).sum(axis=1).min() > (0.999999 if numbers == "float16" else 0.9999)


@pytest.mark.parametrize("numbers", KINDS)
def test_a_row_of_zeros_stays_one(numbers):
    vectors = np.array([[0, 0, 0], [0, -2, 0]], dtype=np.float32)
    assert back(vectors, numbers).tolist() == vectors.tolist()


@pytest.mark.parametrize("numbers", SMALLER)
@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float32,
        (3, 4),
        elements=st.floats(-(2.0**60), 2.0**60, width=32, allow_nan=False, allow_subnormal=False),
    )
)
def test_no_entry_is_further_off_than_two_steps_of_its_row(numbers, vectors):
    # int8 has 127 steps up to the largest entry. Rounding moves an entry by half a step; the
    # scale that keeps the length may move it further.
    step = np.abs(vectors).max(axis=1, keepdims=True) / (127 if numbers == "int8" else 1024)
    assert (np.abs(back(vectors, numbers) - vectors) <= 2 * step + 1e-30).all()


def store_of(folder, numbers: Numbers) -> EmbeddingStore:
    store = EmbeddingStore(folder, config=StoreConfig(by_encoder={"bert": numbers}))
    store.create("bert", "v1", 100, {})
    return store


@pytest.mark.parametrize("numbers", KINDS)
def test_a_store_gives_float32_whatever_it_keeps(tmp_path, numbers):
    store, vectors, ids = (
        store_of(tmp_path, numbers),
        random_rows(300, 100),
        [*map(str, range(300))],
    )
    store.append("bert", "v1", [(ids[:200], vectors[:200]), (ids[200:250], vectors[200:250])])
    store.append("bert", "v1", [(ids[250:], vectors[250:])])
    opened, kept = store.open("bert", "v1"), back(vectors, numbers)
    assert opened.numbers == numbers
    assert opened.manifest["dtype"] == numbers
    asked = [299, 0, 7, 260]
    found = opened.vectors([ids[i] for i in asked])
    assert found.dtype == np.float32
    assert (found == kept[asked]).all()
    assert (opened.vector("260") == kept[260]).all()
    assert (np.concatenate([rows for _, rows in opened.batches(64)]) == kept).all()


@pytest.mark.parametrize("numbers", KINDS)
def test_folding_parts_changes_no_bit(tmp_path, numbers):
    store, vectors = store_of(tmp_path, numbers), random_rows(90, 100)
    for first in range(0, 90, 30):
        ids = [str(i) for i in range(first, first + 30)]
        store.append("bert", "v1", [(ids, vectors[first : first + 30])])
    ids = [str(i) for i in range(90)]
    before = store.open("bert", "v1").vectors(ids)
    store.compact("bert", "v1")
    opened = store.open("bert", "v1")
    assert len(opened.parts) == 1
    assert (opened.vectors(ids) == before).all()
    opened.verify()


def test_a_smaller_type_takes_fewer_bytes(tmp_path):
    sizes = []
    for numbers in KINDS:
        store = store_of(tmp_path / numbers, numbers)
        store.append("bert", "v1", [([str(i) for i in range(1000)], random_rows(1000, 100))])
        sizes.append(store.open("bert", "v1").size_bytes)
    # 400, 204 and 104 bytes a vector; ids, look-up and headers are the same.
    assert sizes[0] - sizes[1] == 196 * 1000
    assert sizes[1] - sizes[2] == 100 * 1000


def test_a_version_that_exists_keeps_its_type(tmp_path):
    store_of(tmp_path, "float16")
    store = EmbeddingStore(tmp_path, config=StoreConfig(numbers="int8"))
    store.append("bert", "v1", [(["a"], random_rows(1, 100))])
    assert store.open("bert", "v1").numbers == "float16"
    store.create("bert", "v2", 100, {})
    assert store.open("bert", "v2").numbers == "int8"


def test_a_type_that_nobody_knows_is_refused(tmp_path):
    store = store_of(tmp_path, "int8")
    path = tmp_path / "bert" / "v1" / "manifest.json"
    write_json(path, {**read_json(path), "dtype": "float8"})
    with pytest.raises(VersionError, match=r"as 'float8', expected float32, float16, int8"):
        store.open("bert", "v1")
