"""Networks to try drift on: simulated ones, and real texts dealt out to days.

A restless world differs from day to day by nature: every day favours some topics, as news does,
and yet no day is unlike the others by more than they are unlike one another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from flutter_pipeline.contracts.tables import ACTIONS
from flutter_pipeline.drift.day import FLIT_COLUMNS, DayRows
from flutter_pipeline.drift.planting import (
    Foreign,
    Planting,
    with_flood,
    with_foreign,
    with_other_actions,
)
from flutter_pipeline.embeddings.lsa import LsaConfig, train_lsa
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import SimulatedNetwork, simulate
from flutter_pipeline.simulation.vocabulary import TOPICS
from flutter_pipeline.text.cleaned import TextConfig, clean_flits

ENCODER = "lsa"
ARRIVING = "th"
"""The language that nobody speaks until it arrives."""
TOPIC_SHARE = 0.5
"""A flit with more of a topic is about it."""
LEARN = 20_000
"""Flits that the two models learn from."""
Vectors = NDArray[np.float32]


class WorldConfig(BaseModel, frozen=True, extra="forbid"):
    """How large a world is."""

    birds: int = Field(default=3_000, ge=100, description="How many birds.")
    flits_a_day: int = Field(default=1_000, ge=50, description="Flits of each day.")
    days: int = Field(default=120, ge=12, description="How many days.")
    dim: int = Field(default=64, ge=2, description="Length of vectors.")
    restless: float = Field(
        default=0.0, ge=0, description="Standard deviation of a topic's log weight from day to day."
    )
    seed: int = Field(default=0, ge=0, description="Another seed, another world.")


@dataclass(frozen=True)
class World:
    """Honest days, and what can be planted into them."""

    days: list[DayRows]
    other_vectors: dict[str, dict[str, NDArray[np.float32]]]
    """By day: its flits as another model encodes them."""
    topic: Foreign
    language: Foreign

    def plantings(self) -> dict[str, Planting]:
        """The drifts that trials plant, by what they are called."""
        plantings: dict[str, Planting] = {
            "spam flood of 5 %": lambda day, rng: with_flood(day, self.topic, 0.05, rng),
            "new topic of 10 %": lambda day, rng: with_foreign(day, self.topic, 0.10, rng),
            "new topic of 5 %": lambda day, rng: with_foreign(day, self.topic, 0.05, rng),
            "encoder swapped": lambda day, _: replace(day, vectors=self.other_vectors[day.day]),
            "new language of 3 %": lambda day, rng: with_foreign(day, self.language, 0.03, rng),
        }
        if not self.days[0].engagements.empty:
            plantings["30 % fewer likes"] = lambda day, rng: with_other_actions(day, 0.3, rng)
        return plantings


def simulated_world(config: WorldConfig) -> World:
    """A simulated network in which nobody talks of the last topic, nor in one of the languages."""
    network = simulate(
        SimulationConfig(
            birds=config.birds,
            # Those about what is planted later fall away, and the restless choose among the rest.
            flits=round(config.flits_a_day * config.days * (1.15 if not config.restless else 2.5)),
            days=config.days,
            engagements=4 * config.flits_a_day * config.days,
            seed=config.seed,
        )
    )
    cleaned = clean_flits(network.flits, TextConfig())
    shares = network.truth.topics
    last = len(TOPICS) - 1
    about = shares[:, last] > TOPIC_SHARE
    speaks = (cleaned["lang"] == ARRIVING).to_numpy()
    usual = (shares[:, last] == 0) & ~speaks
    rng = np.random.default_rng([config.seed, 1])
    day_of = cleaned["created_at"].dt.strftime("%Y-%m-%d").to_numpy()
    chosen = _dealt(day_of, usual, shares, config, rng)
    learnt = rng.permutation(np.flatnonzero(usual))
    vectors, others = _by_two_models(cleaned["tokens"].to_list(), learnt, config)
    acted = _actions(network)
    return _world(
        cleaned[list(FLIT_COLUMNS)],
        (vectors, others),
        {day: rows for day, rows in chosen.items() if day in acted},
        acted,
        (about, speaks),
    )


def dealt_texts(
    texts: Sequence[str], foreign: Sequence[str], speech: Sequence[str], config: WorldConfig
) -> World:
    """Real texts dealt to days at random: their words are real, and no day is special.

    ``foreign`` are texts of another kind, and ``speech`` of another language, to plant.
    """
    rng = np.random.default_rng([config.seed, 2])
    size = config.flits_a_day
    order = rng.permutation(len(texts))[: size * config.days]
    said = [*(texts[place] for place in order), *foreign, *speech]
    cleaned = clean_flits(_by_some_birds(said, config, rng), TextConfig())
    learnt = rng.permutation(len(order))
    both = _by_two_models(cleaned["tokens"].to_list(), learnt, config)
    days = {
        f"day {number:04d}": np.arange(number * size, (number + 1) * size)
        for number in range(len(order) // size)
    }
    nobody = pd.DataFrame(columns=["bird_id", *ACTIONS])
    place = np.arange(len(said)) - len(order)
    return _world(
        cleaned[list(FLIT_COLUMNS)],
        both,
        days,
        dict.fromkeys(days, nobody),
        ((place >= 0) & (place < len(foreign)), place >= len(foreign)),
    )


def _world(
    flits: pd.DataFrame,
    models: tuple[Vectors, Vectors],
    chosen: Mapping[str, NDArray[np.int64]],
    acted: Mapping[str, pd.DataFrame],
    planted: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> World:
    """``chosen`` rows as days; ``planted`` are the rows of the new topic and of the language."""
    vectors, others = models
    days = [
        DayRows(day, flits.iloc[rows].reset_index(drop=True), {ENCODER: vectors[rows]}, acted[day])
        for day, rows in chosen.items()
    ]
    topic, language = (
        Foreign(flits[rows].reset_index(drop=True), {ENCODER: vectors[rows]}) for rows in planted
    )
    other = {day: {ENCODER: others[rows]} for day, rows in chosen.items()}
    return World(days, other, topic, language)


def _by_two_models(
    tokens: list[str], learnt: NDArray[np.int64], config: WorldConfig
) -> tuple[Vectors, Vectors]:
    """Vectors of all flits by two models, each learnt from its own half of some."""
    some = learnt[:LEARN]
    first, second = (
        train_lsa([tokens[row] for row in half], LsaConfig(dim=config.dim, seed=seed))
        for seed, half in enumerate((some[: len(some) // 2], some[len(some) // 2 :]))
    )
    return first.encode(tokens), second.encode(tokens)


def _by_some_birds(said: list[str], config: WorldConfig, rng: np.random.Generator) -> pd.DataFrame:
    """Flits of ``said`` by birds of which some write much, and most little."""
    voice = rng.pareto(1.2, size=len(said)) * config.birds / 10
    birds = np.minimum(voice, config.birds).astype(np.int64)
    return pd.DataFrame(
        {
            "flit_id": [f"flit_{place}" for place in range(len(said))],
            "bird_id": [f"bird_{bird}" for bird in birds],
            "text": said,
            "created_at": pd.Timestamp("2026-01-01", tz="UTC"),
        }
    )


def _dealt(
    day_of: NDArray[np.object_],
    usual: NDArray[np.bool_],
    shares: NDArray[np.float32],
    config: WorldConfig,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.int64]]:
    """The rows of each day; in a restless world each day has its own taste in topics."""
    chosen = {}
    for day in sorted(set(day_of)):
        rows = np.flatnonzero((day_of == day) & usual)
        size = min(config.flits_a_day, len(rows))
        weights = np.exp(shares[rows] @ rng.normal(0, config.restless, size=shares.shape[1]))
        drawn = rng.choice(len(rows), size=size, replace=False, p=weights / weights.sum())
        chosen[str(day)] = rows[np.sort(drawn)]
    return chosen


def _actions(network: SimulatedNetwork) -> dict[str, pd.DataFrame]:
    """By day how often each bird did what."""
    rows = network.engagements
    day = rows["occurred_at"].dt.strftime("%Y-%m-%d")
    counts = rows.groupby([day, "bird_id", "action"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(ACTIONS), fill_value=0).reset_index("bird_id")
    return {str(name): some.reset_index(drop=True) for name, some in counts.groupby(level=0)}
