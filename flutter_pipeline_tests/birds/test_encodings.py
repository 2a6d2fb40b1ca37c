import pytest

from flutter_pipeline.birds.encodings import Categories, learn_categories
from flutter_pipeline.errors import ContractError, CorpusError

# The four birds of V. Boykis, "What are embeddings" (2023).
COUNTRIES = ["US", "UK", "NZ", "UK"]
NZ_UK_US = Categories(("NZ", "UK", "US"))


def test_categories_are_learnt_in_order_of_the_alphabet():
    assert learn_categories(COUNTRIES) == NZ_UK_US


def test_ordinal_codes_are_those_of_the_text():
    assert NZ_UK_US.ordinal_codes(["US", "UK", "NZ"]).tolist() == [2, 1, 0]


def test_one_hot_codes_are_those_of_the_text():
    assert NZ_UK_US.one_hot_codes(["US", "UK", "NZ"]).tolist() == [
        [0, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
    ]


def test_indicator_codes_need_one_column_less():
    assert NZ_UK_US.indicator_codes(["US", "UK", "NZ"]).tolist() == [[0, 1], [1, 0], [0, 0]]


def test_a_category_that_was_not_learnt_has_no_ordinal_code_and_an_empty_row():
    assert NZ_UK_US.ordinal_codes(["FR", "ZZ", "", None]).tolist() == [-1, -1, -1, -1]
    assert NZ_UK_US.one_hot_codes(["FR"]).tolist() == [[0, 0, 0]]


def test_indicator_codes_refuse_a_category_that_was_not_learnt():
    with pytest.raises(ContractError, match="'FR' is none of the 3 categories NZ, UK, US"):
        NZ_UK_US.indicator_codes(["US", "FR"])


def test_no_values_give_no_rows():
    assert NZ_UK_US.ordinal_codes([]).shape == (0,)
    assert NZ_UK_US.one_hot_codes([]).shape == (0, 3)
    assert NZ_UK_US.indicator_codes([]).shape == (0, 2)


def test_values_that_are_all_empty_are_refused():
    with pytest.raises(CorpusError, match="no categories in 2 values"):
        learn_categories([None, ""])
