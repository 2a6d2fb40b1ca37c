import numpy as np
import pytest

from flutter_pipeline.collaborative.likes import likes_of_sequences
from flutter_pipeline.errors import CorpusError
from flutter_pipeline.sequential.flits import NEW, flits_of

LIKES = likes_of_sequences([np.array([4, 1]), np.array([1])], 6)


def test_liked_flits_are_numbered_in_order_of_their_codes():
    flits = flits_of(LIKES, None)
    assert flits.learnt.tolist() == [1, 4]
    assert flits.number.tolist() == [NEW, 0, NEW, NEW, 1, NEW]
    assert flits.placed.tolist() == [False, True, False, False, True, False]


def test_content_is_seen_from_the_middle_of_the_liked_flits():
    content = np.zeros((6, 2), dtype=np.float32)
    content[[0, 1, 4]] = [[1, 4], [3, 0], [1, 0]]
    flits = flits_of(LIKES, content)
    assert flits.content is not None
    # The middle of flits 1 and 4 is (2, 0); seen from there, they are opposite.
    np.testing.assert_allclose(flits.content[[1, 4]], [[1, 0], [-1, 0]])
    np.testing.assert_allclose(flits.content[0], np.array([-1, 4]) / np.sqrt(17), rtol=1e-6)


def test_a_flit_of_which_nothing_is_known_has_no_place():
    content = np.zeros((6, 2), dtype=np.float32)
    content[[0, 1, 4]] = [[1, 4], [3, 0], [1, 0]]
    flits = flits_of(LIKES, content)
    assert flits.content is not None
    assert not flits.content[2].any()
    assert flits.placed.tolist() == [True, True, False, False, True, False]


def test_content_is_not_changed():
    content = np.ones((6, 2), dtype=np.float32)
    flits_of(LIKES, content)
    assert (content == 1).all()


def test_content_of_other_flits_says_what_is_wrong():
    with pytest.raises(CorpusError, match=r"2 flits, expected one for each of the 6"):
        flits_of(LIKES, np.ones((2, 3), dtype=np.float32))
