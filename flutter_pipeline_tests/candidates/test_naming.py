import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import known_before
from flutter_pipeline.birds.interests import InterestConfig, find_interests
from flutter_pipeline.candidates.naming import (
    interests_with_codes,
    interests_with_ids,
    with_codes,
    with_ids,
)
from flutter_pipeline.contracts.results import BIRD_INTERESTS
from flutter_pipeline_tests.birds.small_networks import Flits, days, network_of

NETWORK = network_of(3, Flits(author=[2, 2, 2], created=[0, 0, 0]), [(0, 1, "like", 1)])
CODED = pd.DataFrame(
    {
        "bird": np.array([0, 0, 1]),
        "flit": np.array([2, 1, 0]),
        "rank_taste": np.array([1, 2, 1], dtype=np.int32),
        "because": np.array([1, -1, 2]),
        "best_source": ["taste", "taste", "taste"],
    },
    index=[7, 8, 9],
)


def test_codes_become_ids_and_no_reason_becomes_null():
    named = with_ids(CODED, NETWORK)
    assert list(named.columns) == ["bird_id", "flit_id", "because_id", "rank_taste", "best_source"]
    assert named["bird_id"].tolist() == ["b00", "b00", "b01"]
    assert named["flit_id"].tolist() == ["f002", "f001", "f000"]
    assert named["because_id"].isna().tolist() == [False, True, False]
    assert named["because_id"].iloc[0] == "f001"
    assert named["rank_taste"].tolist() == [1, 2, 1]


def test_a_table_names_no_flit_that_is_in_none_of_its_rows():
    named = with_ids(CODED.head(1), NETWORK)
    assert named["flit_id"].cat.categories.tolist() == ["f002"]
    assert named["because_id"].cat.categories.tolist() == ["f001"]


def test_codes_come_back_from_ids_as_they_were():
    back = with_codes(with_ids(CODED, NETWORK), NETWORK)
    pd.testing.assert_frame_equal(back[list(CODED.columns)], CODED)


def test_codes_come_back_from_ids_that_went_through_a_file(tmp_path):
    with_ids(CODED, NETWORK).to_parquet(tmp_path / "candidates.parquet")
    read = pd.read_parquet(tmp_path / "candidates.parquet")
    back = with_codes(read, NETWORK).reset_index(drop=True)
    pd.testing.assert_frame_equal(back[list(CODED.columns)], CODED.reset_index(drop=True))


def test_ids_keep_their_meaning_in_a_network_that_numbers_otherwise():
    # Bird b00 is gone there, so b01 and b02 have other codes.
    other = network_of(3, Flits(author=[2, 2, 2], created=[0, 0, 0]))
    other = type(other)(**{**other.__dict__, "bird_ids": np.array(["b01", "b02"], dtype=object)})
    assert with_codes(with_ids(CODED, NETWORK), other)["bird"].tolist() == [-1, -1, 0]


def test_a_table_without_rows_keeps_its_columns():
    named = with_ids(CODED.head(0), NETWORK)
    assert list(named.columns) == ["bird_id", "flit_id", "because_id", "rank_taste", "best_source"]
    assert len(with_codes(named, NETWORK)) == 0


def test_interests_of_all_encoders_are_stacked_with_ids():
    history = known_before(NETWORK, int(days([2])[0]))
    vectors = np.eye(3, dtype=np.float32)
    found = find_interests(history, vectors, np.arange(3), InterestConfig())
    table = interests_with_ids({"tfidf": found, "bert": found}, NETWORK)
    assert table[["encoder", "bird_id", "flit_id"]].astype(str).to_numpy().tolist() == [
        ["tfidf", "b00", "f001"],
        ["bert", "b00", "f001"],
    ]
    assert table["n_likes"].tolist() == [1, 1]
    back = interests_with_codes(table, NETWORK, ["bert", "cbow"])
    assert back["bert"].flit.tolist() == found.flit.tolist()
    assert back["bert"].weight.tolist() == found.weight.tolist()
    assert len(back["cbow"]) == 0


def test_no_interests_are_a_table_without_rows():
    none = network_of(2, Flits(author=[0], created=[0]))
    history = known_before(none, int(days([2])[0]))
    found = find_interests(history, np.ones((1, 1), np.float32), np.arange(2), InterestConfig())
    table = interests_with_ids({"tfidf": found}, none)
    assert len(table) == 0
    assert list(table.columns) == BIRD_INTERESTS.names
    assert len(interests_with_codes(table, none, ["tfidf"])["tfidf"]) == 0
