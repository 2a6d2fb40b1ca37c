import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from flutter_pipeline.adapters.encoder_contest import cost_of, encoded_in, numbered, trained_in
from flutter_pipeline.adapters.encoding import Known
from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.variants import VARIANTS

FLITS = pd.DataFrame({"tokens": ["owl hoots", "wren sings", "owl sings"] * 4, "text_clean": ""})
BAG = VARIANTS["bag_of_words"]


def silent(label: str, unit: str):
    return no_progress


def trained():
    return trained_in(BAG, BAG.config({"max_share": 1.0}), Known(FLITS), silent)


def test_training_and_encoding_are_timed():
    variant, train_seconds = trained()
    rows, encode_seconds = encoded_in(variant, FLITS, silent)
    assert rows.shape == (12, 4)
    assert train_seconds > 0
    assert encode_seconds > 0


def test_a_dense_row_takes_four_bytes_a_number():
    variant, _ = trained()
    cost = cost_of(variant, np.zeros((10, 4), dtype=np.float32), 2.0, 5.0)
    assert (cost.dim, cost.bytes_per_flit) == (4, 4 * 4)
    assert (cost.flits_per_second, cost.train_seconds) == (10 / 5.0, 2.0)


def test_a_sparse_row_takes_what_is_not_zero_and_its_columns():
    variant, _ = trained()
    # Three numbers of four bytes in two rows, each with a column of four bytes.
    rows = csr_matrix(np.array([[1, 2, 0, 0], [0, 0, 3, 0]], dtype=np.float32))
    assert cost_of(variant, rows, 0.0, 1.0).bytes_per_flit == pytest.approx(3 * 8 / 2)


def test_bars_say_which_variant_of_how_many_is_at_work():
    labels = []
    bars = numbered(lambda label, unit: labels.append((label, unit)) or no_progress, 2, 7)
    bars("cbow trains", "steps")
    assert labels == [("2 of 7: cbow trains", "steps")]
