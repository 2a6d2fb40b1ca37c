"""Train an encoder as a version, and bring a version's embeddings up to date.

A version is named after what made it: the config, the training data, the code. What was made
before under the same name is used again, so that a run costs what is new.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel

from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.states import digest_of, version_of
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.encoder import Encoder, Lesson, Lessons, Likes, Matrix
from flutter_pipeline.embeddings.encoders import EncoderKind, encoder_kind
from flutter_pipeline.errors import CorpusError

SECTION = 1 << 16
"""Flits that are encoded before their vectors are published: what an interruption may lose, and
what bounds memory. On two cores BERT needs two minutes for as many; a million make 16 parts."""


@dataclass(frozen=True)
class Trained:
    """A trained version, and whether it had been there already."""

    stored: Stored
    reused: bool
    seconds: float


@dataclass(frozen=True)
class Known:
    """The tables that there are to learn from."""

    flits: pd.DataFrame
    """Rows of the cleaned tokens."""
    likes: pd.DataFrame | None = None
    """Rows of the engagements; None where the encoder makes no use of them."""


def train_version(
    kind: EncoderKind,
    config: BaseModel,
    known: Known,
    store: VersionStore,
    progress: Progress = no_progress,
) -> Trained:
    """Train on what is ``known``, unless this very version is stored already.

    The version is kept in ``store``, but not made the current one. Where the training starts from
    the version that is current, that one is part of the name; it is used again as long as config,
    lessons and code are those that it was made from.
    """
    name, learns_from = f"{kind.name}_model", kind.learns_from(config)
    settings = config.model_dump(mode="json")
    data = _digest(known, kind, learns_from)
    code = f"{kind.code_version} {kind.brings(config)}".rstrip()
    version = made_from = version_of(settings, data, code)
    previous = _previous(store, name) if "previous" in learns_from else None
    if previous is not None and previous.facts.get("made_from") == made_from:
        return Trained(previous, True, 0.0)
    if previous is not None:
        version = version_of(settings, data, f"{code} after {previous.version}")
    if store.has(name, version):
        return Trained(store.open(name, version), True, 0.0)
    start = time.perf_counter()
    lessons = Lessons(
        list(known.flits[kind.reads]),
        likes=likes_of(known) if "likes" in learns_from else None,
        previous=previous.state if previous else None,
    )
    try:
        encoder = kind.train(lessons, config, progress)
    except CorpusError as error:
        raise CorpusError(
            f"{name}: {error} ([encoders.{kind.name}] of flutter.toml holds its settings)"
        ) from None
    seconds = time.perf_counter() - start
    facts = {
        "encoder": kind.name,
        "dim": encoder.dim,
        "config": settings,
        "train_seconds": seconds,
        "training_flits": len(known.flits) if "flits" in learns_from else 0,
        "training_data": data,
        "made_from": made_from,
        "previous": previous.version if previous else "",
    }
    stored = Stored(name, version, encoder.state(), facts)
    store.keep(stored)
    return Trained(stored, False, seconds)


def _digest(known: Known, kind: EncoderKind, learns_from: frozenset[Lesson]) -> str:
    """Differs where anything differs that the training makes use of."""
    parts = []
    if "flits" in learns_from:
        parts.append(digest_of(known.flits, ["flit_id", kind.reads]))
    if "likes" in learns_from and known.likes is not None:
        parts.append(digest_of(known.likes, ["bird_id", "flit_id", "occurred_at"]))
    return " ".join(parts)


def likes_of(known: Known) -> Likes | None:
    """The likes of known flits, with numbers for birds (in order of id) and flits."""
    if known.likes is None:
        return None
    flit = pd.Index(known.flits["flit_id"]).get_indexer(pd.Index(known.likes["flit_id"]))
    likes, flit = known.likes[flit >= 0], flit[flit >= 0]
    return Likes(
        bird=pd.factorize(likes["bird_id"], sort=True)[0].astype(np.int64),
        flit=flit.astype(np.int64),
        time=likes["occurred_at"].to_numpy(dtype="datetime64[us]").astype(np.int64),
    )


def _previous(store: VersionStore, name: str) -> Stored | None:
    """The current version, where there is one."""
    version = store.current_version(name)
    return None if version is None else store.open(name, version)


def encoder_of(stored: Stored) -> Encoder:
    """The encoder that a stored version holds."""
    return encoder_kind(stored.facts["encoder"]).load(stored.state)


@dataclass
class EncodingFacts:
    """What an audit wants to know of freshly encoded vectors; filled in batch by batch."""

    encoded: int = 0
    not_finite: int = 0
    not_unit: int = 0
    empty: int = 0
    encoding_seconds: float = 0.0

    def add(self, vectors: Matrix) -> None:
        """Count one batch."""
        lengths = np.linalg.norm(vectors, axis=1)
        self.encoded += len(vectors)
        self.not_finite += int((~np.isfinite(vectors).all(axis=1)).sum())
        self.empty += int((lengths == 0).sum())
        self.not_unit += int(((np.abs(lengths - 1) > 1e-3) & (lengths > 0)).sum())


def encode_missing(
    stored: Stored,
    flits: pd.DataFrame,
    store: EmbeddingStore,
    progress: Progress = no_progress,
) -> EncodingFacts:
    """Encode those of ``flits`` that the version lacks, and append them to its embeddings.

    This goes section by section, each published once its vectors are found sound: who is cut off
    and comes again goes on after the last. With the first unsound section encoding ends, and
    nothing of it is appended: the facts say so, the caller's audit stops.
    """
    kind = encoder_kind(stored.facts["encoder"])
    version = stored.version
    if version not in store.versions(kind.name):
        store.create(kind.name, version, int(stored.facts["dim"]), dict(stored.facts))
    rows = flits[~store.open(kind.name, version).has(flits["flit_id"])]
    facts = EncodingFacts()
    if rows.empty:
        return facts
    encoder = encoder_of(stored)
    start = time.perf_counter()
    for first in range(0, len(rows), SECTION):
        part = rows.iloc[first : first + SECTION]
        vectors = encoder.encode(list(part[kind.reads]), _share(progress, first, len(rows)))
        facts.add(vectors)
        if facts.not_finite or facts.not_unit:
            break
        store.append(kind.name, version, [(part["flit_id"].to_numpy(dtype=object), vectors)])
        progress(first + len(part), len(rows))
    facts.encoding_seconds = time.perf_counter() - start
    return facts


def _share(progress: Progress, before: int, total: int) -> Progress:
    """The progress of a section as part of the whole; its end is told when it is published."""

    def tell(done: int, of_section: int) -> None:
        if done < of_section:
            progress(before + done, total)

    return tell
