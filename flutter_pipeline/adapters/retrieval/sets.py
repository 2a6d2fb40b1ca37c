"""The public sets that retrieval is measured on; a new one is one module and one line here."""

from collections.abc import Callable
from pathlib import Path

from flutter_pipeline.adapters.retrieval.beauty import beauty
from flutter_pipeline.adapters.retrieval.contest import Bars, RetrievalSet
from flutter_pipeline.adapters.retrieval.gowalla import gowalla

SETS: dict[str, Callable[[Path, Bars], RetrievalSet]] = {"beauty": beauty, "gowalla": gowalla}
"""Reads a set out of the folder of benchmark data; raises ContractError where it is not whole."""
