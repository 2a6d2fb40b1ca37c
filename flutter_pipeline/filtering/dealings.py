"""What the birds of some rows have done with flits, as arrays. Knows no rule."""

import numpy as np

from flutter_pipeline.birds.history import BoolArray, Engagements, History, IntArray
from flutter_pipeline.filtering.rule import Rows
from flutter_pipeline.ranking.pairs import found_in, pair_keys


def of_birds(rows: Rows, bird: IntArray) -> BoolArray:
    """Whether each of ``bird`` is one that ``rows`` are for."""
    asked = np.zeros(int(bird.max(initial=-1)) + 1, dtype=bool)
    asked[rows.bird[rows.bird < len(asked)]] = True
    return asked[bird]


def engaged(rows: Rows, engagements: Engagements, of_flits: BoolArray) -> tuple[IntArray, IntArray]:
    """Bird and flit of the engagements of the birds in ``rows`` with flits that are flagged."""
    keep = of_birds(rows, engagements.bird) & of_flits[engagements.flit]
    return engagements.bird[keep], engagements.flit[keep]


def did(rows: Rows, history: History, engagements: Engagements) -> BoolArray:
    """Whether each row's bird has engaged with its flit in one of ``engagements``."""
    n_flits = len(history.known)
    wanted = np.zeros(n_flits, dtype=bool)
    wanted[rows.flit] = True
    bird, flit = engaged(rows, engagements, wanted)
    return found_in(pair_keys(rows.bird, rows.flit, n_flits), pair_keys(bird, flit, n_flits))
