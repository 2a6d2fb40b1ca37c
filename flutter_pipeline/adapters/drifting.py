"""A day and its reference read from the stores: only the days, columns and flits that are needed.

Rows of a day are read once and sampled at once, however many windows it is in. What is measured
on them is not known here.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.store.opened import Embeddings
from flutter_pipeline.adapters.store.tables import WHOLE, TableStore
from flutter_pipeline.contracts.drift import DRIFT_REPORT
from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.drift.bundles import sampled
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.drift.day import FLIT_COLUMNS, DayRows, Window, window_of
from flutter_pipeline.drift.report import report_of
from flutter_pipeline.drift.topics import topic_shares
from flutter_pipeline.text.near_copies import NearCopyConfig

DRIFT_CODE_VERSION = "2"
"""Changes whenever the same days would have other scores than before."""


@dataclass(frozen=True)
class Days:
    """The stored days, read as they are asked for."""

    tables: TableStore
    embeddings: Mapping[str, Embeddings]
    config: DriftConfig
    copies: NearCopyConfig
    read: dict[str, DayRows] = field(default_factory=dict)
    """The days that were read before."""

    def window(self, today: str, reference: Sequence[str]) -> Window:
        """The rows of ``today`` and of its reference."""
        return window_of([self._rows(day) for day in (*reference, today)], self.copies)

    def topics(self, today: str) -> pd.DataFrame:
        """What ``today`` talks about, beside the days before it that were read."""
        before = sorted(day for day in self.read if day < today)[-self.config.window :]
        if today not in self.read or not before:
            return pd.DataFrame()
        return topic_shares(self.window(today, before), self.config)

    def _rows(self, day: str) -> DayRows:
        if day not in self.read:
            flits = self.tables.read("cleaned_tokens", [day], FLIT_COLUMNS)
            flits = sampled(flits, self.config.flits_a_day)
            vectors = {name: one.vectors(flits["flit_id"]) for name, one in self.embeddings.items()}
            self.read[day] = DayRows(day, flits, vectors, self._engagements(day))
        return self.read[day]

    def _engagements(self, day: str) -> pd.DataFrame:
        """How often each bird did what, of a sample of birds."""
        rows = self.tables.read("raw_engagements", [day], ["bird_id", "action"])
        birds, names = pd.factorize(rows["bird_id"])
        actions = pd.Categorical(rows["action"], categories=list(ACTIONS)).codes
        cells = birds * len(ACTIONS) + actions
        shape = (len(names), len(ACTIONS))
        counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        table = pd.DataFrame(counts, columns=list(ACTIONS)).assign(bird_id=names)
        return sampled(table, self.config.birds_a_day)


def drift_report_of(days: Days) -> pd.DataFrame:
    """The report as it stands, with what is new or has changed compared anew."""
    tables, config = days.tables, days.config
    raw, acted = tables.parts("raw_flits"), tables.parts("raw_engagements")
    stored = [day for day, part in tables.parts("cleaned_tokens").items() if part.rows]
    origins = {
        day: _digest(
            *(parts[day].origin if day in parts else "" for parts in (raw, acted)),
            config.model_dump_json(),
            DRIFT_CODE_VERSION,
        )
        for day in stored
    }
    return report_of(stored, origins, known_report(tables), days.window, config)


def known_report(tables: TableStore) -> pd.DataFrame:
    """The report that is published; empty where none is, or one of other columns."""
    if WHOLE not in tables.parts(DRIFT_REPORT.name):
        return DRIFT_REPORT.empty()
    report = tables.read(DRIFT_REPORT.name)
    # An earlier release measured other things: it costs seconds to compare its days anew.
    return report if list(report.columns) == DRIFT_REPORT.names else DRIFT_REPORT.empty()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
