import pandas as pd

from flutter_pipeline.contracts.results import EMBEDDING_COMPARISON
from flutter_pipeline.reports.encoder_table import encoders_section
from flutter_pipeline_tests.reports.small_reports import EVIL, Markup, words_of

NOT_YET = dict.fromkeys(("previous", "overlap", "cka", "residual", "divergence"))


def encoder(name: str, ndcg: float | None, **more: object) -> dict[str, object]:
    return {
        "encoder": name,
        "version": "v1",
        "dim": 4,
        "flits": 1024,
        "size_mb": 1.0,
        "train_seconds": 2.0,
        "flits_per_second": 3000.0,
        "recall_at_10": 1.0,
        "ndcg": ndcg,
        "low": ndcg,
        "high": ndcg,
        **NOT_YET,
        **more,
    }


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=EMBEDDING_COMPARISON.names)


def test_the_best_encoder_stands_first_beside_its_cost():
    words = words_of(encoders_section(table(encoder("tfidf", 0.1), encoder("bert", 0.2))))
    assert words.index("bert") < words.index("tfidf")
    # A mebibyte among 1024 flits is a kibibyte each.
    assert "1,024" in words and "3,000" in words


def test_what_changed_since_the_version_before_is_told():
    changed = encoder(
        "cbow", 0.1, previous="v0", overlap=0.5, cka=0.9, residual=0.1, divergence=2.0
    )
    words = words_of(encoders_section(table(changed)))
    assert "v0" in words and "neighbours kept" in words
    assert "No other version" in words_of(encoders_section(table(encoder("cbow", 0.1))))


def test_costs_are_told_also_where_nothing_could_be_measured():
    section = encoders_section(table(encoder(EVIL, None)))
    assert "too few days" in words_of(section)
    assert "script" not in Markup(section.body).names()


def test_without_encoders_it_says_so():
    assert "No encoder has been measured yet" in words_of(encoders_section(table()))
