import numpy as np
import pytest

from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import (
    DAY,
    Pairs,
    draw_pairs,
    hold_out,
    in_order,
    liked_by,
    newest,
    shares,
)
from flutter_pipeline.embeddings.encoder import Likes
from flutter_pipeline.errors import CorpusError


def likes(*rows: tuple[int, int, float]) -> Likes:
    """Likes from rows of bird, flit, and day."""
    bird, flit, day = zip(*rows, strict=True)
    return Likes(np.array(bird), np.array(flit), (np.array(day) * DAY).astype(np.int64))


def rows_of(likes: Likes) -> list[tuple[int, int, float]]:
    return list(
        zip(likes.bird.tolist(), likes.flit.tolist(), (likes.time / DAY).tolist(), strict=True)
    )


def drawn(of: Likes, **settings: float) -> set[tuple[int, int, int]]:
    pairs = draw_pairs(of, FineTuneConfig.model_validate(settings), np.random.default_rng(0))
    triples = zip(pairs.bird.tolist(), pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return set(triples)


ONE_BIRD = likes((1, 10, 0), (1, 11, 1), (1, 12, 2), (1, 13, 9))


def test_likes_are_ordered_by_bird_and_time_and_only_the_first_of_a_flit_counts():
    mixed = likes((2, 7, 3), (1, 5, 2), (2, 7, 1), (1, 6, 0), (2, 4, 2))
    assert rows_of(in_order(mixed)) == [(1, 6, 0), (1, 5, 2), (2, 7, 1), (2, 4, 2)]


def test_the_newest_of_each_bird_are_its_last():
    ordered = likes((1, 5, 0), (1, 6, 1), (1, 7, 2), (2, 5, 0))
    assert rows_of(newest(ordered, 2)) == [(1, 6, 1), (1, 7, 2), (2, 5, 0)]


def test_the_last_day_is_held_out():
    earlier, later = hold_out(likes((1, 5, 0), (1, 6, 2.0), (2, 7, 2.5), (2, 8, 3.0)), 1)
    assert rows_of(earlier) == [(1, 5, 0), (1, 6, 2.0)]
    assert rows_of(later) == [(2, 7, 2.5), (2, 8, 3.0)]


def test_pairs_are_within_both_windows():
    assert drawn(ONE_BIRD, window_likes=1, window_days=7) == {(1, 10, 11), (1, 11, 12), (1, 12, 13)}
    assert drawn(ONE_BIRD, window_likes=3, window_days=2) == {(1, 10, 11), (1, 11, 12), (1, 10, 12)}


def test_flits_of_two_birds_are_no_pair():
    two = likes((1, 10, 0), (1, 11, 1), (2, 12, 1), (2, 13, 2))
    assert drawn(two, window_likes=3) == {(1, 10, 11), (2, 12, 13)}


def test_only_the_newest_likes_of_a_bird_make_pairs():
    assert drawn(ONE_BIRD, likes_per_bird=3, window_days=99) == {
        (1, 11, 12),
        (1, 12, 13),
        (1, 11, 13),
    }


def test_no_more_pairs_are_drawn_than_asked_for_and_none_twice():
    many = likes(*((bird, flit, flit) for bird in range(10) for flit in range(10)))
    assert len(drawn(many, pairs=40, window_likes=2)) == 40
    # Ten birds with nine neighbours and eight next but one each.
    assert len(drawn(many, pairs=1000, window_likes=2)) == 10 * (9 + 8)


def test_likes_that_make_no_pairs_say_what_to_do():
    with pytest.raises(CorpusError, match="birds liked 0 pairs of flits within 7 days"):
        drawn(likes((1, 10, 0), (2, 11, 1)))


def test_a_flits_share_is_its_part_of_all_places():
    pairs = Pairs(np.array([1, 1]), np.array([0, 0]), np.array([1, 3]))
    assert shares(pairs, 4).tolist() == [0.5, 0.25, 0.0, 0.25]


def test_who_liked_what_is_asked_for_many_at_once():
    liked = liked_by(likes((0, 1, 0), (2, 0, 0), (2, 1, 0)), n_flits=3)
    asked = liked.holds(np.array([[0], [1], [2]]), np.array([[0, 1, 2]]))
    assert asked.tolist() == [[False, True, False], [False] * 3, [True, True, False]]
