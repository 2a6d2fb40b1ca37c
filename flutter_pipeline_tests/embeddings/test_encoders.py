import subprocess
import sys

import pytest
from pydantic import BaseModel

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.encoder import Encoder, Lessons
from flutter_pipeline.embeddings.encoders import ENCODERS, EncoderKind, encoder_kind
from flutter_pipeline.embeddings.lda import LdaConfig
from flutter_pipeline.embeddings.lsa import LsaConfig
from flutter_pipeline.embeddings.pca import PcaConfig
from flutter_pipeline.embeddings.tfidf import TfidfConfig
from flutter_pipeline.errors import ConfigError
from flutter_pipeline_tests.conformance.encoders import CORPUS, EncoderPromises

# (encoder, a config that suits a corpus of eighty flits, how much company may change a row)
ROWS = {
    "tfidf": ("tfidf", TfidfConfig(dim=4), 0.0),
    "tfidf-bm25": ("tfidf", TfidfConfig(dim=4, weights="bm25"), 0.0),
    "lsa": ("lsa", LsaConfig(dim=4), 0.0),
    "pca": ("pca", PcaConfig(dim=4), 0.0),
    "lda": ("lda", LdaConfig(dim=4, max_share=0.5), 0.0),
    "cbow": ("cbow", CbowConfig(dim=8), 0.0),
    "cbow-skip-gram": ("cbow", CbowConfig(architecture="skip_gram", dim=8), 0.0),
    "cbow-ngrams": ("cbow", CbowConfig(dim=8, buckets=2**20), 0.0),
    "cbow-softmax": ("cbow", CbowConfig(objective="softmax", window=1, dim=8, epochs=5), 0.0),
    "bert": ("bert", BertConfig(dtype="float32"), 1e-5),
    # bfloat16 keeps eight binary digits, and kernels differ with the shape of a batch.
    "bert-bfloat16": ("bert", BertConfig(dtype="bfloat16"), 3e-3),
}


@pytest.fixture(scope="module", params=ROWS)
def row(request: pytest.FixtureRequest) -> tuple[str, BaseModel, float]:
    return ROWS[request.param]


@pytest.fixture(scope="module")
def kind(row: tuple[str, BaseModel, float]) -> EncoderKind:
    return encoder_kind(row[0])


@pytest.fixture(scope="module")
def config(row: tuple[str, BaseModel, float]) -> BaseModel:
    return row[1]


@pytest.fixture(scope="module")
def tolerance(row: tuple[str, BaseModel, float]) -> float:
    return row[2]


@pytest.fixture(scope="module")
def encoder(kind: EncoderKind, config: BaseModel) -> Encoder:
    return kind.train(Lessons(CORPUS), config, no_progress)


class TestEveryEncoder(EncoderPromises):
    pass


def test_no_encoder_escapes_the_promises():
    assert {name for name, _, _ in ROWS.values()} == set(ENCODERS)


def test_encoders_are_found_by_name():
    assert encoder_kind("cbow").config is CbowConfig


def test_a_name_that_is_none_lists_the_names_there_are():
    with pytest.raises(ConfigError, match=r"no encoder 'word2vec'; use one of .*tfidf, cbow, bert"):
        encoder_kind("word2vec")


def test_listing_the_encoders_loads_no_heavy_library():
    program = (
        "import sys, flutter_pipeline.embeddings.encoders;"
        "print({'torch', 'transformers', 'sklearn', 'huggingface_hub', 'numba'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "set()"
