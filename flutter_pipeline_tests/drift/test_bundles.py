import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from flutter_pipeline.drift.bundles import bundles_of, sampled

BIRDS = pd.Series(["a", "a", "b", "a", "c", "c"])
DAYS = pd.Series(["1", "1", "1", "2", "2", "2"])


def test_the_first_sums_are_the_day_as_it_was():
    bundles = bundles_of(BIRDS, DAYS, "2", permutations=5, seed=0)
    inside, outside = bundles.sums(np.arange(6.0)[:, None])
    assert inside[0] == 3 + 4 + 5 and outside[0] == 0 + 1 + 2
    assert (inside + outside == 15).all()


def test_what_a_bird_did_on_a_day_stays_together():
    # Bundles: a on 1 (2 rows), b on 1 (1), a on 2 (1), c on 2 (2). A shuffled day has two.
    bundles = bundles_of(BIRDS, DAYS, "2", permutations=200, seed=0)
    rows = np.eye(6)
    inside, _ = bundles.sums(rows)
    assert bundles.is_today.sum() == 2
    assert (inside[:, 0] == inside[:, 1]).all() and (inside[:, 4] == inside[:, 5]).all()
    assert set(inside.sum(axis=1)) == {2, 3, 4}


def test_sparse_and_dense_features_have_the_same_sums():
    bundles = bundles_of(BIRDS, DAYS, "1", permutations=20, seed=1)
    rows = np.random.default_rng(0).integers(0, 3, size=(6, 4)).astype(np.float64)
    for dense, sparse in zip(bundles.sums(rows), bundles.sums(csr_matrix(rows)), strict=True):
        np.testing.assert_array_equal(dense, sparse)


def test_a_sample_takes_whole_birds_in_any_order_of_rows():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"bird_id": [f"b{n}" for n in rng.integers(0, 50, size=300)]})
    rows["row"] = range(300)
    some = sampled(rows, 100)
    assert 100 <= len(some) < 150
    taken = set(some["bird_id"])
    assert set(rows.loc[rows["bird_id"].isin(taken), "row"]) == set(some["row"])
    again = sampled(rows.sample(frac=1, random_state=1), 100)
    assert set(again["row"]) == set(some["row"])


def test_two_days_are_sampled_by_mostly_the_same_birds():
    one, other = (
        sampled(pd.DataFrame({"bird_id": [f"b{n}" for n in range(start, start + 200)]}), 50)
        for start in (0, 20)
    )
    assert len(set(one["bird_id"]) & set(other["bird_id"])) > 35


def test_few_rows_are_all_taken():
    rows = pd.DataFrame({"bird_id": ["a", "b"]})
    assert sampled(rows, 50) is rows
