import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.store.hashing import HASH_PROBE, hash_values
from flutter_pipeline.adapters.store.states import (
    digest_of,
    digest_of_state,
    read_facts,
    read_state,
    version_of,
    write_state,
)
from flutter_pipeline.contracts.state import State
from flutter_pipeline.errors import VersionError

ARRAYS = {
    "weights": np.array([[0.1, -0.0], [np.nan, np.inf]], dtype=np.float32),
    "by/column": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "words": np.array(["ü", "🐦", "", "same"]),
    "nothing": np.empty((0, 3), dtype=np.int64),
    "number": np.array(7, dtype=np.int8),
    "flags": np.array([True, False]),
    "times": np.array(["2024-05-01T12:00"], dtype="datetime64[us]"),
    "every other": np.arange(10, dtype=np.uint64)[::2],
}


def test_a_state_comes_back_bit_for_bit(tmp_path):
    state = State({"dim": 2, "names": ["a", "ü"], "rate": 0.1, "none": None}, ARRAYS)
    write_state(tmp_path / "v1", state, {"config": {"seed": 1}})
    back = read_state(tmp_path / "v1")
    assert back.settings == state.settings
    assert back.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert back.arrays[name].dtype == array.dtype
        assert back.arrays[name].shape == array.shape
        assert back.arrays[name].tobytes() == array.tobytes()
    assert read_facts(tmp_path / "v1") == {"config": {"seed": 1}}


def test_a_state_without_arrays_comes_back(tmp_path):
    write_state(tmp_path / "v1", State({"model": "any"}), {})
    assert read_state(tmp_path / "v1") == State({"model": "any"}, {})


def test_writing_again_replaces(tmp_path):
    write_state(tmp_path / "v1", State({"a": 1}, {"x": np.zeros(2), "y": np.zeros(2)}), {})
    write_state(tmp_path / "v1", State({"a": 2}, {"z": np.ones(3)}), {})
    assert read_state(tmp_path / "v1").settings == {"a": 2}
    assert sorted(path.name for path in (tmp_path / "v1").iterdir()) == [
        "array-000.npy",
        "manifest.json",
    ]


def test_one_changed_byte_is_found_and_the_file_named(tmp_path):
    write_state(tmp_path / "v1", State({}, {"x": np.zeros(100)}), {})
    path = tmp_path / "v1" / "array-000.npy"
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(VersionError, match=r"array-000\.npy is damaged"):
        read_state(tmp_path / "v1")


@pytest.mark.parametrize("kept", [0, 40, 500])
def test_a_truncated_file_is_named(tmp_path, kept):
    write_state(tmp_path / "v1", State({}, {"x": np.zeros(100)}), {})
    path = tmp_path / "v1" / "array-000.npy"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(VersionError, match=r"array-000\.npy cannot be read"):
        read_state(tmp_path / "v1")


def test_an_absent_file_is_named(tmp_path):
    write_state(tmp_path / "v1", State({}, {"x": np.zeros(100)}), {})
    (tmp_path / "v1" / "array-000.npy").unlink()
    with pytest.raises(VersionError, match=r"array-000\.npy cannot be read"):
        read_state(tmp_path / "v1")


def test_a_state_and_what_comes_back_of_it_have_one_digest(tmp_path):
    state = State({"b": 1, "a": [2]}, ARRAYS)
    write_state(tmp_path / "v1", state, {})
    assert digest_of_state(read_state(tmp_path / "v1")) == digest_of_state(state)


@pytest.mark.parametrize(
    "other",
    [
        State({"a": 2}, {"x": np.zeros(2)}),
        State({"a": 1}, {"x": np.ones(2)}),
        State({"a": 1}, {"x": np.zeros(2, dtype=np.float32)}),
        State({"a": 1}, {"x": np.zeros((2, 1))}),
        State({"a": 1}, {"y": np.zeros(2)}),
        State({"a": 1}),
    ],
)
def test_any_other_setting_or_array_makes_another_digest_of_a_state(other):
    assert digest_of_state(other) != digest_of_state(State({"a": 1}, {"x": np.zeros(2)}))


def test_a_state_that_is_not_there_says_so(tmp_path):
    with pytest.raises(VersionError, match="nothing is published"):
        read_state(tmp_path / "v1")


def test_arrays_of_objects_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(VersionError, match="array 'x' has dtype object"):
        write_state(tmp_path / "v1", State({}, {"x": np.array(["a"], dtype=object)}), {})
    assert not (tmp_path / "v1").exists()


def test_a_version_is_twelve_digits_and_does_not_depend_on_the_order_of_settings():
    version = version_of({"dim": 128, "seed": 0}, "abc", "1")
    assert len(version) == 12 and set(version) <= set("0123456789abcdef")
    assert version == version_of({"seed": 0, "dim": 128}, "abc", "1")


def test_settings_data_and_code_each_make_another_version():
    versions = {
        version_of({"dim": 128}, "abc", "1"),
        version_of({"dim": 64}, "abc", "1"),
        version_of({"dim": 128}, "abd", "1"),
        version_of({"dim": 128}, "abc", "2"),
    }
    assert len(versions) == 4


FLITS = pd.DataFrame({"flit_id": ["1", "2", "3"], "tokens": ["a b", None, "c"], "n": [2, 0, 1]})


def test_a_digest_does_not_depend_on_the_order_of_rows_unless_asked():
    turned = FLITS.iloc[::-1]
    assert digest_of(turned) == digest_of(FLITS)
    assert digest_of(turned, ordered=True) != digest_of(FLITS, ordered=True)


def test_a_digest_does_not_depend_on_how_strings_and_times_are_held():
    times = pd.to_datetime(pd.Series(["2024-05-01T10:00:00.000001"]), utc=True)
    held = [
        pd.DataFrame({"t": times.astype("datetime64[us, UTC]")}),
        pd.DataFrame({"t": times.astype("datetime64[ns, UTC]")}),
        pd.DataFrame({"t": times.dt.tz_convert("Asia/Tokyo")}),
    ]
    assert len({digest_of(frame) for frame in held}) == 1
    assert digest_of(FLITS) == digest_of(FLITS.astype({"flit_id": object, "tokens": object}))


@pytest.mark.parametrize(
    "other",
    [
        FLITS.assign(n=[2, 0, 2]),
        FLITS.assign(tokens=["a b", "", "c"]),
        FLITS.assign(tokens=["c", None, "a b"]),
        FLITS[:2],
        pd.concat([FLITS, FLITS[:1]]),
        pd.concat([FLITS, FLITS]),
        FLITS.rename(columns={"n": "m"}),
    ],
)
def test_any_other_value_number_or_name_makes_another_digest(other):
    assert digest_of(other) != digest_of(FLITS)


def test_a_digest_looks_at_the_columns_it_is_given_only():
    assert digest_of(FLITS, ["flit_id"]) == digest_of(FLITS.assign(n=0), ["flit_id"])


def test_digests_and_hashes_are_the_same_in_every_run():
    assert HASH_PROBE == 2739244661822129945
    assert hash_values(np.array(["ü"], dtype=object)).tolist() == [6689755093696353227]
    assert digest_of(FLITS)[:12] == "88dd69fb2dab"
