import pandas as pd
import pytest

from flutter_pipeline.candidates.propose import SOURCES, USED
from flutter_pipeline.contracts.table import PANDAS_DTYPES
from flutter_pipeline.contracts.tables import RANKED_CANDIDATES
from flutter_pipeline.filtering.because import REASONS, MadeBy, feed_table, reasons
from flutter_pipeline.filtering.exploration import EXPLORE

MADE_BY = MadeBy(1_700_000_000_000_000, {"bert": "e1", "tfidf": "t1"}, "r1")
TEXTS = pd.DataFrame({"flit_id": ["f1", "f2"], "text_clean": ["owls hoot", ""]})


def rows(*each: tuple[str, str, str | None, str]) -> pd.DataFrame:
    """(bird, flit, the liked flit or None, best source), as the feed rules leave them."""
    frame = pd.DataFrame(each, columns=["bird_id", "flit_id", "because_id", "best_source"])
    return frame.assign(
        bird_id=frame["bird_id"].astype("category"),
        flit_id=frame["flit_id"].astype("category"),
        because_id=frame["because_id"].astype("category"),
        rank=pd.Series(range(1, len(frame) + 1), dtype="int32"),
        score=pd.Series([0.5] * len(frame), dtype="float32"),
        sources="taste",
    )


def reason(text: str | None, source: str) -> str:
    texts = pd.Series([text], dtype="str")
    return reasons(texts, pd.Series([source], dtype="str")).iloc[0]


def test_the_liked_flit_is_quoted():
    assert (
        reason("owls  hoot\nat night ", "interest_bert") == "because you liked “owls hoot at night”"
    )


def test_a_long_flit_is_cut_to_sixty_characters():
    assert reason("x" * 60, "taste") == f"because you liked “{'x' * 60}”"
    assert reason("x" * 59 + " yz", "taste") == f"because you liked “{'x' * 59}…”"


def test_without_a_liked_flit_the_source_is_the_reason():
    assert reason(None, "popular") == "popular or new today"
    assert reason(None, "fresh") == "new today"
    assert reason(None, "explore") == "new here: few have seen it"


def test_of_a_source_that_is_not_known_no_more_is_said_than_its_name():
    assert reason(None, "talked_about") == "proposed by talked_about"
    assert reason("owls hoot", "talked_about") == "because you liked “owls hoot”"


@pytest.mark.parametrize("source", ["interest_bert", "taste", "factors", "like_birds", "spectral"])
def test_what_knows_birds_alike_says_so(source: str):
    assert reason(None, source) == "birds like you liked it"


def test_what_is_used_without_a_setting_has_a_reason_in_words_and_no_reason_is_of_no_source():
    assert {*USED, EXPLORE} <= set(REASONS) <= {*SOURCES, EXPLORE}


def test_a_liked_flit_without_words_is_not_quoted():
    assert reason("  ", "popular") == "popular or new today"
    assert reason("", "interest_bert") == "birds like you liked it"


def test_the_feed_table_is_the_contracts_in_columns_and_types():
    table = feed_table(
        rows(("b1", "f9", "f1", "interest_bert"), ("b1", "f8", None, "popular")), TEXTS, MADE_BY
    )
    assert list(table.columns) == RANKED_CANDIDATES.names
    for column in RANKED_CANDIDATES.columns:
        if not column.nullable:
            assert str(table[column.name].dtype) == PANDAS_DTYPES.get(column.dtype, column.dtype)
    assert set(table["as_of"]) == {pd.Timestamp("2023-11-14 22:13:20", tz="UTC")}
    assert table["because"].tolist() == ["because you liked “owls hoot”", "popular or new today"]
    assert set(table["ranker_version"]) == {"r1"}


def test_the_encoder_and_its_version_are_named_where_an_encoder_placed_the_flit():
    table = feed_table(
        rows(("b1", "f9", "f1", "interest_bert"), ("b1", "f8", "f2", "taste")), TEXTS, MADE_BY
    )
    assert table["encoder"].iloc[0] == "bert" and table["embedding_version"].iloc[0] == "e1"
    assert table[["encoder", "embedding_version"]].iloc[1].isna().all()


def test_feeds_without_any_reason_or_row_are_tables_too():
    nobody = feed_table(rows(("b1", "f8", None, "fresh")), TEXTS, MADE_BY)
    assert nobody["because"].tolist() == ["new today"]
    empty = feed_table(rows(("b1", "f8", None, "fresh")).head(0), TEXTS, MADE_BY)
    assert len(empty) == 0 and list(empty.columns) == RANKED_CANDIDATES.names
