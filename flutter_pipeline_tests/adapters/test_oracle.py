from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.adapters.oracle import preference_of
from flutter_pipeline.adapters.simulated import TRUTH_FILE, write_network
from flutter_pipeline.birds.history import DAY, Network, build_network
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate
from flutter_pipeline.simulation.truth import chance_of_like

SIMULATED = simulate(SimulationConfig(birds=20, flits=100, days=6, seed=3))
END_OF_DAY_4 = int(pd.Timestamp("2026-01-05", tz="UTC").timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    write_network(SIMULATED, folder)
    return folder


def network_of(flits: pd.DataFrame) -> Network:
    told = flits.assign(n_tokens=5, lang="en", spam=False, arrived_at=flits["created_at"])
    engagements = SIMULATED.engagements
    return build_network(
        told.assign(sensitive=False),
        engagements.assign(arrived_at=engagements["occurred_at"]),
        np.arange(len(flits)),
    )


def test_the_oracle_says_of_each_bird_and_flit_what_the_simulation_knows(folder: Path):
    network = network_of(SIMULATED.flits)
    preference = preference_of(network, folder, DAY)
    assert preference is not None
    chances = preference(np.array([3, 0]), np.array([7, 50, 2]), END_OF_DAY_4)
    assert chances.shape == (2, 3)
    expected = chance_of_like(
        SIMULATED.truth, network.bird_ids[[3]], network.flit_ids[[50]], END_OF_DAY_4, 1.0
    )
    assert chances[0, 1] == expected[0]
    assert ((chances >= 0) & (chances <= 1)).all() and len(np.unique(chances)) > 1


def test_a_folder_without_truth_has_no_oracle(tmp_path: Path):
    assert preference_of(network_of(SIMULATED.flits), tmp_path, DAY) is None


def test_a_truth_that_does_not_speak_of_every_flit_counts_as_absent(folder: Path):
    strange = SIMULATED.flits.head(1).assign(flit_id="from elsewhere")
    network = network_of(pd.concat([SIMULATED.flits, strange], ignore_index=True))
    assert (folder / TRUTH_FILE).is_file()
    assert preference_of(network, folder, DAY) is None


def test_a_truth_that_does_not_speak_of_every_bird_counts_as_absent(folder: Path):
    flits = SIMULATED.flits
    network = network_of(flits.assign(bird_id=["stranger", *flits["bird_id"].iloc[1:]]))
    assert preference_of(network, folder, DAY) is None
