"""The command that compares two versions of encoders."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import typer

from flutter_pipeline.adapters.comparing import Compared, compare_stored, with_flits
from flutter_pipeline.adapters.pictures import picture_of_comparison
from flutter_pipeline.adapters.store.embeddings import EmbeddingStore
from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.releases import ReleaseStore
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.adapters.version_names import Shelves, find_version
from flutter_pipeline.cli.reading import one_line, texts_of
from flutter_pipeline.cli.showing import show, show_json
from flutter_pipeline.embeddings.compare.comparison import CompareConfig, figures_of
from flutter_pipeline.embeddings.compare.slices import READS
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings

TEXT_LENGTH = 60


@dataclass(frozen=True)
class Shown:
    """What a user wants to see of a comparison, and how."""

    size: int
    as_json: bool
    picture: Path | None


def show_comparison(settings: Settings, names: tuple[str, str], shown: Shown) -> None:
    """Compare the two versions that ``names`` mean.

    Raises VersionError for a name that means none, or several, ConfigError for a picture that
    cannot be written, CorpusError where the two share too few flits.
    """
    if shown.picture is not None and not shown.picture.absolute().parent.is_dir():
        raise ConfigError(f"there is no folder {shown.picture.absolute().parent} for the picture")
    shelves = Shelves(
        EmbeddingStore(settings.data / "embeddings"),
        VersionStore(settings.data / "models"),
        ReleaseStore(settings.data / "releases"),
    )
    first, second = (find_version(name, shelves) for name in names)
    tables = TableStore(settings.data / "tables")
    config = settings.config(CompareConfig, "comparison").model_copy(update={"moved": shown.size})
    tokens = tables.read("cleaned_tokens", columns=READS)
    found = compare_stored(first, second, tokens, config)
    named = found.comparison.moved[["flit_id", "nearest_first", "nearest_second"]]
    moved = with_flits(
        found.comparison.moved, texts_of(tables, pd.Series(named.to_numpy().ravel()))
    )
    if shown.picture is not None:
        png = picture_of_comparison(found.comparison, _name(first), _name(second))
        shown.picture.write_bytes(png)
    if shown.as_json:
        _as_json(found, moved)
    else:
        _as_tables(found, moved)


def _as_json(found: Compared, moved: pd.DataFrame) -> None:
    show_json(
        {
            "first": _facts(found.first),
            "second": _facts(found.second),
            "shared_flits": found.shared,
            "compared_flits": found.comparison.flits,
            "silent_flits": found.silent,
            "figures": _rows(figures_of(found.comparison)),
            "slices": _rows(found.comparison.slices),
            "moved": _rows(moved),
        }
    )


def _as_tables(found: Compared, moved: pd.DataFrame) -> None:
    one = found.comparison
    first, second = _name(found.first), _name(found.second)
    typer.echo(
        f"{first} beside {second}: {one.flits:,} flits compared.\n"
        f"{found.shared:,} are in both (of {len(found.first):,} and {len(found.second):,}); "
        f"{found.silent:,} are left out, for one of the two knows nothing of them.\n"
    )
    show(figures_of(one), False, "How alike they are, beside what others would be")
    show(_slices(one.slices), False, "Movement by slice: mean of 1 - cosine, after turning")
    if moved.empty:
        return
    texts = {
        name: one_line(moved[name], TEXT_LENGTH) for name in ("text", "text_first", "text_second")
    }
    told = pd.DataFrame(
        {
            "movement": moved["movement"].map("{:.2f}".format),
            "flit": texts["text"],
            "nearest in the first": texts["text_first"],
            "nearest in the second": texts["text_second"],
        }
    )
    show(told, False, "Flits that moved most", wraps=tuple(told.columns[1:]))


def _slices(slices: pd.DataFrame) -> pd.DataFrame:
    """Movement and its interval in few columns."""
    return pd.DataFrame(
        {
            "by": slices["by"],
            "slice": slices["slice"],
            "flits": slices["flits"],
            "movement": slices["movement"],
            "interval": [
                f"{low:.3f}–{high:.3f}" if pd.notna(low) else ""
                for low, high in zip(slices["low"], slices["high"], strict=True)
            ],
            "neighbours kept": slices["overlap"],
        }
    )


def _name(embeddings: Embeddings) -> str:
    return f"{embeddings.encoder}/{embeddings.version}"


def _facts(embeddings: Embeddings) -> dict[str, Any]:
    return {
        "encoder": embeddings.encoder,
        "version": embeddings.version,
        "dim": embeddings.dim,
        "flits": len(embeddings),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with null where there is no number, which JSON has none for."""
    return json.loads(table.to_json(orient="records", force_ascii=False))
