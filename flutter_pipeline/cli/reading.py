"""The commands that only read: a bird's feed, the nearest flits, the versions."""

from datetime import UTC

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.encoding import encoder_of
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import Stored, VersionStore
from flutter_pipeline.cli.showing import show
from flutter_pipeline.contracts.tables import FLITS
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.encoders import ENCODERS, encoder_kind
from flutter_pipeline.errors import ConfigError, FlutterError, VersionError
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

TEXT_LENGTH = 70
REASON_LENGTH = 50


def show_feed(settings: Settings, bird: str, size: int, as_json: bool) -> None:
    """The feed of ``bird``. Raises VersionError for a bird that has none."""
    tables = TableStore(settings.data / "tables")
    feeds = tables.read("ranked_candidates")
    whole = feeds[feeds["bird_id"] == bird].sort_values("rank")
    rows = whole.head(size)
    if rows.empty:
        some = ", ".join(feeds["bird_id"].drop_duplicates().head(3))
        raise VersionError(
            f"there is no feed for bird {bird!r} in {settings.data}; "
            f"it holds {feeds['bird_id'].nunique():,} feeds, such as those of {some}"
        )
    rows = rows.merge(texts_of(tables, rows["flit_id"]), on="flit_id", how="left")
    if as_json:
        show(rows, True)
        return
    shown = pd.DataFrame(
        {
            "rank": rows["rank"],
            "score": rows["score"],
            "flit": one_line(rows["text"], TEXT_LENGTH),
            "because": one_line(rows["because"].str.removeprefix("because "), REASON_LENGTH),
        }
    )
    title = f"Feed of {bird} as of {rows['as_of'].iloc[0]:%Y-%m-%d %H:%M} UTC"
    if len(rows) < len(whole):
        title += f", the first {len(rows)} of {len(whole)}"
    show(shown, False, title, wraps=("flit", "because"))


def show_similar(settings: Settings, text: str, encoder: str, size: int, as_json: bool) -> None:
    """The stored flits nearest to ``text``, by exact search over all of them.

    Raises ConfigError for an encoder that is not trained here, VersionError before the first run.
    """
    _refuse_untrained(settings, encoder)
    kind, stored = encoder_kind(encoder), _serving(settings, encoder)
    embeddings = EmbeddingStore(settings.data / "embeddings").open(encoder, stored.version)
    vector = encoder_of(stored).encode(_cleaned(settings, text, kind.reads))
    if not vector.any():
        raise FlutterError(
            f"{encoder} knows nothing of the text {text!r}; use other words or another encoder"
        )
    tables = TableStore(settings.data / "tables")
    best = nearest(embeddings, vector[0], size)
    rows = best.merge(texts_of(tables, best["flit_id"]), on="flit_id", how="left")
    shown = rows if as_json else rows.assign(text=one_line(rows["text"], 2 * TEXT_LENGTH))
    show(shown, as_json, f"Nearest by {encoder}, version {stored.version}", wraps=("text",))


def nearest(embeddings: Embeddings, vector: Matrix, size: int) -> pd.DataFrame:
    """`flit_id, cosine` of the ``size`` nearest to ``vector``, shape (dim,), best first."""
    ids, cosines = np.zeros(0, dtype=object), np.zeros(0, dtype=np.float32)
    for some_ids, vectors in embeddings.batches():
        ids = np.concatenate([ids, some_ids])
        cosines = np.concatenate([cosines, vectors @ vector])
        best = np.lexsort((ids.astype(str), -cosines))[:size]
        ids, cosines = ids[best], cosines[best]
    return pd.DataFrame({"flit_id": pd.Series(ids, dtype="str"), "cosine": cosines})


def _refuse_untrained(settings: Settings, encoder: str) -> None:
    """ConfigError, naming those that are trained, where ``encoder`` is not, and others are."""
    models = VersionStore(settings.data / "models")
    trained = [name for name in ENCODERS if models.current_version(f"{name}_model") is not None]
    if encoder in trained or (encoder in ENCODERS and not trained):
        return
    others = ", ".join(name for name in ENCODERS if name not in trained)
    here = f"trained here: {', '.join(trained)}; " if trained else ""
    what = "is not trained" if encoder in ENCODERS else "is none"
    raise ConfigError(
        f"the encoder {encoder!r} {what}; {here}`use_encoders` in "
        f"{settings.data / 'flutter.toml'} has others trained, which are {others}"
    )


def _serving(settings: Settings, encoder: str) -> Stored:
    """The version of ``encoder`` that serves; what was trained last where it is in no release."""
    models = VersionStore(settings.data / "models")
    champion = ReleaseStore(settings.data / "releases").champion()
    if champion is not None and encoder in champion.encoders:
        return models.open(f"{encoder}_model", champion.encoders[encoder])
    return models.current(f"{encoder}_model")


def _cleaned(settings: Settings, text: str, column: str) -> list[str]:
    """``text`` as the encoders read it."""
    now = pd.Timestamp.now(tz=UTC)
    flit = FLITS.empty().reindex([0]).assign(flit_id="q", bird_id="q", text=text, created_at=now)
    return list(clean_flits(flit, settings.config(TextConfig, "text"))[column])


def texts_of(tables: TableStore, flit_ids: pd.Series) -> pd.DataFrame:
    """`flit_id, text` of some flits, as they were written."""
    flits = tables.read("raw_flits", columns=["flit_id", "text"])
    return flits[flits["flit_id"].isin(flit_ids)]


def one_line(texts: pd.Series, length: int) -> pd.Series:
    """One line of at most ``length`` characters each."""
    lines = texts.fillna("").str.replace(r"\s+", " ", regex=True)
    return lines.where(lines.str.len() <= length, lines.str.slice(0, length - 1) + "…")
