from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from datasketch import MinHash
from pydantic import ValidationError

from flutter_pipeline.text.near_copies import NearCopyConfig, signatures_of

CONFIG = NearCopyConfig()


def signed(*texts: str, config: NearCopyConfig = CONFIG) -> list[np.ndarray]:
    tokens = pl.Series([text.split() for text in texts], dtype=pl.List(pl.String))
    return [np.frombuffer(each, dtype="<u2") for each in signatures_of(tokens, config)]


def pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(text.split()))


def test_a_signature_has_two_bytes_a_place():
    tokens = pl.Series([["four", "birds", "in", "line"]])
    assert [len(each) for each in signatures_of(tokens, CONFIG)] == [2 * 64]


def test_short_flits_have_no_signature():
    tokens = pl.Series([[], ["one"], ["only", "three", "tokens"]], dtype=pl.List(pl.String))
    assert signatures_of(tokens, CONFIG) == [b"", b"", b""]


def test_no_flits_have_no_signatures():
    assert signatures_of(pl.Series([], dtype=pl.List(pl.String)), CONFIG) == []


def test_the_same_tokens_have_the_same_signature_whatever_stands_around_them():
    alone = signed("a wren sings at dawn")
    among = signed("x", "rain again all day long", "a wren sings at dawn", "so it goes on")
    assert np.array_equal(alone[0], among[2])


def test_signatures_do_not_change_between_releases():
    # Stored signatures of earlier days are compared with new ones; a change here is a new version.
    first = signed("a wren sings at dawn")[0][:4]
    assert first.tolist() == [61525, 38654, 54184, 34025]


def test_the_share_of_equal_places_estimates_the_jaccard_similarity():
    first = " ".join(f"w{i}" for i in range(101))
    second = " ".join(f"w{i}" for i in range(20, 121))
    # 100 shingles each, 80 of them common: 80 / 120.
    assert len(pairs(first) & pairs(second)) / len(pairs(first) | pairs(second)) == 80 / 120
    many = NearCopyConfig(places=1024)
    left, right = signed(first, second, config=many)
    # Three standard errors: 3 * sqrt(.667 * .333 / 1024).
    assert (left == right).mean() == pytest.approx(80 / 120, abs=0.045)


def test_estimates_are_as_good_as_a_librarys():
    rng = np.random.default_rng(0)
    own_errors, library_errors = [], []
    for _ in range(200):
        words = [f"w{i}" for i in rng.integers(0, 1000, size=20)]
        changed = [word if rng.random() < 0.9 else "other" for word in words]
        first, second = " ".join(words), " ".join(changed)
        jaccard = len(pairs(first) & pairs(second)) / len(pairs(first) | pairs(second))
        left, right = signed(first, second)
        own_errors.append((left == right).mean() - jaccard)
        sketches = [MinHash(num_perm=64), MinHash(num_perm=64)]
        for sketch, text in zip(sketches, (first, second), strict=True):
            sketch.update_batch([" ".join(pair).encode() for pair in pairs(text)])
        library_errors.append(sketches[0].jaccard(sketches[1]) - jaccard)
    assert abs(np.mean(own_errors)) < 0.015
    assert np.std(own_errors) < 1.25 * np.std(library_errors)


def test_texts_without_a_common_shingle_share_no_place():
    left, right = signed("one two three four five", "six seven eight nine ten")
    assert (left == right).sum() <= 1


def test_another_seed_makes_other_signatures():
    text = "a wren sings at dawn"
    other = NearCopyConfig(seed=1)
    assert not np.array_equal(signed(text)[0], signed(text, config=other)[0])


def test_single_tokens_can_be_shingles():
    config = NearCopyConfig(shingle=1)
    left, right = signed("a b c d", "d c b a", config=config)
    assert np.array_equal(left, right)


def test_a_minimum_below_the_shingle_says_what_to_change():
    with pytest.raises(ValidationError, match="raise `min_tokens` or lower `shingle`"):
        NearCopyConfig(shingle=3, min_tokens=2)
