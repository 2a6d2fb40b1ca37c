import numpy as np
import pytest

from flutter_pipeline.collaborative import content
from flutter_pipeline.collaborative.content import ContentConfig, ContentScorer, train_content
from flutter_pipeline.collaborative.likes import IntArray, Likes, likes_of_sequences
from flutter_pipeline.errors import CorpusError
from flutter_pipeline_tests.conformance.scorers import (
    EVERY_FLIT,
    FLITS,
    ScorerConformance,
    strangers,
)

# Flit 1 is at 60 degrees from flit 0, flit 2 at a right angle to it, flit 3 has no vector.
VECTORS = np.array([[1, 0], [0.5, np.sqrt(0.75)], [0, 1], [0, 0]], dtype=np.float32)
PLAIN = ContentConfig(sharpness=1, decay_per_like=0.5)


class TestContent(ScorerConformance):
    def scorer_of(self, likes: Likes, columns: IntArray = EVERY_FLIT) -> ContentScorer:
        # Flits of one kind point the same way, more or less.
        vectors = np.random.default_rng(0).standard_normal((FLITS, 8)).astype(np.float32)
        vectors[np.arange(FLITS), np.arange(FLITS) % 2] += 5
        return train_content(likes, vectors, columns, ContentConfig())

    def test_without_anything_to_learn_from_it_knows_nothing_or_says_so(self):
        """Content needs no likes to learn from."""
        scorer = self.scorer_of(strangers())
        assert (scorer.scores(strangers([0, 2, 4])) > 0).any()


def scores(config: ContentConfig, *sequence: int) -> list[float]:
    likes = likes_of_sequences([np.array(sequence, dtype=np.int64)], 4)
    found = train_content(likes, VECTORS, np.arange(4), config).scores(likes)
    return found[0].tolist()


def test_a_flit_scores_its_cosine_to_each_like_newer_ones_counting_more():
    # Liked 0, then 2: cosines to 2 count whole, to 0 half.
    assert scores(PLAIN, 0, 2) == pytest.approx([0.5, np.sqrt(0.75) + 0.25, 1, 0])


def test_sharpness_leaves_only_what_is_really_near():
    assert scores(PLAIN.model_copy(update={"sharpness": 2}), 0) == pytest.approx([1, 0.25, 0, 0])


def test_what_points_away_counts_nothing():
    likes = likes_of_sequences([np.array([0])], 2)
    vectors = np.array([[1, 0], [-1, 0]], dtype=np.float32)
    found = train_content(likes, vectors, np.arange(2), ContentConfig(sharpness=2))
    assert found.scores(likes).tolist() == [[1, 0]]


def test_blocks_of_any_size_add_up_to_the_same(monkeypatch):
    whole = scores(PLAIN, 0, 1, 2)
    monkeypatch.setattr(content, "CELLS", 4)
    assert scores(PLAIN, 0, 1, 2) == pytest.approx(whole)


def test_vectors_of_other_flits_are_refused():
    likes = likes_of_sequences([np.array([0])], 5)
    with pytest.raises(CorpusError, match="4 vectors for 5 flits"):
        train_content(likes, VECTORS, np.arange(5), PLAIN)
