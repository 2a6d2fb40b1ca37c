import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flutter_pipeline.errors import VersionError
from flutter_pipeline.text.copy_groups import near_copy_groups
from flutter_pipeline.text.near_copies import NearCopyConfig, signatures_of

CONFIG = NearCopyConfig()

BIRDSONG = (
    "early this morning a small wren sang on the garden fence until the rain came and it flew off"
)
BIRDSONG_AGAIN = BIRDSONG + " again"
TRAIN = (
    "the train to the coast is late once more so we sit on our bags and count the clouds instead"
)


def groups(*texts: str, config: NearCopyConfig = CONFIG) -> list[int]:
    tokens = pl.Series([text.split() for text in texts], dtype=pl.List(pl.String))
    return near_copy_groups(
        pd.Series(signatures_of(tokens, config), dtype="object"), config
    ).tolist()


def random_signatures(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << 16, size=(rows, 64), dtype=np.uint16)


def grouped(signatures: np.ndarray) -> np.ndarray:
    rows = pd.Series([row.tobytes() for row in signatures.astype("<u2")], dtype="object")
    return near_copy_groups(rows, CONFIG)


def test_near_copies_share_the_group_of_the_first_of_them():
    assert groups(TRAIN, BIRDSONG, BIRDSONG_AGAIN, BIRDSONG) == [0, 1, 1, 1]


def test_flits_without_signature_are_alone_even_if_alike():
    assert groups("hello", "hello", "", BIRDSONG, "") == [0, 1, 2, 3, 4]


def test_no_flits_have_no_groups():
    assert groups() == []


def test_a_higher_threshold_separates_what_a_lower_one_joins():
    # 17 + 17 shingles of which 13 differ by one changed word in the middle: about .8.
    changed = BIRDSONG.replace("garden", "old")
    assert groups(BIRDSONG, changed) == [0, 0]
    assert groups(BIRDSONG, changed, config=NearCopyConfig(threshold=0.95)) == [0, 1]


def test_copies_of_copies_are_one_group():
    base = random_signatures(1, seed=0)[0]
    chain = np.stack([base, base, base])
    # Neighbours agree in 52 of 64 places (.81), the two ends in 40 (.63).
    chain[1, :12] += 1
    chain[2] = chain[1]
    chain[2, 12:24] += 1
    assert grouped(chain).tolist() == [0, 0, 0]
    assert grouped(chain[[0, 2]]).tolist() == [0, 1]


def test_agreeing_in_a_band_is_not_enough():
    two = random_signatures(2, seed=0)
    two[1, :8] = two[0, :8]
    assert grouped(two).tolist() == [0, 1]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000), shuffle=st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_rows(seed: int, shuffle):
    rng = np.random.default_rng(seed)
    signatures = random_signatures(8, seed)[rng.integers(0, 8, size=60)]
    blurred = rng.random(signatures.shape) < 0.12
    signatures[blurred] = rng.integers(0, 1 << 16, size=int(blurred.sum()))
    order = list(range(60))
    shuffle.shuffle(order)
    straight, shuffled = grouped(signatures), grouped(signatures[order])
    together = straight[:, None] == straight[None, :]
    assert np.array_equal(together[np.ix_(order, order)], shuffled[:, None] == shuffled[None, :])


def test_each_group_is_named_by_its_first_row():
    signatures = random_signatures(5, seed=3)[[4, 1, 4, 0, 1, 4]]
    assert grouped(signatures).tolist() == [0, 1, 0, 3, 1, 0]


def test_a_flood_of_alike_flits_is_one_group_in_a_moment():
    rng = np.random.default_rng(0)
    flood = np.repeat(random_signatures(1, seed=0), 50_000, axis=0)
    blurred = rng.random(flood.shape) < 0.05
    flood[blurred] = rng.integers(0, 1 << 16, size=int(blurred.sum()))
    flood[:20_000] = flood[0]
    rows = np.concatenate([flood, random_signatures(1000, seed=1)])
    found = grouped(rows)
    assert (found[:50_000] == 0).mean() > 0.999
    assert found[50_000:].tolist() == list(range(50_000, 51_000))


def test_signatures_of_another_length_are_refused():
    with pytest.raises(VersionError, match=r"row 1 has 64 bytes, but 64 places take 128"):
        near_copy_groups(pd.Series([b"", b"x" * 64], dtype="object"), CONFIG)
