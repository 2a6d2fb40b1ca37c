"""The true preferences of a simulated network, where the data folder has them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.adapters.simulated import TRUTH_FILE, read_truth
from flutter_pipeline.birds.history import DAY, IntArray, Network
from flutter_pipeline.evaluation.baselines import Preference
from flutter_pipeline.simulation.truth import chance_of_like


def preference_of(network: Network, data: Path, step: int) -> Preference | None:
    """How likely each bird is to like each flit within ``step`` microseconds; None without truth.

    The truth has to be of the network that was taken in; where other birds or flits have landed
    since, it speaks of too few, and counts as absent.
    """
    path = data / TRUTH_FILE
    if not path.is_file():
        return None
    truth = read_truth(path)
    known = np.isin(network.flit_ids.astype(str), truth.flit_ids).all()
    if not known or not np.isin(network.bird_ids.astype(str), truth.bird_ids).all():
        return None

    def preference(birds: IntArray, flits: IntArray, as_of: int) -> NDArray[np.float64]:
        pairs_of_birds = np.repeat(network.bird_ids[birds], len(flits))
        pairs_of_flits = np.tile(network.flit_ids[flits], len(birds))
        chance = chance_of_like(truth, pairs_of_birds, pairs_of_flits, as_of, step / DAY)
        return chance.reshape(len(birds), len(flits))

    return preference
