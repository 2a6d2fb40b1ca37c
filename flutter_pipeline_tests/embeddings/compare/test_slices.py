import numpy as np
import pandas as pd

from flutter_pipeline.embeddings.compare.slices import LANGUAGES, flit_slices

NEWEST = pd.Timestamp("2026-02-01", tz="UTC")


def cleaned(**columns: list) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    given = {
        "flit_id": [f"f{row}" for row in range(n)],
        "bird_id": [f"b{row}" for row in range(n)],
        "created_at": [NEWEST] * n,
        "n_tokens": [3] * n,
        "lang": ["en"] * n,
        "minhash": [bytes([row]) for row in range(n)],
        **columns,
    }
    return pd.DataFrame(given)


def cut(by: str, table: pd.DataFrame) -> list:
    return flit_slices(table, table["flit_id"].to_numpy(dtype=object))[by].tolist()


def test_ages_are_counted_back_from_the_newest_flit():
    days = [0, 0.5, 1, 6.9, 7, 30]
    table = cleaned(created_at=[NEWEST - pd.Timedelta(days=d) for d in days])
    assert cut("age", table) == [
        *["last day"] * 2,
        *["1 to 7 days"] * 2,
        "7 to 30 days",
        "older",
    ]


def test_lengths_are_counted_in_words():
    assert cut("length", cleaned(n_tokens=[0, 5, 6, 15, 16, 30, 31])) == [
        *["up to 5 words"] * 2,
        *["6 to 15 words"] * 2,
        *["16 to 30 words"] * 2,
        "longer",
    ]


def test_authors_are_told_apart_by_all_their_flits():
    table = cleaned(bird_id=["often"] * 10 + ["twice"] * 2 + ["once"])
    found = flit_slices(table, np.array(["f0", "f11", "f12"], dtype=object))["author"]
    assert found.tolist() == ["10 to 99 flits", "2 to 9 flits", "1 flit"]


def test_flits_of_one_signature_are_near_copies():
    assert cut("copies", cleaned(minhash=[b"a", b"b", b"a"])) == [
        "has near-copies",
        "one of its kind",
        "has near-copies",
    ]


def test_rare_languages_are_one_slice_and_the_most_frequent_comes_first():
    rare = [f"l{number}" for number in range(LANGUAGES)]
    table = cleaned(lang=[*rare, *["ja"] * 2])
    found = flit_slices(table, table["flit_id"].to_numpy(dtype=object))["language"]
    assert found.cat.categories[0] == "ja" and found.iloc[-1] == "ja"
    assert (found == "other languages").sum() == 1


def test_a_flit_that_is_not_known_is_of_no_kind():
    found = flit_slices(cleaned(lang=["en"]), np.array(["gone", "f0"], dtype=object))
    assert found["language"].isna().tolist() == [True, False]
