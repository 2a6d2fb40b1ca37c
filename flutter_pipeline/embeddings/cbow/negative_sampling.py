"""CBOW by negative sampling: tell a flit's true word, given its neighbours, from noise words.

Mikolov et al. (2013): a context is the mean of the words around, nearer ones being met more often;
common words are skipped at random; noise is drawn by count to the power of 3/4. Steps are taken
on chunks of running words, whose windows are sums of shifted copies, so that every word's vector
is fetched once; rows learn at their own pace (row-wise Adagrad), which keeps large chunks stable.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.vocabulary import CodedFlits

CHUNK = 1024
"""Running words in a step. Shorter ones cost more time; at 2048 similarity was already lower."""
SECTION = 2_000_000
"""Running words prepared at a time; bounds the memory of an epoch."""
NOISE = 128
"""Noise words that a chunk shares; they weigh as ``negatives`` of its own for each word would.

With 64, 128 and 256 of them similarity came to .44, .48 and .53 (WordSim-353, five readings of
1.1 million words of Wikipedia), at some 260, 270 and 190 thousand words a second."""
NOISE_IN_LOSS = 16
"""The loss is a curve to look at, not to learn by; so many noise words are enough to draw it."""


@dataclass(frozen=True)
class Chunk:
    """Running words of a few flits, and how they look at one another."""

    words: Tensor
    left: list[Tensor]
    """For distance d (from 1): whether word i + d has word i in its window; shape (n - d, 1)."""
    right: list[Tensor]
    """For distance d (from 1): whether word i has word i + d in its window; shape (n - d, 1)."""
    share: Tensor
    """1 / words in the window, shape (n, 1); 0 for a word that stands alone."""
    noise: Tensor


@dataclass(frozen=True)
class Table:
    """Vectors and, for each row, the sum of its squared steps so far. Learns in place."""

    vectors: Tensor
    squares: Tensor

    def step(self, rows: Tensor, gradients: Tensor, rate: float) -> None:
        """Row-wise Adagrad; the gradients of a row that appears more than once are summed."""
        unique, place = torch.unique(rows, return_inverse=True)
        summed = torch.zeros(len(unique), gradients.shape[1]).index_add_(0, place, gradients)
        squares = self.squares[unique] + summed.square().mean(dim=1)
        self.squares[unique] = squares
        # The first squares are no smaller than 1e-10, so that an untouched row divides by no zero.
        self.vectors.index_add_(0, unique, summed * (-rate / squares.sqrt()).unsqueeze(1))


def learn_words(
    flits: CodedFlits, counts: NDArray[np.int64], config: CbowConfig, progress: Progress
) -> tuple[Matrix, tuple[float, ...]]:
    """Word vectors, shape (words, dim), and the mean loss of every epoch."""
    random = torch.Generator().manual_seed(config.seed)
    first = (torch.rand(len(counts), config.dim, generator=random) - 0.5) / config.dim
    context = Table(first, torch.full((len(counts),), 1e-10))
    target = Table(torch.zeros_like(first), torch.full((len(counts),), 1e-10))
    epochs = config.epochs_for(len(flits.codes))
    losses = []
    for epoch in range(epochs):
        rate = config.learning_rate * (1.0 - epoch / epochs)
        total, words = 0.0, 0
        for chunk in _chunks(flits, counts, config, random):
            total += _learn(chunk, context, target, config.negatives, rate)
            words += int((chunk.share > 0).sum())
        losses.append(total / max(words, 1))
        progress(epoch + 1, epochs)
    return np.ascontiguousarray(context.vectors.numpy()), tuple(losses)


def _learn(chunk: Chunk, context: Table, target: Table, negatives: int, rate: float) -> float:
    """One step; the sum of the chunk's losses."""
    around = _sum_of_windows(context.vectors[chunk.words], chunk) * chunk.share
    truth, noise = target.vectors[chunk.words], target.vectors[chunk.noise]
    learns = chunk.share > 0
    for_truth = (around * truth).sum(dim=1, keepdim=True)
    for_noise = around @ noise.T
    lost = softplus(-for_truth) * learns
    lost += softplus(for_noise[:, :NOISE_IN_LOSS]).mean(dim=1, keepdim=True) * learns * negatives
    weight = negatives / len(chunk.noise)
    pull = (torch.sigmoid(for_truth) - 1.0) * learns
    # A noise word that happens to be the true one says nothing.
    push = torch.sigmoid_(for_noise).masked_fill_(chunk.noise == chunk.words.unsqueeze(1), 0.0)
    back = (pull * truth + (push @ noise) * weight) * chunk.share
    rows = torch.cat([chunk.words, chunk.noise])
    target.step(rows, torch.cat([pull * around, (push.T @ around) * weight]), rate)
    context.step(chunk.words, _sum_to_windows(back, chunk), rate)
    return float(lost.sum())


def _sum_of_windows(vectors: Tensor, chunk: Chunk) -> Tensor:
    """For every word the sum of the vectors in its window."""
    sums = torch.zeros_like(vectors)
    for place, (left, right) in enumerate(zip(chunk.left, chunk.right, strict=True)):
        d = place + 1
        sums[d:].addcmul_(vectors[:-d], left)
        sums[:-d].addcmul_(vectors[d:], right)
    return sums


def _sum_to_windows(vectors: Tensor, chunk: Chunk) -> Tensor:
    """For every word the sum of the vectors of the words that have it in their window."""
    sums = torch.zeros_like(vectors)
    for place, (left, right) in enumerate(zip(chunk.left, chunk.right, strict=True)):
        d = place + 1
        sums[:-d].addcmul_(vectors[d:], left)
        sums[d:].addcmul_(vectors[:-d], right)
    return sums


def _chunks(
    flits: CodedFlits, counts: NDArray[np.int64], config: CbowConfig, random: torch.Generator
) -> Iterator[Chunk]:
    """One reading of the flits in a new order, common words thinned out, as chunks."""
    noise_shares = torch.from_numpy(counts.astype(np.float64) ** 0.75)
    for words, flit in _sections(flits, counts, config, random):
        n_chunks = -(-len(words) // CHUNK)
        noise = torch.multinomial(
            noise_shares, n_chunks * NOISE, replacement=True, generator=random
        ).view(n_chunks, NOISE)
        reach = torch.randint(1, config.window + 1, (len(words),), generator=random)
        for i in range(n_chunks):
            part = slice(i * CHUNK, (i + 1) * CHUNK)
            yield _chunk(words[part], flit[part], reach[part], noise[i])


def _chunk(words: Tensor, flit: Tensor, reach: Tensor, noise: Tensor) -> Chunk:
    left, right = [], []
    size = torch.zeros(len(words), 1)
    for d in range(1, min(int(reach.max()), len(words) - 1) + 1):
        together = flit[d:] == flit[:-d]
        left.append((together & (reach[d:] >= d)).unsqueeze(1).float())
        right.append((together & (reach[:-d] >= d)).unsqueeze(1).float())
        size[d:] += left[-1]
        size[:-d] += right[-1]
    share = torch.where(size > 0, 1.0 / size.clamp(min=1.0), 0.0)
    return Chunk(words, left, right, share, noise)


def _sections(
    flits: CodedFlits, counts: NDArray[np.int64], config: CbowConfig, random: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """(words, flit of each word) for some flits at a time, in a new order."""
    kept = torch.from_numpy(_share_kept(counts, config.subsample))
    order = torch.randperm(len(flits), generator=random).numpy()
    lengths = np.diff(flits.starts)[order]
    section = np.cumsum(lengths) // SECTION
    for some in np.split(np.arange(len(order)), np.flatnonzero(np.diff(section)) + 1):
        flit = np.repeat(some, lengths[some])
        inside = np.arange(len(flit)) - np.repeat(
            np.cumsum(lengths[some]) - lengths[some], lengths[some]
        )
        words = torch.from_numpy(flits.codes[flits.starts[order[flit]] + inside])
        keep = torch.rand(len(words), generator=random) < kept[words]
        yield words[keep], torch.from_numpy(flit)[keep]


def _share_kept(counts: NDArray[np.int64], subsample: float) -> NDArray[np.float32]:
    """How often a word is read where it stands: sqrt(t / f) + t / f, as word2vec does it."""
    if subsample == 0:
        return np.ones(len(counts), dtype=np.float32)
    ratio = subsample * counts.sum() / counts
    return np.minimum(np.sqrt(ratio) + ratio, 1.0).astype(np.float32)
