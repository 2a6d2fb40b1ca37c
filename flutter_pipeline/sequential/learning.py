"""How two towers learn: from every like of a history, to tell the next ones from other flits.

AdamW with a rate that rises and falls in a line; the weights that are kept are a running mean over
steps, which foretells better than any single step's. Some birds' newest likes are held out, and
say when to stop. Knows neither which form a history tower has nor what is done with it.
"""

import copy

import numpy as np
import torch
from torch import Tensor

from flutter_pipeline.collaborative.likes import IntArray, Likes
from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.sequential.config import LearningConfig
from flutter_pipeline.sequential.contrast import ToCome, contrast
from flutter_pipeline.sequential.flits import Flits
from flutter_pipeline.sequential.negatives import Negatives
from flutter_pipeline.sequential.towers import Towers
from flutter_pipeline.sequential.windows import HeldOut, Windows, windows_of, without_held_out

FIRST = 10
"""Only among so many is a flit found: feeds are short, and how far down others are is no matter."""

BLOCK = 512
"""Held-out birds whose cosines are held at once."""


class School:
    """Towers in training, and the running mean of their weights. It changes with every step."""

    def __init__(self, towers: Towers, flits: Flits, windows: Windows, config: LearningConfig):
        """Nothing is learnt yet."""
        self.towers = towers.train()
        self.mean = copy.deepcopy(towers).eval()
        self.flits = flits
        self.config = config
        counts = np.bincount(flits.number[windows.likes.flit], minlength=len(flits.learnt))
        self.negatives = Negatives(counts, config)
        self.random = np.random.default_rng([config.seed, 1])
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [own for own in towers.parameters() if own.ndim > 1]},
                {"params": [own for own in towers.parameters() if own.ndim < 2], "weight_decay": 0},
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=config.weight_decay,
        )
        self.ahead = torch.pow(
            torch.tensor(config.decay_per_step), torch.arange(config.steps_ahead)
        )
        self.done = 0

    def learn(self, table: IntArray, pace: float) -> None:
        """One step on a table of histories, at this share of the highest rate."""
        for group in self.optimiser.param_groups:
            group["lr"] = pace * self.config.learning_rate
        self.optimiser.zero_grad()
        self._loss(table).backward()
        torch.nn.utils.clip_grad_norm_(self.towers.parameters(), self.config.max_norm)
        self.optimiser.step()
        self.done += 1
        # In the beginning the mean is young too, or it would drag the first weights along.
        left = min(self.config.averaging, self.done / (9 + self.done))
        with torch.no_grad():
            for mean, now in zip(self.mean.parameters(), self.towers.parameters(), strict=True):
                mean.lerp_(now, 1 - left)

    def _loss(self, table: IntArray) -> Tensor:
        drawn = self.negatives.draw(self.random)
        negative = self.flits.learnt[drawn.number]
        codes = np.union1d(table[table >= 0], negative)
        place = np.where(table >= 0, np.searchsorted(codes, table), -1)
        vectors = self.towers.vectors(self.flits, codes)
        states = self.towers.states(vectors, place[:, :-1])
        foretold = place[:, :-1] >= 0
        return contrast(
            states[torch.from_numpy(foretold)] * self.towers.scale(),
            torch.nn.functional.normalize(vectors, dim=-1),
            torch.from_numpy(np.searchsorted(codes, negative)),
            torch.from_numpy(drawn.correction),
            ToCome(torch.from_numpy(_to_come(place, len(self.ahead))[foretold]), self.ahead),
        )


def learnt_towers(
    towers: Towers, flits: Flits, likes: Likes, config: LearningConfig, progress: Progress
) -> Towers:
    """The mean weights of the look at which held-out likes were foretold best.

    Without held-out likes these are the last ones. ``towers`` are changed.
    """
    random = np.random.default_rng([config.seed, 0])
    likes, held_out = without_held_out(likes, config.held_out, random)
    windows = windows_of(likes, towers.max_likes, config.likes_per_step)
    school = School(towers, flits, windows, config)
    steps = len(windows) * config.epochs
    best, weights, worse = -1.0, school.mean.state_dict(), 0
    for epoch in range(1, config.epochs + 1):
        for table in windows.steps(random):
            school.learn(table, _pace(school.done / steps, config.warm_up))
            progress(school.done, steps)
        if not len(held_out) or (epoch % config.look_every and epoch < config.epochs):
            continue
        found = gain(school.mean, flits, held_out)
        worse = 0 if found > best else worse + 1
        if found > best:
            best, weights = found, copy.deepcopy(school.mean.state_dict())
        if worse >= config.patience:
            break
    school.mean.load_state_dict(weights)
    return school.mean


def gain(towers: Towers, flits: Flits, held_out: HeldOut) -> float:
    """NDCG@10 of the flit to find, mean over birds, among all flits that each had not liked."""
    histories = towers.history_vectors(flits, held_out.before)
    vectors = towers.flit_vectors(flits, flits.learnt)
    wanted = flits.number[held_out.newest]
    gains = np.zeros(len(held_out))
    for start in range(0, len(held_out), BLOCK):
        part = slice(start, start + BLOCK)
        near = histories[part] @ vectors.T
        own = near[np.arange(len(near)), wanted[part]][:, None]
        before = held_out.before.of(part)
        near[before.row, flits.number[before.flit]] = -np.inf
        # A flit as near counts as nearer, so that vectors which are all alike gain nothing.
        rank = (near >= own).sum(axis=1)
        gains[part] = np.where(rank <= FIRST, 1 / np.log2(1 + rank), 0)
    return float(gains.mean())


def _to_come(place: IntArray, steps_ahead: int) -> IntArray:
    """For each place but the last: what comes next, after that and so on; -1 past the end."""
    birds, length = place.shape
    longer = np.concatenate([place, np.full((birds, steps_ahead - 1), -1)], axis=1)
    return np.stack([longer[:, 1 + k : length + k] for k in range(steps_ahead)], axis=-1)


def _pace(done: float, warm_up: float) -> float:
    """The rate's share of its highest after this share of the steps."""
    rising = done / warm_up if warm_up else 1.0
    return max(min(rising, (1 - done) / (1 - warm_up)), 0.02)
