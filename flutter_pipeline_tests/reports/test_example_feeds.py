import numpy as np
import pytest

from flutter_pipeline.reports.example_feeds import (
    TEXT_LENGTH,
    Example,
    Liked,
    Past,
    Served,
    Source,
    chosen_birds,
    feeds_section,
)
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, words_of

TEA = Served("green tea", "b9", 0.08, "because you liked “tea”", (Source("taste", 3, 0.5),))
BUS = Served("a bus", "b8", 0.02, "new today", (), 0.04)


def example(**changes) -> Example:
    given = {
        "bird": "b1",
        "likes": 7,
        "history": [Liked("black tea", "b2", "2026-01-30")],
        "feed": [TEA, BUS],
        "past": [Past("a stove", False), Past("a kettle", True)],
        "found": 5,
    }
    return Example(**{**given, **changes})


def test_one_bird_is_drawn_from_each_equal_part_by_likes():
    # Birds 1, 4 and 0 have the fewest likes, birds 5, 3 and 6 the most; bird 2 has none.
    likes = np.array([3, 1, 0, 8, 2, 7, 9])
    for seed in range(9):
        few, many = chosen_birds(likes, 2, seed)
        assert few in (1, 4, 0) and many in (5, 3, 6)
    assert len({tuple(chosen_birds(likes, 2, seed)) for seed in range(20)}) > 1
    assert chosen_birds(likes, 2, 3) == chosen_birds(likes, 2, 3)


@pytest.mark.parametrize(("many", "found"), [(0, []), (9, [2, 0])])
def test_no_more_birds_are_chosen_than_there_are(many, found):
    assert chosen_birds(np.array([5, 0, 4]), many, 0) == found
    assert chosen_birds(np.zeros(3, dtype=np.int64), many, 0) == []


def test_a_feed_stands_beside_its_bird_s_likes_with_score_reason_and_sources():
    words = " ".join(words_of(feeds_section([example()], "2026-01-29")).split())
    assert "b1 7 likes" in words and "black tea b2 2026-01-30" in words
    assert "green tea b9 8.0 % because you liked “tea” taste 3" in words


def test_bars_are_shares_of_the_best():
    # Scores of 0.08 and 0.02, and a source that gave half of its best.
    body = feeds_section([example()]).body
    assert body.count('style="--share:100%"') == 1 and body.count('style="--share:25%"') == 1
    assert '<li style="--share:50%">taste 3</li>' in body


def test_a_true_chance_is_told_where_it_is_known():
    words = words_of(feeds_section([example()]))
    assert "2.0 %, in truth 4.0 %" in words and "the true chance is known" in words
    assert "truth" not in words_of(feeds_section([example(feed=[TEA])]))


def test_scores_that_only_order_are_plain_numbers():
    words = " ".join(words_of(feeds_section([example()], chances=False)).split())
    assert "0.080 because" in words and "0.020, in truth 4.0 %" in words
    assert "8.0 %" not in words and "chance of a like" not in words
    assert "the chance of a like" in words_of(feeds_section([example()]))


def test_it_says_what_came_of_a_past_feed():
    words = " ".join(words_of(feeds_section([example()], "2026-01-29 00:00 UTC")).split())
    assert "of its feed before, 1 of 2 were liked" in words
    assert "What came of its feed of 2026-01-29 00:00 UTC" in words
    assert "went on to like 5 flits before the next batch, 1 of them in its first 2 places" in words
    assert "place 2: a kettle" in words and "is one day of one bird" in words


def test_without_a_past_feed_nothing_is_said_of_it():
    words = words_of(feeds_section([example(past=(), likes=1)]))
    assert (
        "came of" not in words
        and "one day of" not in words
        and "feed before" not in words
        and "1 like" in words
    )


def test_a_feed_of_scores_of_nothing_has_no_bars():
    nothing = TEA._replace(score=0.0)
    assert "--share:0%" in feeds_section([example(feed=[nothing])]).body


def test_without_birds_it_says_so():
    assert "No bird that has liked anything" in words_of(feeds_section(()))


def test_long_flits_are_cut_and_whatever_birds_write_is_text():
    long = example(history=[Liked("y" * 999, "b2", "")])
    assert "y" * TEXT_LENGTH + "…" in words_of(feeds_section([long]))
    served = Served(EVIL, EVIL, 0.5, EVIL, (Source(EVIL, 1, 1.0),))
    liked, past = [Liked(EVIL, EVIL, EVIL)], [Past(EVIL, True)]
    section = feeds_section([Example(EVIL, 1, liked, [served], past)], EVIL)
    markup = Markup(section.body)
    assert not {"script", "b"} & {tag for tag, given in markup.tags if "evil" in str(given)}
    assert "script" not in markup.names()
    # Bird, flit and author twice, when, reason, source, what came of it and of when.
    assert words_of(section).count(EVIL) == 10
