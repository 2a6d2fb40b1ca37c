import numpy as np
import pytest

from flutter_pipeline.collaborative.factorisation import (
    FactorisationConfig,
    FactorScorer,
    train_factorisation,
)
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.errors import ConfigError, CorpusError
from flutter_pipeline_tests.conformance.scorers import ScorerConformance, random_likes, strangers

CONFIG = FactorisationConfig(dim=8, unobserved_weight=0.1, ridge=0.01, sweeps=10)
PLAIN = CONFIG.model_copy(update={"user_exponent": 0.0})
ALL = np.arange(48)


class TestFactorisation(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray) -> FactorScorer:
        return train_factorisation(likes, columns, CONFIG)


def test_the_products_are_near_one_for_likes_and_near_zero_for_others():
    # Two kinds of birds that like all of their kind: a matrix of rank 2.
    likes = likes_of_sequences([np.arange(kind, 10, 2) for kind in (0, 1) * 10], 10)
    config = PLAIN.model_copy(update={"dim": 2, "ridge": 1e-6, "sweeps": 100})
    scores = train_factorisation(likes, np.arange(10), config).scores(likes)
    expected = np.tile([[1.0, 0.0], [0.0, 1.0]], (10, 5))
    # The sum over all pairs takes in the likes: 1 (x - 1)^2 + 0.1 x^2 is least at 1 / 1.1.
    np.testing.assert_allclose(scores, expected / 1.1, atol=1e-3)


def fold_in_by_hand(
    scorer: FactorScorer, flits: list[int], weights: list[float], missing: float = 1.0
) -> np.ndarray:
    """Solves the equations of Hu et al., section 4, for one bird; newest flit first."""
    config, some = scorer.config, scorer.factors[flits].astype(np.float64)
    everything = scorer.factors.astype(np.float64)
    ridge = config.ridge * (len(flits) + config.unobserved_weight * scorer.n_liked)
    left = missing * config.unobserved_weight * everything.T @ everything
    left += ridge * np.eye(config.dim) + (some * np.array(weights)[:, None]).T @ some
    return np.linalg.solve(left, np.array(weights) @ some)


def test_a_fold_in_solves_the_birds_own_equations():
    scorer = train_factorisation(random_likes(), ALL, PLAIN)
    folded = scorer.fold_in(strangers([4, 2, 0]))
    np.testing.assert_allclose(folded[0], fold_in_by_hand(scorer, [0, 2, 4], [1, 1, 1]), atol=1e-5)


def test_an_older_like_counts_less_in_a_fold_in():
    config = PLAIN.model_copy(update={"decay_per_like": 0.5})
    scorer = train_factorisation(random_likes(), ALL, config)
    folded = scorer.fold_in(strangers([4, 2, 0]))
    by_hand = fold_in_by_hand(scorer, [0, 2, 4], [1, 0.5, 0.25])
    np.testing.assert_allclose(folded[0], by_hand, atol=1e-5)


def test_what_it_does_not_like_tells_less_of_a_bird_that_likes_little():
    scorer = train_factorisation(
        random_likes(), ALL, CONFIG.model_copy(update={"user_exponent": 0.5})
    )
    missing = (3 / scorer.mean_likes) ** 0.5
    folded = scorer.fold_in(strangers([4, 2, 0]))
    by_hand = fold_in_by_hand(scorer, [0, 2, 4], [1, 1, 1], missing)
    np.testing.assert_allclose(folded[0], by_hand, atol=1e-5)


def test_a_flit_that_training_did_not_know_is_no_part_of_a_fold_in():
    scorer = train_factorisation(random_likes(), ALL, CONFIG)
    with_it, without = scorer.fold_in(strangers([2, 4, 47])), scorer.fold_in(strangers([2, 4]))
    assert CONFIG.decay_per_like == 1
    np.testing.assert_allclose(with_it, without, rtol=1e-5)


def loss(scorer: FactorScorer, likes: Likes) -> float:
    """The module's formula with b = 0 and v = 1."""
    config, birds = scorer.config, scorer.fold_in(likes).astype(np.float64)
    factors = scorer.factors.astype(np.float64)
    n_birds = int((likes.lengths > 0).sum())
    products = birds @ factors.T
    fit = ((products[likes.row, likes.flit] - 1) ** 2).sum()
    spread = config.unobserved_weight * (products**2).sum()
    of_bird = likes.lengths + config.unobserved_weight * scorer.n_liked
    of_flit = np.bincount(likes.flit, minlength=likes.n_flits) + config.unobserved_weight * n_birds
    held = of_bird @ (birds**2).sum(axis=1) + of_flit @ (factors**2).sum(axis=1)
    return float(fit + spread + config.ridge * held)


def test_every_sweep_makes_the_loss_smaller():
    likes = random_likes()
    losses = [
        loss(train_factorisation(likes, ALL, PLAIN.model_copy(update={"sweeps": n})), likes)
        for n in (1, 2, 4, 8)
    ]
    assert (np.diff(losses) < 0).all()


def test_the_shared_part_is_a_diagonal():
    scorer = train_factorisation(random_likes(), ALL, CONFIG)
    products = CONFIG.unobserved_weight * scorer.factors.T @ scorer.factors
    np.testing.assert_allclose(products, np.diag(scorer.shared), atol=1e-5)


def test_another_seed_gives_other_factors_and_nearly_the_same_products():
    likes, scorers = random_likes(), []
    for seed in (0, 1):
        config = PLAIN.model_copy(update={"seed": seed, "sweeps": 200, "dim": 2})
        scorers.append(train_factorisation(likes, ALL, config))
    one, other = (scorer.scores(likes) for scorer in scorers)
    np.testing.assert_allclose(one, other, atol=0.02)
    assert not np.allclose(scorers[0].factors, scorers[1].factors)


def test_without_likes_there_is_nothing_to_factorise():
    with pytest.raises(CorpusError, match="land engagements"):
        train_factorisation(strangers([], []), ALL, CONFIG)


def test_factors_of_another_shape_are_refused():
    scorer = train_factorisation(random_likes(), ALL, CONFIG)
    with pytest.raises(ConfigError, match=r"\(2, 8\), expected \(48, 8\)"):
        scorer.with_factors(np.zeros((2, 8), dtype=np.float32))
