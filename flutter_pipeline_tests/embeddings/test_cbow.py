import numpy as np
import pytest
import torch

from flutter_pipeline.contracts.state import State, no_progress
from flutter_pipeline.embeddings.alignment import rotation_onto
from flutter_pipeline.embeddings.bag_of_words import cosine_similarity
from flutter_pipeline.embeddings.cbow.config import PAPER_CBOW, CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder, load_cbow, train_cbow
from flutter_pipeline.embeddings.cbow.softmax import train_predictor
from flutter_pipeline.embeddings.vocabulary import learn_vocabulary
from flutter_pipeline.errors import CorpusError

# Two kinds of company: "robin" and "lark" are never in one flit, nor are "ship" and "boat".
BIRDS = [f"{bird} {verb} a {song}" for bird in ("robin", "lark")
         for verb in ("sings", "whistles") for song in ("song", "tune")]  # fmt: skip
BOATS = [f"{boat} {verb} the {water}" for boat in ("ship", "boat")
         for verb in ("sails", "crosses") for water in ("sea", "ocean")]  # fmt: skip
CORPUS = (BIRDS + BOATS) * 20
CONFIG = CbowConfig(dim=16)
WREN = [f"wren {verb} a {song}" for verb in ("sings", "whistles") for song in ("song", "tune")] * 20


def near(encoder: CbowEncoder, left: str, right: str) -> float:
    one, other = encoder.word_vectors([left, right])
    return cosine_similarity(one, other)


def test_the_papers_network_finds_the_word_between_no_bird_and_too_high():
    # V. Boykis, "What are embeddings" (2023): (no, bird, [soars], too, high)
    corpus = ["no bird soars too high", "no ship sails too far", "a bird sings its song"] * 20
    vocabulary = learn_vocabulary(corpus)
    config = PAPER_CBOW.model_copy(update={"epochs": 20})
    predictor = train_predictor(vocabulary.read(corpus), len(vocabulary), config, no_progress)
    likely = predictor.probabilities(
        [vocabulary.code_of[word] for word in ("no", "bird", "too", "high")]
    )
    assert vocabulary.words[likely.argmax()] == "soars"
    assert likely.sum() == pytest.approx(1.0, abs=1e-5)
    assert predictor.word_vectors().shape == (len(vocabulary), 100)


@pytest.mark.parametrize("architecture", ["cbow", "skip_gram"])
def test_words_that_keep_the_same_company_get_near_vectors(architecture):
    encoder = train_cbow(CORPUS, CbowConfig(dim=16, architecture=architecture))
    assert near(encoder, "robin", "lark") > near(encoder, "robin", "ship") + 0.3


def test_the_two_architectures_learn_different_vectors():
    cbow, skip_gram = (
        train_cbow(CORPUS, CbowConfig(dim=16, architecture=a)) for a in ("cbow", "skip_gram")
    )
    assert not np.array_equal(cbow.vectors, skip_gram.vectors)


@pytest.mark.parametrize(("objective", "rate"), [("negative_sampling", 0.15), ("softmax", 0.01)])
def test_the_loss_falls_and_is_kept(objective, rate):
    config = CbowConfig(dim=16, objective=objective, window=1, learning_rate=rate, subsample=0)
    encoder = train_cbow(CORPUS, config)
    assert len(encoder.losses) == config.epochs_for(4 * len(CORPUS))
    assert encoder.losses[-1] < encoder.losses[0]
    assert load_cbow(encoder.state()).losses == encoder.losses


def test_the_first_loss_is_that_of_six_guesses_by_a_coin():
    config = CbowConfig(dim=16, window=1, learning_rate=1e-6, subsample=0, negatives=5)
    # Of five noise words, those that happen to be the true one are left out.
    assert 5 * np.log(2) < train_cbow(CORPUS, config).losses[0] < 6 * np.log(2)


def test_another_seed_trains_another_encoder():
    one, other = (train_cbow(CORPUS, CbowConfig(dim=16, seed=seed)) for seed in (0, 1))
    assert not np.array_equal(one.vectors, other.vectors)


def test_training_leaves_the_random_state_of_torch_and_its_threads_alone():
    threads, before = torch.get_num_threads(), torch.get_rng_state()
    train_cbow(CORPUS, CbowConfig(objective="softmax", window=1, dim=4))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), before)


def test_a_high_learning_rate_on_one_word_repeated_stays_finite():
    corpus = ["chirp " * 500, "chirp tweet " * 500] * 20
    encoder = train_cbow(corpus, CbowConfig(dim=8, learning_rate=1.0, epochs=20))
    assert np.isfinite(encoder.vectors).all()
    assert np.isfinite(encoder.losses).all()


def test_small_corpora_are_read_more_often():
    config = CbowConfig(epochs=10, words_to_read=1000, max_epochs=50)
    assert config.epochs_for(words=1000) == 10
    assert config.epochs_for(words=30) == 34  # 1000 / 30, rounded up
    assert config.epochs_for(words=1) == 50


def test_flits_too_short_for_the_window_say_what_to_change():
    with pytest.raises(CorpusError, match="no flit has more than 4 known words"):
        train_cbow(CORPUS, CbowConfig(objective="softmax", window=2))


def test_flits_of_one_word_say_what_to_change():
    with pytest.raises(CorpusError, match="flits of one known word each"):
        train_cbow(["robin", "lark"] * 5, CbowConfig())


@pytest.fixture(scope="module")
def encoder() -> CbowEncoder:
    return train_cbow(CORPUS, CbowConfig(dim=16, buckets=2**20))


class TestWithNgrams:
    def test_known_words_keep_the_vectors_that_they_have_without(self, encoder: CbowEncoder):
        without = train_cbow(CORPUS, CbowConfig(dim=16))
        assert np.array_equal(without.vectors, encoder.vectors)
        assert np.array_equal(without.word_vectors(["lark"]), encoder.word_vectors(["lark"]))

    def test_a_misspelt_word_is_near_its_original(self, encoder: CbowEncoder):
        assert near(encoder, "whistless", "whistles") > 0.9
        assert near(encoder, "whistless", "whistles") > near(encoder, "whistless", "crosses") + 0.3

    def test_a_flit_of_misspelt_words_is_near_the_flit_it_was_to_be(self, encoder: CbowEncoder):
        meant, misspelt, other = encoder.encode(["lark whistles", "whistless", "boat crosses"])
        assert meant @ misspelt > meant @ other

    def test_a_word_that_shares_nothing_with_known_ones_is_zeros(self, encoder: CbowEncoder):
        assert not encoder.word_vectors(["zzyzx"]).any()
        assert not encoder.encode(["zzyzx"]).any()

    def test_they_are_in_the_state(self, encoder: CbowEncoder):
        again = load_cbow(encoder.state()).word_vectors(["whistless", "lark"])
        assert np.array_equal(again, encoder.word_vectors(["whistless", "lark"]))


def test_a_version_of_before_there_were_ngrams_and_architectures_can_be_loaded():
    encoder = train_cbow(CORPUS, CONFIG)
    settings, arrays = encoder.state().settings, encoder.state().arrays
    early = ("words", "vectors", "weights", "common")
    config = {k: v for k, v in settings["config"].items() if k not in ("architecture", "buckets")}
    losses = {"losses": arrays["curve.loss"]}
    old = State({"config": config}, {name: arrays[name] for name in early} | losses)
    assert load_cbow(old).losses == encoder.losses
    assert np.array_equal(load_cbow(old).encode(CORPUS), encoder.encode(CORPUS))
    assert np.array_equal(train_cbow(CORPUS, CONFIG, previous=old).vectors, encoder.vectors)


def test_without_ngrams_an_unknown_word_is_zeros():
    encoder = train_cbow(CORPUS, CbowConfig(dim=16))
    assert not encoder.word_vectors(["whistless"]).any()
    assert encoder.word_vectors([]).shape == (0, 16)


@pytest.fixture(scope="module")
def former() -> CbowEncoder:
    return train_cbow(CORPUS, CONFIG)


@pytest.fixture(scope="module")
def warm(former: CbowEncoder) -> CbowEncoder:
    return train_cbow(CORPUS + WREN, CONFIG, previous=former.state())


class TestAfterAFormerVersion:
    def test_known_words_stay_nearer_than_those_of_a_cold_start(
        self, former: CbowEncoder, warm: CbowEncoder
    ):
        # Another seed, as the same one begins with the same vectors; turned, to be fair.
        cold = train_cbow(CORPUS + WREN, CONFIG.model_copy(update={"seed": 1}))
        words = ("robin", "whistles", "ship", "crosses", "ocean")
        before, warm_ones, cold_ones = (e.word_vectors(words) for e in (former, warm, cold))
        shared = former.vocabulary.words
        turn = rotation_onto(cold.word_vectors(shared), former.vectors)
        cold_ones = cold_ones @ turn
        stayed = [cosine_similarity(b, w) for b, w in zip(before, warm_ones, strict=True)]
        strayed = [cosine_similarity(b, c) for b, c in zip(before, cold_ones, strict=True)]
        assert min(stayed) > 0.8
        assert np.mean(stayed) > np.mean(strayed)

    def test_new_words_find_their_place(self, warm: CbowEncoder):
        assert near(warm, "wren", "robin") > near(warm, "wren", "ship") + 0.3

    def test_it_takes_fewer_epochs(self, former: CbowEncoder, warm: CbowEncoder):
        assert len(warm.losses) == round(CONFIG.warm_share * len(former.losses))

    def test_the_same_state_gives_the_same_bits(self, former: CbowEncoder, warm: CbowEncoder):
        again = train_cbow(CORPUS + WREN, CONFIG, previous=load_cbow(former.state()).state())
        assert again.vectors.tobytes() == warm.vectors.tobytes()
        assert again.targets.tobytes() == warm.targets.tobytes()

    @pytest.mark.parametrize(
        "changed", [{"dim": 8}, {"architecture": "skip_gram"}, {"warm_start": False}]
    )
    def test_one_that_it_cannot_begin_from_counts_for_nothing(self, former: CbowEncoder, changed):
        config = CONFIG.model_copy(update=changed)
        cold = train_cbow(CORPUS, config)
        assert np.array_equal(
            train_cbow(CORPUS, config, previous=former.state()).vectors, cold.vectors
        )

    def test_one_of_other_words_counts_for_nothing(self, former: CbowEncoder):
        other = ["alpha beta gamma", "gamma alpha delta", "beta delta alpha"] * 5
        warm = train_cbow(other, CONFIG, previous=former.state())
        assert np.array_equal(warm.vectors, train_cbow(other, CONFIG).vectors)

    def test_softmax_is_turned_onto_the_former_space(self):
        config = CbowConfig(objective="softmax", window=1, dim=4, epochs=2, words_to_read=0)
        former = train_cbow(CORPUS, config)
        other_seed = config.model_copy(update={"seed": 1})
        cold = train_cbow(CORPUS, other_seed)
        turned = train_cbow(CORPUS, other_seed, previous=former.state())
        np.testing.assert_allclose(
            turned.vectors @ turned.vectors.T, cold.vectors @ cold.vectors.T, atol=1e-4
        )
        assert np.linalg.norm(turned.vectors - former.vectors) < np.linalg.norm(
            cold.vectors - former.vectors
        )


def test_a_skip_gram_by_softmax_is_refused():
    with pytest.raises(ValueError, match="skip_gram learns by negative_sampling only"):
        CbowConfig(objective="softmax", architecture="skip_gram")
