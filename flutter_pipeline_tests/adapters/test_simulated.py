from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.simulated import read_truth, write_network
from flutter_pipeline.errors import ConfigError, ContractError
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import SimulatedNetwork, simulate

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
SAMPLE_CONFIG = SimulationConfig(birds=500, flits=5_000, days=30, seed=7)
FILES = ["birds.parquet", "engagements.parquet", "flits.parquet", "follows.parquet", "truth.npz"]


@pytest.fixture(scope="module")
def network() -> SimulatedNetwork:
    return simulate(SimulationConfig(birds=30, flits=200, days=5, seed=1))


def test_a_network_is_five_files_and_nothing_is_left_beside_them(network, tmp_path):
    write_network(network, tmp_path / "here" / "sample")

    assert sorted(path.name for path in (tmp_path / "here" / "sample").iterdir()) == FILES
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["sample"]


def test_tables_come_back_as_they_were(network, tmp_path):
    write_network(network, tmp_path)

    for name in ("flits", "engagements", "birds", "follows"):
        stored = pd.read_parquet(tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(stored, getattr(network, name))


def test_the_truth_comes_back_as_it_was(network, tmp_path):
    write_network(network, tmp_path)
    truth = read_truth(tmp_path / "truth.npz")

    assert truth.config == network.truth.config
    for name, array in network.truth.state().arrays.items():
        np.testing.assert_array_equal(truth.state().arrays[name], array)


def test_writing_twice_gives_the_same_bytes(network, tmp_path):
    write_network(network, tmp_path / "a")
    write_network(network, tmp_path / "b")

    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_an_earlier_simulation_is_replaced_and_other_files_stay(network, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    write_network(simulate(SimulationConfig(birds=30, flits=100, days=5)), tmp_path)
    write_network(network, tmp_path)

    assert len(pd.read_parquet(tmp_path / "flits.parquet")) == 200
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_file_in_the_place_of_the_folder_is_refused(network, tmp_path):
    (tmp_path / "taken").write_text("")

    with pytest.raises(ConfigError, match="taken is a file; name a folder"):
        write_network(network, tmp_path / "taken")


def test_a_missing_and_a_damaged_truth_are_told_apart(tmp_path):
    (tmp_path / "truth.npz").write_bytes(b"no zip file")
    np.savez(tmp_path / "other.npz", a=np.arange(3))

    with pytest.raises(ContractError, match="there is no truth at"):
        read_truth(tmp_path / "absent.npz")
    with pytest.raises(ContractError, match="is damaged"):
        read_truth(tmp_path / "truth.npz")
    with pytest.raises(ContractError, match="holds no settings"):
        read_truth(tmp_path / "other.npz")


def test_the_committed_sample_is_what_its_command_makes():
    made = simulate(SAMPLE_CONFIG)

    for name in ("flits", "engagements", "birds", "follows"):
        stored = pd.read_parquet(SAMPLE / f"{name}.parquet")
        pd.testing.assert_frame_equal(stored, getattr(made, name))
    truth = read_truth(SAMPLE / "truth.npz")
    assert truth.config == SAMPLE_CONFIG
    for name, array in made.truth.state().arrays.items():
        stored_array = truth.state().arrays[name]
        if array.dtype.kind == "f":
            np.testing.assert_allclose(stored_array, array, rtol=1e-6)
        else:
            np.testing.assert_array_equal(stored_array, array)


def test_the_committed_sample_is_small():
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 3_000_000
