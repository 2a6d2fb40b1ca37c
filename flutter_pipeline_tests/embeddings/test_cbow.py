import numpy as np
import pytest
import torch

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.bag_of_words import cosine_similarity
from flutter_pipeline.embeddings.cbow.config import PAPER_CBOW, CbowConfig
from flutter_pipeline.embeddings.cbow.encoder import load_cbow, train_cbow
from flutter_pipeline.embeddings.cbow.softmax import train_predictor
from flutter_pipeline.embeddings.vocabulary import learn_vocabulary
from flutter_pipeline.errors import CorpusError

# Two kinds of company: "robin" and "lark" are never in one flit, nor are "ship" and "boat".
BIRDS = [f"{bird} {verb} a {song}" for bird in ("robin", "lark")
         for verb in ("sings", "whistles") for song in ("song", "tune")]  # fmt: skip
BOATS = [f"{boat} {verb} the {water}" for boat in ("ship", "boat")
         for verb in ("sails", "crosses") for water in ("sea", "ocean")]  # fmt: skip
CORPUS = (BIRDS + BOATS) * 20


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


def test_words_that_keep_the_same_company_get_near_vectors():
    encoder = train_cbow(CORPUS, CbowConfig(dim=16))
    words = [encoder.vocabulary.code_of[word] for word in ("robin", "lark", "ship")]
    robin, lark, ship = encoder.vectors[words]
    assert cosine_similarity(robin, lark) > cosine_similarity(robin, ship) + 0.3


@pytest.mark.parametrize("objective", ["negative_sampling", "softmax"])
def test_the_loss_falls_and_is_kept(objective):
    config = CbowConfig(dim=16, objective=objective, window=1, learning_rate=0.01)
    encoder = train_cbow(CORPUS, config)
    assert len(encoder.losses) == config.epochs_for(4 * len(CORPUS))
    assert encoder.losses[-1] < encoder.losses[0]
    assert load_cbow(encoder.state()).losses == encoder.losses


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
