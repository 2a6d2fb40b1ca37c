"""What every encoder promises, whatever it is made of. A test module subclasses this."""

import numpy as np
import pytest
from pydantic import BaseModel

from flutter_pipeline.contracts.state import no_progress
from flutter_pipeline.embeddings.encoder import Encoder, Lessons
from flutter_pipeline.embeddings.encoders import EncoderKind
from flutter_pipeline.errors import CorpusError

BIRDSONG = ["robin sings song", "lark sings song", "wren sings song", "robin lark sings tune"]
SEA = ["ship sails sea", "boat sails sea", "ferry sails sea", "ship boat sails ocean"]
CORPUS = tuple((BIRDSONG + SEA) * 10)


class EncoderPromises:
    """Give it the fixtures ``kind``, ``config`` (small), ``encoder`` (trained with the config on
    :data:`CORPUS`) and ``tolerance`` (how much a flit's company may change its row).
    """

    def test_rows_have_the_promised_length_type_and_layout(self, encoder: Encoder):
        rows = encoder.encode(CORPUS)
        assert rows.shape == (len(CORPUS), encoder.dim)
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous

    def test_rows_have_length_one(self, encoder: Encoder):
        np.testing.assert_allclose(np.linalg.norm(encoder.encode(CORPUS), axis=1), 1.0, rtol=1e-5)

    def test_no_flits_give_no_rows(self, encoder: Encoder):
        assert encoder.encode([]).shape == (0, encoder.dim)

    def test_a_flit_with_nothing_in_it_is_the_zero_row(self, encoder: Encoder):
        rows = encoder.encode(["", "robin sings", "  "])
        assert not rows[[0, 2]].any()
        assert rows[1].any()

    def test_a_flit_of_unknown_tokens_is_the_zero_row(
        self, kind: EncoderKind, config: BaseModel, encoder: Encoder
    ):
        if "flits" not in kind.learns_from(config):
            pytest.skip("it was trained elsewhere, and no word is unknown to it")
        assert not encoder.encode(["zzyzx qwertz"]).any()

    def test_an_unknown_token_beside_known_ones_changes_nothing(
        self, kind: EncoderKind, config: BaseModel, encoder: Encoder
    ):
        if "flits" not in kind.learns_from(config):
            pytest.skip("it was trained elsewhere, and no word is unknown to it")
        known, mixed = encoder.encode(["robin sings song", "robin zzyzx sings song"])
        np.testing.assert_allclose(known, mixed, atol=1e-6)

    def test_flits_that_share_tokens_are_nearer_than_flits_that_share_none(self, encoder: Encoder):
        robin, lark, ship = encoder.encode(
            ["robin sings song", "lark sings song", "ship sails sea"]
        )
        assert robin @ lark > robin @ ship

    def test_the_same_seed_trains_the_same_encoder(
        self, kind: EncoderKind, config: BaseModel, encoder: Encoder
    ):
        again = kind.train(Lessons(CORPUS), config, no_progress)
        assert again.encode(CORPUS).tobytes() == encoder.encode(CORPUS).tobytes()

    def test_its_state_brings_it_back_bit_for_bit(self, kind: EncoderKind, encoder: Encoder):
        again = kind.load(encoder.state())
        assert again.dim == encoder.dim
        assert again.encode(CORPUS).tobytes() == encoder.encode(CORPUS).tobytes()

    def test_its_state_holds_numbers_and_fixed_width_strings_only(self, encoder: Encoder):
        assert all(array.dtype.kind in "iufbU" for array in encoder.state().arrays.values())

    def test_a_flits_row_does_not_depend_on_its_company(self, encoder: Encoder, tolerance: float):
        flits = ["robin sings song", "ship " * 50, "", "boat sails sea", "lark"]
        together = encoder.encode(flits)
        backwards = encoder.encode(flits[::-1])[::-1]
        alone = np.concatenate([encoder.encode([flit]) for flit in flits])
        np.testing.assert_allclose(backwards, together, atol=tolerance)
        np.testing.assert_allclose(alone, together, atol=tolerance)

    def test_what_it_is_given_is_not_changed(self, kind: EncoderKind, config: BaseModel):
        flits = list(CORPUS)
        kind.train(Lessons(flits), config, no_progress).encode(flits)
        assert tuple(flits) == CORPUS

    def test_progress_rises_to_the_total(self, kind: EncoderKind, config: BaseModel):
        training: list[tuple[int, int]] = []
        encoding: list[tuple[int, int]] = []
        encoder = kind.train(
            Lessons(CORPUS), config, lambda done, total: training.append((done, total))
        )
        encoder.encode(["", *CORPUS], lambda done, total: encoding.append((done, total)))
        assert training == sorted(training)
        assert training[-1][0] == training[-1][1]
        assert encoding == sorted(encoding)
        assert encoding[-1] == (1 + 80, 81)

    def test_the_strangest_flits_get_rows_of_finite_numbers(self, encoder: Encoder):
        strange = [
            "robin " * 16_000,
            "🐦🎵😀" * 50,
            "\u200b\u200d",
            "x" * 100_000,
            "a\x00b",
            "鳥は歌う",
        ]
        rows = encoder.encode(strange)
        assert np.isfinite(rows).all()
        lengths = np.linalg.norm(rows, axis=1)
        assert ((lengths == 0) | (abs(lengths - 1) < 1e-5)).all()

    def test_too_small_a_corpus_says_what_to_do(self, kind: EncoderKind, config: BaseModel):
        if "flits" not in kind.learns_from(config):
            pytest.skip("it learns nothing from flits, so any number of them will do")
        for corpus in ([], [""], ["robin"], ["robin", "robin"]):
            with pytest.raises(CorpusError, match="train on"):
                kind.train(Lessons(corpus), config, no_progress)

    def test_it_reads_the_column_that_its_kind_names(self, kind: EncoderKind, encoder: Encoder):
        assert encoder.reads == kind.reads
