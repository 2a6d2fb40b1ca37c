"""Which files can be landed, told by their suffix, and how each kind is opened."""

from pathlib import Path

from flutter_pipeline.adapters.landing.delimited import open_delimited
from flutter_pipeline.adapters.landing.json_lines import open_json_lines
from flutter_pipeline.adapters.landing.limits import USUAL_LIMITS, LandingLimits
from flutter_pipeline.adapters.landing.mapping import TableRule
from flutter_pipeline.adapters.landing.parquet_rows import open_parquet
from flutter_pipeline.adapters.landing.source import Source
from flutter_pipeline.errors import ContractError

DELIMITED = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet",)

SUPPORTED = ".parquet, .csv, .tsv, .jsonl or .ndjson, the text ones plain or with .gz"


def kind_of(path: Path) -> str | None:
    """The suffix that says how to read ``path`` (without ``.gz``); None for one unsupported."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
        return suffixes[-1] if suffixes[-1:] and suffixes[-1] in DELIMITED + JSON_LINES else None
    return suffixes[-1] if suffixes and suffixes[-1] in DELIMITED + JSON_LINES + PARQUET else None


def open_source(path: Path, rule: TableRule | None, limits: LandingLimits = USUAL_LIMITS) -> Source:
    """Open ``path`` as its suffix says; ContractError where that cannot be done."""
    kind = kind_of(path)
    if kind in DELIMITED:
        separator, quoting = (rule.separator, rule.quoting) if rule else (None, True)
        return open_delimited(path, separator, quoting, limits)
    if kind in JSON_LINES:
        return open_json_lines(path, limits)
    if kind in PARQUET:
        return open_parquet(path, limits)
    raise ContractError(f"{path}: unsupported kind of file; expected {SUPPORTED}")
