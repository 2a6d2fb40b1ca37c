"""Fine-tuning on a network with a planted structure: words that say nothing, and two topics."""

import numpy as np
import pytest

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import BertEncoder, load_bert, train_bert
from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import DAY
from flutter_pipeline.embeddings.bert.fine_tuning.tuning import lesson_of
from flutter_pipeline.embeddings.encoder import Likes
from flutter_pipeline.errors import CorpusError, VersionError
from flutter_pipeline_tests.embeddings.bert.tiny_model import tiny_model

TOPICS = (
    ("lark", "tax", "jazz", "fish", "rope", "wolf"),
    ("boat", "moon", "stone", "coal", "salt", "gate"),
)
FLITS = [f"{one} {two}" for topic in TOPICS for one in topic for two in topic if one != two]
TOPIC = np.repeat([0, 1], 30)
"""Thirty flits of each topic; nothing in a word says which topic it is of."""

BIRDS, DAYS = 40, 10
SETTINGS = {
    "on": True,
    "layers": 2,
    "batch": 32,
    "epochs": 8,
    "learning_rate": 0.01,
    "temperature": 0.1,
}


def liked_by_topic() -> Likes:
    """Each bird likes one flit a day, all of one topic."""
    random = np.random.default_rng(0)
    chosen = [random.permutation(30)[:DAYS] + 30 * (bird % 2) for bird in range(BIRDS)]
    time = np.tile(np.arange(DAYS), BIRDS) * DAY
    return Likes(np.repeat(np.arange(BIRDS), DAYS), np.concatenate(chosen), time)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    words = [word for topic in TOPICS for word in topic]
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", words)


def asked(folder: str, **settings: object) -> BertConfig:
    return BertConfig.model_validate(
        {"model": folder, "max_tokens": 32, "dtype": "float32", **settings}
    )


@pytest.fixture(scope="module")
def untuned(folder: str) -> BertEncoder:
    return train_bert(FLITS, asked(folder))


@pytest.fixture(scope="module")
def tuned(folder: str) -> BertEncoder:
    return train_bert(FLITS, asked(folder, fine_tune=SETTINGS), likes=liked_by_topic())


def apart(encoder: BertEncoder) -> float:
    """Mean cosine of flits of one topic, less that of flits of two."""
    rows = encoder.encode(FLITS)
    cosine, same = rows @ rows.T, TOPIC[:, None] == TOPIC
    return float(cosine[same].mean() - cosine[~same].mean())


def test_flits_that_the_same_birds_like_get_nearer_than_others(untuned, tuned: BertEncoder):
    assert apart(untuned) < 0.2
    assert apart(tuned) > 0.6


def test_the_loss_falls_and_the_best_look_is_the_one_that_is_kept(tuned: BertEncoder):
    kept = tuned.learnt.tuned
    assert kept is not None
    assert np.isnan(kept.losses[0])
    assert kept.losses[-1] < kept.losses[1]
    assert len(kept.losses) == len(kept.gains)
    assert kept.step > 0
    # Two looks in an epoch of eight steps: one every four steps.
    steps = (BIRDS * (8 + 7 + 6) // 32) // 2
    assert kept.step == steps * int(np.argmax(kept.gains))


def test_learning_stops_once_it_no_longer_helps(folder: str):
    hasty = SETTINGS | {"learning_rate": 0.3, "patience": 2, "epochs": 50}
    encoder = train_bert(FLITS, asked(folder, fine_tune=hasty), likes=liked_by_topic())
    kept = encoder.learnt.tuned
    assert kept is not None
    assert len(kept.gains) < 50
    assert len(kept.gains) - 1 - int(np.argmax(kept.gains)) == 2


def test_where_nothing_is_better_the_model_stays_as_it_came_and_says_so(folder: str, untuned):
    # Steps so small that no rank changes.
    idle = SETTINGS | {"learning_rate": 1e-12, "epochs": 1}
    encoder = train_bert(FLITS, asked(folder, fine_tune=idle), likes=liked_by_topic())
    figures = encoder.state().settings["figures"]
    assert figures["fine_tuned_steps"] == 0
    assert figures["next_like_gain_before"] == figures["next_like_gain_after"]
    assert not [name for name in encoder.state().arrays if name.startswith("weights.")]
    assert encoder.encode(FLITS).tobytes() == untuned.encode(FLITS).tobytes()


def test_the_same_seed_learns_the_same_whatever_the_order_of_flits(folder: str, tuned):
    likes = liked_by_topic()
    order = np.random.default_rng(1).permutation(len(FLITS))
    place = np.argsort(order)
    again = train_bert(
        [FLITS[flit] for flit in order],
        asked(folder, fine_tune=SETTINGS),
        likes=Likes(likes.bird, place[likes.flit], likes.time),
    )
    assert again.encode(FLITS).tobytes() == tuned.encode(FLITS).tobytes()


def test_another_seed_learns_something_else(folder: str, tuned: BertEncoder):
    other = asked(folder, fine_tune=SETTINGS | {"seed": 1, "epochs": 2})
    encoder = train_bert(FLITS, other, likes=liked_by_topic())
    assert encoder.encode(FLITS).tobytes() != tuned.encode(FLITS).tobytes()


def test_its_state_brings_it_back_bit_for_bit_and_holds_only_weights_that_changed(tuned):
    state = tuned.state()
    again = load_bert(State(state.settings, state.arrays))
    assert again.encode(FLITS).tobytes() == tuned.encode(FLITS).tobytes()
    assert again.state().settings == state.settings
    weights = [name for name in state.arrays if name.startswith("weights.")]
    assert weights
    assert all(".layer.0." in name or ".layer.1." in name for name in weights)


def test_weights_that_the_model_has_no_place_for_are_refused(tuned: BertEncoder):
    state = tuned.state()
    strange = {"weights.encoder.layer.9.output.bias": np.zeros(16, np.float32)}
    with pytest.raises(VersionError, match=r"no weights called encoder\.layer\.9\.output\.bias"):
        load_bert(State(state.settings, {**state.arrays, **strange}))


def test_a_tuned_model_may_be_whitened_too(folder: str):
    config = asked(folder, whiten=4, fine_tune=SETTINGS | {"epochs": 2})
    told: list[tuple[int, int]] = []
    encoder = train_bert(
        FLITS, config, lambda done, total: told.append((done, total)), liked_by_topic()
    )
    state = encoder.state()
    again = load_bert(State(state.settings, state.arrays))
    assert encoder.dim == 4
    assert encoder.encode(FLITS).shape == (60, 4)
    assert again.encode(FLITS).tobytes() == encoder.encode(FLITS).tobytes()
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_flits_of_one_text_are_one_and_empty_ones_none():
    flits = ["lark", "boat", "lark", " ", "moon", "moon tax"]
    likes = Likes(
        np.array([0, 0, 0, 0, 1, 1, 1]),
        np.array([0, 2, 1, 3, 4, 1, 5]),
        np.array([0, 1, 2, 3, 3, 4, 5]) * DAY,
    )
    settings = FineTuneConfig(on=True, validation_days=1)
    lesson = lesson_of(flits, likes, settings)
    assert sorted(lesson.texts) == ["boat", "lark", "moon", "moon tax"]
    pairs = {
        (lesson.texts[first], lesson.texts[second])
        for first, second in zip(lesson.pairs.first, lesson.pairs.second, strict=True)
    }
    assert pairs == {("lark", "boat"), ("moon", "boat")}


def test_no_likes_to_judge_by_says_what_to_do(folder: str):
    likes = liked_by_topic()
    strangers = Likes(
        np.where(likes.time == likes.time.max(), likes.bird + BIRDS, likes.bird),
        likes.flit,
        likes.time,
    )
    with pytest.raises(CorpusError, match=r"raise `fine_tune\.validation_days`"):
        train_bert(FLITS, asked(folder, fine_tune=SETTINGS), likes=strangers)


def test_no_likes_at_all_say_what_to_do(folder: str):
    with pytest.raises(CorpusError, match=r"birds liked 0 pairs of flits .* train on more likes"):
        train_bert(FLITS, asked(folder, fine_tune=SETTINGS))


def test_what_is_held_out_is_unknown_to_what_learns():
    flits = ["lark", "boat", "moon", "tax"]
    likes = Likes(np.array([0, 0, 0, 1, 1]), np.array([0, 1, 3, 2, 1]), np.array([0, 1, 5, 0, 1]))
    days = Likes(likes.bird, likes.flit, likes.time * DAY)
    lesson = lesson_of(flits, days, FineTuneConfig(on=True, validation_days=1))
    tax = lesson.texts.index("tax")
    assert len(lesson.held_out) == 1
    assert not lesson.liked.holds(np.array([0, 1]), np.array([tax, tax])).any()
    assert tax not in {*lesson.pairs.first.tolist(), *lesson.pairs.second.tolist()}
