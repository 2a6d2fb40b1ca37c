import numpy as np

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.evaluation.slices import activity, cold, tenure
from flutter_pipeline_tests.ranking.small_networks import at, small_network

# Birds 0 to 3 have 0, 1, 2 and 5 likes before day 10; the last like of bird 0 comes later.
LIKES = [(bird, flit, "like", 5) for bird, n in enumerate([0, 1, 2, 5]) for flit in range(n)]
NETWORK = small_network(
    authors=[4] * 5, posted=[0] * 5, engagements=[*LIKES, (0, 0, "like", 11)], n_birds=5
)
HISTORY = known_before(NETWORK, at(10))
BIRDS = np.arange(4)


def test_a_bird_with_few_likes_so_far_is_new():
    assert tenure(BIRDS, HISTORY, 2).tolist() == ["new", "new", "established", "established"]


def test_birds_are_parted_in_thirds_by_their_likes():
    assert activity(BIRDS, HISTORY).tolist() == ["quiet", "quiet", "usual", "active"]


def test_birds_with_equally_many_likes_share_a_third():
    assert activity(np.array([0, 0, 0]), HISTORY).tolist() == ["quiet"] * 3


def test_no_birds_have_no_slices():
    nobody = np.array([], dtype=np.int64)
    assert activity(nobody, HISTORY).shape == (0,)
    assert tenure(nobody, HISTORY, 5).shape == (0,)


def test_a_flit_that_few_liked_is_cold():
    # Flit 0 was liked by three birds, flit 1 by two, flits 2 to 4 by one.
    assert cold(np.arange(5), HISTORY, 2).tolist() == [False, False, True, True, True]
