import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from flutter_pipeline.birds.numbering import codes_of, grouped, in_order

SHORT = st.text(alphabet="ab", min_size=1, max_size=2)


def test_an_id_is_its_place_among_all_and_an_unknown_one_is_minus_one():
    assert codes_of(pd.Series(["c", "a", "x", "a"]), ["a", "b", "c"]).tolist() == [2, 0, -1, 0]


def test_an_id_that_is_missing_is_not_there():
    asked = pd.Series(["b", None], dtype="str")
    assert codes_of(asked, pd.Index(["a", "b"])).tolist() == [1, -1]


def test_categories_and_python_strings_are_looked_up_alike():
    for dtype in ("str", "object", "category"):
        assert codes_of(pd.Series(["b", "a"], dtype=dtype), ["a", "b"]).tolist() == [1, 0]


def test_nothing_has_no_codes():
    assert codes_of(pd.Series([], dtype="str"), ["a"]).tolist() == []
    assert codes_of(pd.Series(["a"], dtype="str"), []).tolist() == [-1]


def test_rows_of_one_moment_are_ordered_by_the_first_tie_then_the_second():
    times, bird, flit = (np.array(some) for some in ([5, 1, 5, 5], [2, 9, 1, 1], [0, 0, 8, 7]))
    assert in_order(times, bird, flit).tolist() == [1, 3, 2, 0]


@given(st.lists(st.tuples(st.integers(-3, 3), SHORT, st.integers(0, 2)), max_size=30))
def test_the_order_is_that_of_a_full_sort(rows: list[tuple[int, str, int]]):
    times = np.array([row[0] for row in rows], dtype=np.int64)
    names = pd.Series([row[1] for row in rows], dtype="str")
    numbers = np.array([row[2] for row in rows], dtype=np.int64)
    full = np.lexsort((numbers, names.to_numpy(dtype=object), times))
    assert in_order(times, names, numbers).tolist() == full.tolist()


def test_rows_of_one_code_stand_together_in_their_order_few_codes_or_many():
    for far in (3, 70_000):
        codes = np.array([far, 1, far, 0, 1])
        assert grouped(codes).tolist() == [3, 1, 4, 0, 2]
