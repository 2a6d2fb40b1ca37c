from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import COPYING, DayRows, judged, scores_of, threshold_of, window_of
from flutter_pipeline.drift.planting import Foreign, with_flood, with_other_actions
from flutter_pipeline.drift.scores import Score, score_at
from flutter_pipeline.text.near_copies import NearCopyConfig
from flutter_pipeline_tests.drift.small_days import CONFIG, day_of

COPIES = NearCopyConfig()
MEASURES = {*COPYING, "tokens", "new_words", "bursts", "languages", "engagements", "topics"}


@pytest.fixture(scope="module")
def days() -> list[DayRows]:
    return [day_of(number) for number in range(1, 10)]


def scores(days: list[DayRows]) -> dict[str, float]:
    return {name: one.score for name, one in scores_of(window_of(days, COPIES), CONFIG).items()}


def foreign(day: DayRows) -> Foreign:
    return Foreign(day.flits, dict(day.vectors))


def test_everything_is_measured_and_vectors_by_encoder(days: list[DayRows]):
    assert set(scores(days)) == {*MEASURES, "vectors enc", "gaussian enc"}


def test_the_order_of_rows_and_of_reference_days_does_not_matter(days: list[DayRows]):
    one = scores_of(window_of(days, COPIES), CONFIG)
    turned = [
        replace(
            day,
            flits=day.flits[::-1],
            vectors={"enc": day.vectors["enc"][::-1]},
            engagements=day.engagements[::-1],
        )
        for day in (*days[7::-1], days[8])
    ]
    other = scores_of(window_of(turned, COPIES), CONFIG)
    exact = {*COPYING, "tokens", "new_words", "bursts", "languages", "engagements"}
    for name in exact:
        assert other[name].value == pytest.approx(one[name].value)
        assert other[name].score == pytest.approx(one[name].score)


def test_the_same_days_have_the_same_scores_to_the_last_bit(days: list[DayRows]):
    assert scores(days) == scores(days)


def test_a_flood_moves_the_measures_of_copies_and_no_other(days: list[DayRows]):
    today = with_flood(days[8], foreign(day_of(20)), 0.2, np.random.default_rng(0))
    before, after = scores(days), scores([*days[:8], today])
    for name in COPYING:
        assert after[name] > before[name] + 3
    for name in set(after) - set(COPYING):
        assert abs(after[name] - before[name]) < 2


def test_what_is_marked_as_spam_is_not_measured_but_as_copies(days: list[DayRows]):
    strange = day_of(28, flits=20, words=["click", "here", "now", "free", "win"])
    marked = strange.flits.assign(spam=True)
    today = replace(
        days[8],
        flits=pd.concat([days[8].flits, marked], ignore_index=True),
        vectors={"enc": np.concatenate([days[8].vectors["enc"], 9 + strange.vectors["enc"]])},
    )
    clean, spammed = scores(days), scores([*days[:8], today])
    same = set(clean) - set(COPYING)
    assert {name: clean[name] for name in same} == {name: spammed[name] for name in same}


def test_unknown_words_are_seen_in_words_and_strange_vectors_in_vectors(days: list[DayRows]):
    unlike = replace(days[8], vectors={"enc": days[8].vectors["enc"] + 2})
    before, after = scores(days), scores([*days[:8], unlike])
    assert after["vectors enc"] > before["vectors enc"] + 10
    assert after["gaussian enc"] > before["gaussian enc"] + 10
    assert after["tokens"] == before["tokens"]
    other_words = scores([*days[:8], day_of(9, words=["owl", "crow", "wren", "lark", "rook"])])
    assert other_words["new_words"] > 5 and other_words["tokens"] > 10


def test_one_bird_that_repeats_a_word_is_no_burst(days: list[DayRows]):
    flits = days[8].flits
    first = flits["bird_id"].iloc[0]
    loud = flits.assign(
        tokens=[
            f"{said} owl owl" if bird == first else said
            for bird, said in zip(flits["bird_id"], flits["tokens"], strict=True)
        ]
    )
    many = flits.assign(tokens=flits["tokens"] + " owl")
    quiet, by_one, by_all = (
        scores_of(window_of([*days[:8], replace(days[8], flits=one)], COPIES), CONFIG)["bursts"]
        for one in (flits, loud, many)
    )
    assert by_one.value == pytest.approx(quiet.value, abs=1e-3)
    assert by_all.value > quiet.value + 0.1


def test_other_actions_move_engagements_alone(days: list[DayRows]):
    today = with_other_actions(days[8], 0.9, np.random.default_rng(0))
    before, after = scores(days), scores([*days[:8], today])
    assert after["engagements"] > before["engagements"] + 3
    assert {n: s for n, s in before.items() if n != "engagements"} == {
        n: s for n, s in after.items() if n != "engagements"
    }


def test_a_day_of_few_birds_is_measured_by_nothing(days: list[DayRows]):
    few = replace(
        days[8],
        flits=days[8].flits[:10],
        vectors={"enc": days[8].vectors["enc"][:10]},
        engagements=days[8].engagements[:5],
    )
    assert scores([*days[:8], few]) == {}


def score(value: float) -> Score:
    return Score(0.0, 0.0, effect=value, score=value)


def test_an_alarm_is_both_unlike_chance_and_large_enough():
    config = DriftConfig()
    earlier = {name: [-1.0, 0.0, 1.0, 0.5, -0.5, 0.2] for name in ("tokens", "languages")}
    small = Score(0.0, 0.0, effect=0.001, score=30.0)
    found = judged({"tokens": score(30.0), "languages": small}, earlier, config)
    assert found["tokens"].stands_out(0.05) and found["tokens"].alarm(0.05)
    assert found["languages"].stands_out(0.05) and not found["languages"].alarm(0.05)


def test_a_day_that_stands_out_counts_as_one_that_just_does():
    earlier = {"tokens": [-1.0, 0.0, 1.0, 0.5, -0.5, 0.2]}
    far = judged({"tokens": score(30.0)}, earlier, DriftConfig())["tokens"]
    assert far.counts_as == pytest.approx(score_at(0.05, earlier["tokens"]))
    near = judged({"tokens": score(0.7)}, earlier, DriftConfig())["tokens"]
    assert near.counts_as == 0.7
    alone = judged({"tokens": score(30.0)}, {}, DriftConfig())["tokens"]
    assert alone.counts_as == 30.0


def test_without_enough_earlier_days_nothing_stands_out():
    found = judged({"tokens": score(30.0)}, {"tokens": [0.0, 1.0]}, DriftConfig())
    assert np.isnan(found["tokens"].p) and not found["tokens"].stands_out(0.05)
    assert found["tokens"].earlier == 2


@pytest.mark.parametrize("measure", sorted({*MEASURES, "vectors bert", "gaussian tfidf"}))
def test_every_measure_has_its_threshold(measure: str):
    assert threshold_of(measure, DriftConfig()) > 0
