from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flutter_pipeline.embeddings.bert.config import BertConfig, FineTuneConfig
from flutter_pipeline.embeddings.cbow.encoder import CbowEncoder
from flutter_pipeline.embeddings.encoder import Lessons
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.embeddings.variants import (
    VARIANTS,
    Variant,
    chosen_variants,
    train_variant,
    with_plain,
)
from flutter_pipeline.errors import ConfigError

FLITS = ["owl hoots", "owl hoots twice", "wren sings", "wren sings owl", "lone"]
SMALL = {"min_flits": 1, "max_share": 1.0}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_of_an_encoder_that_takes_its_settings(name):
    variant = VARIANTS[name]
    assert variant.encoder in ENCODERS
    assert isinstance(variant.config(), variant.kind.config)


def test_the_plain_names_are_encoders_with_the_settings_that_are_theirs():
    assert VARIANTS["tfidf"].config({"dim": 7}) == ENCODERS["tfidf"].config(dim=7)
    assert VARIANTS["cbow"].config() == ENCODERS["cbow"].config()


def test_an_encoder_of_which_there_is_no_variant_is_one_as_it_is():
    hashed = replace(ENCODERS["lsa"], name="hashed", title="Adds words up.")
    variants = with_plain([VARIANTS["bm25"]], {"tfidf": ENCODERS["tfidf"], "hashed": hashed})
    assert variants == {
        "bm25": VARIANTS["bm25"],
        "hashed": Variant("hashed", "Adds words up", "hashed", {}),
    }


def test_what_makes_a_variant_wins_over_settings():
    assert VARIANTS["bert_cls"].config({"pooling": "mean"}) == BertConfig(pooling="cls")


def test_what_is_set_for_an_inner_section_stays_but_for_what_makes_the_variant():
    config = VARIANTS["bert_tuned"].config({"fine_tune": {"on": False, "seed": 3}})
    assert config == BertConfig(fine_tune=FineTuneConfig(on=True, seed=3))


def trained(name: str):
    variant = VARIANTS[name]
    return train_variant(variant, variant.config(SMALL), Lessons(FLITS))


def test_the_bag_of_words_counts():
    bag = trained("bag_of_words")
    # Columns: owl, which is in three flits; hoots, sings, wren, in two each; lone, twice.
    assert csr_matrix(bag.rows(["owl owl wren"])).toarray().tolist() == [[2, 0, 0, 1, 0, 0]]
    assert bag.dim == 6


def test_sparse_weights_have_a_column_a_word_and_rows_of_length_one():
    rows = csr_matrix(trained("tfidf_words").rows(FLITS)).toarray()
    assert rows.shape == (5, 6)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(5))


def test_words_that_are_columns_of_their_own_have_no_likeness_to_ask_for():
    assert trained("tfidf_words").words(["owl"]) is None


def test_a_word_of_cbow_is_its_own_vector():
    variant = VARIANTS["cbow"]
    config = variant.config({"min_flits": 1, "dim": 8, "epochs": 1, "words_to_read": 0})
    found = train_variant(variant, config, Lessons(FLITS))
    words = found.words(["owl", "nightjar"])
    assert words is not None
    assert isinstance(found.encoder, CbowEncoder)
    assert words == pytest.approx(found.encoder.word_vectors(["owl", "nightjar"]))
    assert words.any(axis=1).tolist() == [True, False]


def test_a_slow_learner_takes_every_so_many_th_flit():
    # 60,000 flits at most 25,000: every third, 20,000 of them.
    lessons = VARIANTS["cbow_paper"].lessons(Lessons([str(number) for number in range(60_000)]))
    assert len(lessons.flits) == 20_000
    assert lessons.flits[:3] == ["0", "3", "6"]
    assert VARIANTS["cbow"].lessons(lessons) is lessons


def test_all_variants_are_chosen_by_name_in_the_order_asked():
    assert [v.name for v in chosen_variants(["all"])] == [n for n in VARIANTS if n != "bert_tuned"]
    assert [v.name for v in chosen_variants(["cbow", "tfidf", "cbow"])] == ["cbow", "tfidf"]


def test_no_variant_says_which_there_are():
    with pytest.raises(ConfigError, match="no variant is named; use 'all', or some of bag_of"):
        chosen_variants([])


def test_an_unknown_variant_says_which_there_are():
    with pytest.raises(ConfigError, match=r"no variant 'word2vec'; use 'all', or some of .*cbow"):
        chosen_variants(["word2vec"])
