import numpy as np

from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.ranking.actions import ActionWeights, heads_of, worth


def test_what_was_done_is_worth_the_sum_of_the_stated_weights():
    acted = np.zeros((3, len(ACTIONS)), dtype=bool)
    acted[0, [ACTIONS.index("like"), ACTIONS.index("share")]] = True
    acted[1, [ACTIONS.index("impression"), ACTIONS.index("hide")]] = True
    assert worth(heads_of(acted), ActionWeights()).tolist() == [2.5, -2, 0]


def test_chances_count_as_parts_of_what_they_foretell():
    chances = np.array([[0.5, 0.25, 0.0, 0.125]])
    assert worth(chances, ActionWeights(like=2, share=1, reply=1, hide=-4)).tolist() == [0.75]
