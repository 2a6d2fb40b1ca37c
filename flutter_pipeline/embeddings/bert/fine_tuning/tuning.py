"""Fine-tuning on likes: flits that one bird likes close in time are drawn near each other.

Only the top layers learn, from a few thousand pairs. The likes of the last days are held out, and
the weights that foretell them best are kept; where none is better than the model as it came, that
is what stays.

The same input and config give the same weights on one kind of machine with one number of threads;
another number adds up in another order, and the last digits differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from flutter_pipeline.contracts.state import Progress, no_progress
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.fine_tuning.config import FineTuneConfig
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import (
    Liked,
    Pairs,
    draw_pairs,
    hold_out,
    in_order,
    liked_by,
)
from flutter_pipeline.embeddings.bert.fine_tuning.next_like import NextLikes, next_likes
from flutter_pipeline.embeddings.bert.pieces import Cutter
from flutter_pipeline.embeddings.encoder import Likes
from flutter_pipeline.errors import CorpusError

Weights = dict[str, NDArray[np.float32]]
NO_LIKES = Likes(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


@dataclass(frozen=True, eq=False)
class Untuned:
    """A model as it came."""

    model: Any
    """Of transformers, in float32; it is not changed."""
    cutter: Cutter
    pad: int
    """The word piece that fills up."""
    config: BertConfig
    dtype: str
    """What the encoder will compute with."""


@dataclass(frozen=True, eq=False)
class Tuned:
    """What fine-tuning came to."""

    weights: Weights
    """The weights that are new, by their names in the model; none where nothing was better."""
    step: int
    """After which step they were taken; 0 for the model as it came."""
    losses: tuple[float, ...]
    """Mean loss since the look before, one for each look; NaN for the first, before any step."""
    gains: tuple[float, ...]
    """How well the held-out likes were foretold at each look, see ``NextLikes.gain``."""

    @property
    def looks_in_vain(self) -> int:
        """Looks since the best one."""
        return len(self.gains) - 1 - int(np.argmax(self.gains))

    def after(
        self, step: int, losses: list[float], gain: float, weights: Callable[[], Weights]
    ) -> "Tuned":
        """What it has come to after one more look; ``weights`` gives those of this step."""
        better = gain > max(self.gains)
        return Tuned(
            weights=weights() if better else self.weights,
            step=step if better else self.step,
            losses=(*self.losses, float(np.mean(losses))),
            gains=(*self.gains, gain),
        )


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learnt from, and what judges it; flits are places in :attr:`texts`."""

    texts: list[str]
    """All that are needed, each once."""
    pairs: Pairs
    liked: Liked
    held_out: NextLikes


def fine_tune(
    untuned: Untuned, flits: Sequence[str], likes: Likes | None, progress: Progress = no_progress
) -> Tuned:
    """Let the top layers learn from ``likes``; the order of ``flits`` makes no difference.

    Raises CorpusError where there is too little to learn from or to judge by, ConfigError where the
    model cannot be fine-tuned as configured.
    """
    # Torch takes seconds to import; who only draws pairs need not wait.
    from flutter_pipeline.embeddings.bert.fine_tuning.halves import cut, read
    from flutter_pipeline.embeddings.bert.fine_tuning.school import School

    config = untuned.config.fine_tune
    lesson = lesson_of(flits, likes or NO_LIKES, config)
    halves = cut(untuned.model, untuned.pad, untuned.config, untuned.dtype)
    reading = read(halves, untuned.cutter.cut(lesson.texts), config.cache_mb)
    school = School(reading, lesson.pairs, lesson.liked, config)
    steps, read_in_a_step = school.steps, 2 * min(config.batch, len(lesson.pairs))
    look_every = max(1, steps // (config.epochs * config.evaluations))
    tuned = Tuned({}, 0, (float("nan"),), (school.gain(lesson.held_out),))
    losses: list[float] = []
    for step, pairs in enumerate(school.batches(), start=1):
        losses.append(school.learn(pairs, step))
        if step % look_every == 0 or step == steps:
            tuned = tuned.after(step, losses, school.gain(lesson.held_out), school.weights)
            losses = []
            if tuned.looks_in_vain >= config.patience:
                break
        progress(step * read_in_a_step, steps * read_in_a_step)
    progress(steps * read_in_a_step, steps * read_in_a_step)
    return tuned


def lesson_of(flits: Sequence[str], likes: Likes, config: FineTuneConfig) -> Lesson:
    """Draw pairs, and hold out likes. Flits of one text count as one, empty ones not at all.

    Raises CorpusError where there is too little to learn from, or to judge by.
    """
    random = np.random.default_rng(config.seed)
    texts = pd.Index(sorted({flit for flit in flits if flit.strip()}), dtype=object)
    code = texts.get_indexer(pd.Index(list(flits), dtype=object))[likes.flit]
    told = code >= 0
    ordered = in_order(Likes(likes.bird[told], code[told].astype(np.int64), likes.time[told]))
    earlier, later = hold_out(ordered, config.validation_days)
    pairs = draw_pairs(earlier, config, random)
    held_out = next_likes(earlier, later, len(texts), config, random)
    if not len(held_out):
        raise CorpusError(
            f"nobody who liked a flit before liked another within the last "
            f"{config.validation_days:g} days, so nothing tells whether learning helps; raise "
            "`fine_tune.validation_days`, switch `fine_tune.on` off, or train on more likes"
        )
    needed = np.unique(np.concatenate([pairs.first, pairs.second, held_out.flits]))
    # What is held out may not even keep a flit from being a counter-example.
    known = np.isin(earlier.flit, needed)
    liked = Likes(
        earlier.bird[known], np.searchsorted(needed, earlier.flit[known]), earlier.time[known]
    )
    return Lesson(
        texts=list(texts[needed]),
        pairs=pairs.renumbered(needed),
        liked=liked_by(liked, len(needed)),
        held_out=held_out.renumbered(needed),
    )
