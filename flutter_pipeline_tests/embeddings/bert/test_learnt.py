import numpy as np
import pytest

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import BertEncoder, load_bert, train_bert
from flutter_pipeline.embeddings.bert.learnt import in_turn, sample_of
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.embeddings.bert.tiny_model import tiny_model

WORDS = ("lark", "boat", "moon", "jazz", "stone", "fish")
FLITS = [f"{one} {two}" for one in WORDS for two in WORDS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny", WORDS)


def trained(folder: str, **settings: object) -> BertEncoder:
    config = {"model": folder, "max_tokens": 32, "dtype": "float32", **settings}
    return train_bert(FLITS, BertConfig.model_validate(config))


def test_what_is_off_leaves_no_trace_in_config_or_state(folder: str):
    plain = trained(folder)
    knobs = trained(folder, whiten=0, fine_tune={"on": False, "pairs": 7})
    assert not {"whiten", "fine_tune"} & set(plain.config.model_dump())
    assert knobs.state().settings == plain.state().settings
    assert not plain.state().arrays
    assert knobs.encode(FLITS).tobytes() == plain.encode(FLITS).tobytes()


def test_what_is_on_is_in_the_config_whole():
    config = BertConfig.model_validate({"whiten": 3, "fine_tune": {"on": True, "pairs": 7}})
    assert BertConfig(**config.model_dump(mode="json")) == config


def test_bert_learns_from_no_more_than_it_is_asked_to():
    learns_from = ENCODERS["bert"].learns_from
    assert learns_from(BertConfig()) == set()
    assert learns_from(BertConfig(whiten=64)) == {"flits"}
    on = BertConfig.model_validate({"fine_tune": {"on": True}})
    assert learns_from(on) == {"flits", "likes"}


def test_a_whitened_encoder_is_shorter_and_has_unit_rows(folder: str):
    encoder = trained(folder, whiten=5)
    rows = encoder.encode([*FLITS, ""])
    assert encoder.dim == 5
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [1] * 36 + [0], rtol=1e-5)


def test_whitening_does_not_depend_on_the_order_of_flits_or_on_repeats(folder: str):
    config = BertConfig(model=folder, max_tokens=32, dtype="float32", whiten=5)
    other = train_bert([*reversed(FLITS), "", *FLITS], config)
    assert other.encode(FLITS).tobytes() == trained(folder, whiten=5).encode(FLITS).tobytes()


def test_a_whitened_encoders_state_brings_it_back_bit_for_bit(folder: str):
    encoder = trained(folder, whiten=5, whitening_power=0.5)
    state = encoder.state()
    again = load_bert(State(state.settings, state.arrays))
    assert again.dim == 5
    assert again.encode(FLITS).tobytes() == encoder.encode(FLITS).tobytes()


@pytest.mark.parametrize("flits", [[], [""], ["lark"], ["lark", "lark"]])
def test_too_few_flits_to_whiten_say_what_to_do(folder: str, flits: list[str]):
    config = BertConfig(model=folder, max_tokens=32, whiten=2)
    with pytest.raises(CorpusError, match="lower `whiten`, or train on more flits"):
        train_bert(flits, config)


def test_a_sample_is_drawn_from_different_flits_that_are_not_empty():
    flits = ["b", "", "a", "b", " ", "c"]
    assert sample_of(flits, 9) == ["a", "b", "c"]
    assert len(sample_of(flits, 2)) == 2
    assert sample_of(flits, 2) == sample_of(flits[::-1], 2)


def test_trainings_that_follow_one_another_are_one_progress():
    told: list[tuple[int, int]] = []
    first, second = in_turn(lambda done, total: told.append((done, total)), True, True)
    first(1, 2)
    first(2, 2)
    second(3, 4)
    second(4, 4)
    assert told == [(500, 2000), (1000, 2000), (1750, 2000), (2000, 2000)]


def test_a_training_alone_counts_as_it_does():
    told: list[tuple[int, int]] = []
    _, second = in_turn(lambda done, total: told.append((done, total)), False, True)
    second(3, 4)
    assert told == [(3, 4)]
