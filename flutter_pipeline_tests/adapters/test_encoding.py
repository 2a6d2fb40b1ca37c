import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from flutter_pipeline.adapters import encoding
from flutter_pipeline.adapters.encoding import (
    Known,
    encode_missing,
    encoder_of,
    train_version,
)
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import Progress, State, no_progress
from flutter_pipeline.embeddings.encoder import Encoder, Lesson, Lessons, Likes, Matrix, Reads
from flutter_pipeline.embeddings.encoders import ENCODERS, EncoderKind
from flutter_pipeline.embeddings.tfidf import TfidfConfig

TFIDF = ENCODERS["tfidf"]
CONFIG = TfidfConfig(dim=2, min_flits=1, max_share=1.0)
FLITS = pd.DataFrame(
    {
        "flit_id": ["f1", "f2", "f3", "f4"],
        "tokens": ["owl hoots", "owl flies", "crow flies", "crow caws loud"],
    }
)


@dataclass(frozen=True)
class LengthEncoder:
    """A flit as (its length, ``second``): a vector whose soundness the text decides."""

    second: float
    calls: list[int]
    reads: ClassVar[Reads] = "tokens"
    dim: ClassVar[int] = 2

    def encode(self, flits: Sequence[str], progress: Progress = no_progress) -> Matrix:
        self.calls.append(len(flits))
        return np.array([[len(text), self.second] for text in flits], dtype=np.float32)

    def state(self) -> State:
        return State({"second": self.second})


class LengthConfig(BaseModel, frozen=True, extra="forbid"):
    """What the second number is."""

    second: float = 0.0


@pytest.fixture
def models(tmp_path) -> VersionStore:
    return VersionStore(tmp_path / "models")


@pytest.fixture
def store(tmp_path) -> EmbeddingStore:
    return EmbeddingStore(tmp_path / "embeddings")


@pytest.fixture
def length(monkeypatch) -> tuple[EncoderKind, list[int]]:
    """An encoder that is listed as any other, and how many flits it was given, call by call."""
    calls: list[int] = []
    kind = EncoderKind(
        name="length",
        title="Counts letters.",
        config=LengthConfig,
        train=lambda lessons, config, progress: LengthEncoder(config.second, calls),
        load=lambda state: LengthEncoder(state.settings["second"], calls),
        reads="tokens",
        learns_from=lambda config: frozenset(),
        brings=lambda config: str(config.second),
        packages=(),
        code_version="1",
    )
    monkeypatch.setitem(ENCODERS, "length", kind)
    return kind, calls


def test_the_same_config_and_flits_are_the_same_version_and_trained_once(models: VersionStore):
    first = train_version(TFIDF, CONFIG, Known(FLITS), models)
    again = train_version(TFIDF, CONFIG, Known(FLITS.sample(frac=1, random_state=1)), models)
    assert not first.reused and first.stored.facts["training_flits"] == 4
    assert again.reused and again.seconds == 0.0
    assert again.stored.version == first.stored.version
    assert models.versions("tfidf_model") == [first.stored.version]


def test_other_flits_or_another_config_are_another_version(models: VersionStore):
    versions = {
        train_version(TFIDF, CONFIG, Known(FLITS), models).stored.version,
        train_version(TFIDF, CONFIG, Known(FLITS.head(3)), models).stored.version,
        train_version(
            TFIDF, TfidfConfig(dim=1, min_flits=1, max_share=1.0), Known(FLITS), models
        ).stored.version,
    }
    assert len(versions) == 3
    assert set(models.versions("tfidf_model")) == versions


def test_a_trained_version_does_not_serve_before_it_is_published(models: VersionStore):
    train_version(TFIDF, CONFIG, Known(FLITS), models)
    assert models.current_version("tfidf_model") is None


def test_a_stored_version_encodes_as_the_trained_one_did(models: VersionStore):
    stored = train_version(TFIDF, CONFIG, Known(FLITS), models).stored
    read = models.open("tfidf_model", stored.version)
    texts = list(FLITS["tokens"])
    assert (encoder_of(read).encode(texts) == encoder_of(stored).encode(texts)).all()


def test_what_was_trained_elsewhere_is_named_after_what_was_read(length, models: VersionStore):
    kind, _ = length
    one = train_version(kind, LengthConfig(second=1), Known(FLITS), models)
    same = train_version(kind, LengthConfig(second=1), Known(FLITS.head(1)), models)
    other = train_version(kind, LengthConfig(second=2), Known(FLITS), models)
    assert same.reused and same.stored.version == one.stored.version
    assert other.stored.version != one.stored.version
    assert one.stored.facts["training_flits"] == 0


def test_a_training_that_goes_on_from_the_version_before_is_named_after_it(
    models: VersionStore, monkeypatch
):
    given: list[State | None] = []

    def train(lessons: Lessons, config: TfidfConfig, progress: Progress) -> Encoder:
        given.append(lessons.previous)
        return TFIDF.train(lessons, config, progress)

    lesson = frozenset[Lesson]({"flits", "previous"})
    kind = replace(TFIDF, train=train, learns_from=lambda config: lesson)
    first = train_version(kind, CONFIG, Known(FLITS.head(3)), models)
    models.publish(first.stored)
    nothing_new = train_version(kind, CONFIG, Known(FLITS.head(3)), models)
    second = train_version(kind, CONFIG, Known(FLITS), models)
    again = train_version(kind, CONFIG, Known(FLITS), models)
    alone = train_version(TFIDF, CONFIG, Known(FLITS), models)
    assert nothing_new.reused and nothing_new.stored.version == first.stored.version
    assert given[0] is None and given[1] is not None
    assert given[1].settings == first.stored.state.settings
    assert second.stored.facts["previous"] == first.stored.version
    assert again.reused and again.stored.version == second.stored.version
    assert alone.stored.version != second.stored.version


def test_only_flits_that_a_version_lacks_are_encoded(models: VersionStore, store: EmbeddingStore):
    stored = train_version(TFIDF, CONFIG, Known(FLITS), models).stored
    first = encode_missing(stored, FLITS.head(3), store)
    second = encode_missing(stored, FLITS, store)
    third = encode_missing(stored, FLITS, store)
    assert [facts.encoded for facts in (first, second, third)] == [3, 1, 0]
    assert third.encoding_seconds == 0
    embeddings = store.open("tfidf", stored.version)
    assert embeddings.ids.tolist() == ["f1", "f2", "f3", "f4"]
    at_once = encoder_of(stored).encode(list(FLITS["tokens"]))
    assert embeddings.vectors(FLITS["flit_id"]) == pytest.approx(at_once)


def test_a_flit_of_unknown_words_is_stored_as_zeros_and_counted(
    models: VersionStore, store: EmbeddingStore
):
    stored = train_version(TFIDF, CONFIG, Known(FLITS), models).stored
    new = pd.DataFrame({"flit_id": ["n1", "n2"], "tokens": ["penguin", "owl"]})
    facts = encode_missing(stored, new, store)
    assert (facts.encoded, facts.empty, facts.not_unit) == (2, 1, 0)
    assert store.open("tfidf", stored.version).vectors(["n1"]).tolist() == [[0, 0]]


def test_flits_are_encoded_in_sections_and_progress_tells_of_all(
    length, models: VersionStore, store: EmbeddingStore, monkeypatch
):
    kind, calls = length
    monkeypatch.setattr(encoding, "SECTION", 2)
    stored = train_version(kind, LengthConfig(), Known(FLITS), models).stored
    ones = FLITS.assign(tokens="x").head(3)
    told: list[tuple[int, int]] = []
    facts = encode_missing(stored, ones, store, lambda done, total: told.append((done, total)))
    assert calls == [2, 1]
    assert told == [(2, 3), (3, 3)]
    assert facts.encoded == 3


def test_who_is_interrupted_goes_on_after_the_last_section(
    length, models: VersionStore, store: EmbeddingStore, monkeypatch
):
    kind, calls = length
    monkeypatch.setattr(encoding, "SECTION", 1)
    stored = train_version(kind, LengthConfig(), Known(FLITS), models).stored
    ones = FLITS.assign(tokens="x")

    def pull_the_plug(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_missing(stored, ones, store, pull_the_plug)
    assert store.open("length", stored.version).ids.tolist() == ["f1", "f2", "f3"]
    facts = encode_missing(stored, ones, store)
    assert calls == [1, 1, 1, 1] and facts.encoded == 1
    assert store.open("length", stored.version).ids.tolist() == ["f1", "f2", "f3", "f4"]


def test_an_encoding_process_that_is_killed_loses_only_its_section(tmp_path):
    program = f"""
import os
import pandas as pd
from pathlib import Path
from flutter_pipeline.adapters import encoding
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.embeddings.tfidf import TfidfConfig

encoding.SECTION = 2
flits = pd.DataFrame({{"flit_id": list("abcde"), "tokens": ["owl hoots", "owl sings"] * 2 + ["o"]}})
folder = Path({str(tmp_path)!r})
config = TfidfConfig(dim=2, min_flits=1, max_share=1.0)
stored = encoding.train_version(
    ENCODERS["tfidf"], config, encoding.Known(flits), VersionStore(folder / "models")
).stored
store = EmbeddingStore(folder / "embeddings")
if not store.versions("tfidf"):
    encoding.encode_missing(stored, flits, store, lambda done, total: done < 4 or os._exit(9))
print(encoding.encode_missing(stored, flits, store).encoded)
"""
    killed, again = (
        subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        for _ in range(2)
    )
    assert killed.returncode == 9
    assert (again.stdout, again.stderr) == ("1\n", "")


def test_sections_before_an_unsound_one_are_kept(
    length, models: VersionStore, store: EmbeddingStore, monkeypatch
):
    kind, calls = length
    monkeypatch.setattr(encoding, "SECTION", 2)
    stored = train_version(kind, LengthConfig(), Known(FLITS), models).stored
    rows = pd.DataFrame({"flit_id": list("abcdef"), "tokens": ["x", "x", "x", "xx", "x", "x"]})
    facts = encode_missing(stored, rows, store)
    assert (facts.encoded, facts.not_unit) == (4, 1)
    assert calls == [2, 2]
    assert store.open("length", stored.version).ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("texts", "second", "counted"),
    [
        (["x", "xyz"], 0.0, {"not_finite": 0, "not_unit": 1}),
        (["x", "x"], float("nan"), {"not_finite": 2, "not_unit": 0}),
    ],
)
def test_unsound_vectors_are_counted_and_not_one_is_appended(
    length, models: VersionStore, store: EmbeddingStore, texts, second, counted
):
    kind, _ = length
    good = FLITS.head(2).assign(tokens="x", flit_id=["g1", "g2"])
    sound = Stored("length_model", "v1", State({"second": 0.0}), {"encoder": "length", "dim": 2})
    encode_missing(sound, good, store)
    unsound = Stored("length_model", "v1", State({"second": second}), dict(sound.facts))
    rows = FLITS.head(2).assign(tokens=texts)
    facts = encode_missing(unsound, rows, store)
    assert {name: getattr(facts, name) for name in counted} == counted
    embeddings = store.open(kind.name, "v1")
    assert embeddings.ids.tolist() == ["g1", "g2"]
    assert embeddings.missing(rows["flit_id"]).tolist() == ["f1", "f2"]


LIKES = pd.DataFrame(
    {
        "bird_id": ["b2", "b1", "b2"],
        "flit_id": ["f3", "f1", "f9"],
        "occurred_at": pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-03"], utc=True).as_unit(
            "us"
        ),
    }
)


def learning_from_likes(given: list[Likes | None]) -> EncoderKind:
    """An encoder like TF-IDF, which is given likes and puts them where a test can see them."""

    def train(lessons: Lessons, config: TfidfConfig, progress: Progress) -> Encoder:
        given.append(lessons.likes)
        return TFIDF.train(lessons, config, progress)

    lesson = frozenset[Lesson]({"flits", "likes"})
    return replace(TFIDF, train=train, learns_from=lambda config: lesson)


def test_likes_are_given_as_numbers_of_birds_and_places_of_flits(models: VersionStore):
    given: list[Likes | None] = []
    train_version(learning_from_likes(given), CONFIG, Known(FLITS, LIKES), models)
    [likes] = given
    assert likes is not None
    # f9 is none of the flits; b1 comes before b2 though it is named later.
    assert likes.bird.tolist() == [1, 0]
    assert likes.flit.tolist() == [2, 0]
    day = 86_400_000_000
    assert (likes.time[0] - likes.time[1]) == day


def test_an_encoder_that_makes_no_use_of_likes_is_the_same_version_with_and_without(
    models: VersionStore,
):
    without = train_version(TFIDF, CONFIG, Known(FLITS), models)
    beside = train_version(TFIDF, CONFIG, Known(FLITS, LIKES), models)
    assert beside.reused and beside.stored.version == without.stored.version


def test_other_likes_are_another_version_of_an_encoder_that_learns_from_them(models: VersionStore):
    kind = learning_from_likes([])
    first = train_version(kind, CONFIG, Known(FLITS, LIKES), models)
    same = train_version(kind, CONFIG, Known(FLITS, LIKES[::-1]), models)
    other = train_version(kind, CONFIG, Known(FLITS, LIKES.head(2)), models)
    assert same.reused and same.stored.version == first.stored.version
    assert not other.reused and other.stored.version != first.stored.version
