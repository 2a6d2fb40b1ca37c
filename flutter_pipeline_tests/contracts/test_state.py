import numpy as np

from flutter_pipeline.contracts.state import CURVE, FIGURES, State, curves_of, figures_of


def test_curves_are_the_arrays_that_are_called_so():
    arrays = {"weights": np.ones(2), CURVE + "loss": np.array([2.0, 1.5])}
    assert curves_of(State({}, arrays)) == {"loss": [2.0, 1.5]}


def test_figures_are_what_the_settings_hold_under_their_name():
    assert figures_of(State({FIGURES: {"step": 7}, "dim": 3})) == {"step": 7}
    assert figures_of(State({"dim": 3})) == {}
