import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.cbow import negative_sampling
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.cbow.kernel import (
    Lessons,
    Round,
    Tables,
    agree,
    logistic_table,
    read_flits,
)
from flutter_pipeline.embeddings.cbow.negative_sampling import (
    learn_words,
    noise_places,
    one_epoch,
    share_kept,
)
from flutter_pipeline.embeddings.cbow.shards import copies_of
from flutter_pipeline.embeddings.cbow.word_vectors import Corpus, WordVectors, first_vectors
from flutter_pipeline.embeddings.vocabulary import CodedFlits

# Word 4 is all the noise there is; the flits hold the words 0 to 3, each once.
NOISE = 4
RATE = 1.0
random = np.random.default_rng(0)
VECTORS = WordVectors(
    random.normal(size=(5, 6)).astype(np.float32), random.normal(size=(5, 6)).astype(np.float32)
)


def one_step(words: list[int], skip_gram: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Both tables after one flit of ``words`` was read with a window of 1, and its mean loss."""
    lessons = Lessons(
        codes=np.array(words, dtype=np.int32),
        starts=np.array([0, len(words)]),
        kept=np.ones(5, dtype=np.float32),
        noise=np.full(4, NOISE, dtype=np.int32),
        logistic=logistic_table(),
    )
    shards = copies_of(VECTORS, 1, CbowConfig(dim=6))
    tables = Tables(
        shards.context[0], shards.target[0], shards.context_moved[0], shards.target_moved[0]
    )
    reading = Round(number=1, window=1, negatives=1, rate=np.float32(RATE), skip_gram=skip_gram)
    lost, n = read_flits(np.array([0]), lessons, tables, reading, np.array([1], dtype=np.uint64))
    return tables.context[:, :6], tables.target[:, :6], lost / max(n, 1)


def by_autograd(words: list[int], skip_gram: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """The same by torch: one word after the other, each told from one noise word."""
    context = torch.tensor(VECTORS.context, requires_grad=True)
    target = torch.tensor(VECTORS.target, requires_grad=True)
    losses = []
    for place, word in enumerate(words):
        around = [words[p] for p in (place - 1, place + 1) if 0 <= p < len(words)]
        inputs = [[w] for w in around] if skip_gram else [around]
        rate = RATE / len(inputs)
        lost = []
        for codes in inputs:
            mean = context[codes].mean(dim=0)
            loss = -logsigmoid(mean @ target[word]) - logsigmoid(-mean @ target[NOISE])
            gradients = torch.autograd.grad(loss, (context, target))
            with torch.no_grad():
                context -= rate * gradients[0]
                # The target's step is the shorter, the longer what is around.
                target -= rate / (1 + rate * float(mean @ mean) / 4) * gradients[1]
            lost.append(float(loss.detach()))
        losses.append(np.mean(lost))
    return context.detach().numpy(), target.detach().numpy(), float(np.mean(losses))


@pytest.mark.parametrize("skip_gram", [False, True])
@pytest.mark.parametrize("words", [[0, 1], [0, 1, 2], [3, 1, 0, 2]])
def test_a_compiled_step_is_the_one_that_autograd_takes(words, skip_gram):
    context, target, loss = one_step(words, skip_gram)
    expected_context, expected_target, expected_loss = by_autograd(words, skip_gram)
    np.testing.assert_allclose(context, expected_context, atol=2e-5)
    np.testing.assert_allclose(target, expected_target, atol=2e-5)
    assert loss == pytest.approx(expected_loss, abs=1e-5)


def test_a_word_alone_is_not_learnt():
    context, target, _ = one_step([2], skip_gram=False)
    assert np.array_equal(context, VECTORS.context)
    assert np.array_equal(target, VECTORS.target)


def test_noise_that_is_the_true_word_says_nothing():
    context, target, _ = one_step([NOISE, 1], skip_gram=False)
    # Of the two steps the first, which learns the noise word itself, has no noise.
    one, other = VECTORS.context[1], VECTORS.context[NOISE]
    pull = 1 / (1 + np.exp(one @ VECTORS.target[NOISE]))
    moved = VECTORS.target[NOISE] + pull * one / (1 + one @ one / 4)
    expected = moved - other / (1 + np.exp(-other @ moved)) / (1 + other @ other / 4)
    np.testing.assert_allclose(target[NOISE], expected, atol=2e-5)
    assert not np.array_equal(context[1], VECTORS.context[1])


def test_the_logistic_function_is_looked_up_to_five_digits():
    table = logistic_table()
    between = (table[:-1, 0] + table[1:, 0]) / 2
    x = (np.arange(len(between)) + 0.5) / 64 - 12
    np.testing.assert_allclose(between, 1 / (1 + np.exp(-x)), atol=5e-6)


def test_copies_agree_on_the_sum_of_their_steps_and_shorten_those_of_more_than_two():
    before = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], dtype=np.float32)
    copies = np.stack([before] * 4)
    copies[1, 0] = [2.0, 1.0]  # moved by (1, 0) …
    copies[2, 0] = [1.0, 4.0]  # … and by (0, 3)
    copies[1:, 1] = [5.0, 2.0]  # moved by (3, 0) three times, and two thirds of that count
    copies[3, 2] = [9.0, 9.0]  # moved by nobody in this round: a mistake that must not spread
    moved = np.array([[7, 7, 0], [7, 7, 6], [0, 7, 6]], dtype=np.int32)
    agree(copies, moved, 7, (0, 3))
    assert copies[:, 0].tolist() == [[2.0, 4.0]] * 4
    np.testing.assert_allclose(copies[:, 1], [[2.0 + 9.0 * 2 / 3, 2.0]] * 4, rtol=1e-6)
    assert copies[0, 2].tolist() == [3.0, 3.0]


def test_common_words_are_often_skipped():
    # t / f = .01 / .25 for the one, 1 for the other: sqrt(.04) + .04 = .24
    assert share_kept(np.array([25, 1, 74]), 0.01)[:2].tolist() == pytest.approx([0.24, 1.0])
    assert share_kept(np.array([25, 75]), 0).tolist() == [1, 1]


def test_noise_is_drawn_by_count_to_the_power_of_three_quarters():
    drawn = np.bincount(noise_places(np.array([81, 16, 1])))
    # 27, 8 and 1 of 36
    np.testing.assert_allclose(drawn / drawn.sum(), [27 / 36, 8 / 36, 1 / 36], atol=1e-6)
    assert drawn.sum() == 2**20


class TestTwoShards:
    LENGTHS = np.random.default_rng(1).integers(1, 20, 3000)
    STARTS = np.concatenate([[0], np.cumsum(LENGTHS)])
    CODES = np.random.default_rng(2).integers(0, 50, STARTS[-1])
    CORPUS = Corpus(CodedFlits(CODES, STARTS), np.bincount(CODES, minlength=50))
    CONFIG = CbowConfig(dim=8, shards=2)

    @pytest.fixture(autouse=True)
    def short_rounds(self, monkeypatch):
        monkeypatch.setattr(negative_sampling, "SHARED_ROUND", 1000)

    def learn(self, config: CbowConfig) -> WordVectors:
        return learn_words(self.CORPUS, first_vectors(50, config), 2, config, no_progress).words

    def test_an_epoch_reads_every_flit_once(self):
        rounds = one_epoch(self.CORPUS, 2, np.random.default_rng(0))
        assert all(len(parts) == 2 for parts in rounds)
        assert len(rounds) == -(-len(self.CODES) // 2000)
        read = np.concatenate([flits for parts in rounds for flits in parts])
        assert sorted(read.tolist()) == list(range(3000))

    def test_the_same_seed_gives_the_same_bits(self):
        one, other = self.learn(self.CONFIG), self.learn(self.CONFIG)
        assert one.context.tobytes() == other.context.tobytes()
        assert one.target.tobytes() == other.target.tobytes()

    def test_their_number_decides_and_another_gives_other_bits(self):
        alone = self.learn(self.CONFIG.model_copy(update={"shards": 1}))
        assert not np.array_equal(alone.context, self.learn(self.CONFIG).context)
