"""CBOW as the network of "What are embeddings": predict the middle word out of the vocabulary.

The words before and after are embedded and summed, then linear, ReLU, linear and log-softmax
(V. Boykis, 2023). Its cost grows with the vocabulary, which is why it is not the default.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from flutter_pipeline.contracts.state import Progress
from flutter_pipeline.embeddings.cbow.config import CbowConfig
from flutter_pipeline.embeddings.encoder import Matrix
from flutter_pipeline.embeddings.vocabulary import CodedFlits

BATCH = 64
"""Contexts in a step. The text takes one; that many are 50 times quicker and learn as well."""


class CbowNetwork(nn.Module):
    """From the codes of the words around to the log-probability of each word between them."""

    def __init__(self, n_words: int, dim: int, hidden: int) -> None:
        """A network with first weights from torch's random state."""
        super().__init__()
        self.embeddings = nn.Embedding(n_words, dim)
        self.layers = nn.Sequential(
            nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, n_words), nn.LogSoftmax(dim=-1)
        )

    def forward(self, contexts: Tensor) -> Tensor:
        """Shape (n, 2 * window) codes -> (n, words) log-probabilities."""
        return self.layers(self.embeddings(contexts).sum(dim=1))


@dataclass(frozen=True)
class Predictor:
    """A trained network with the loss of every epoch; :func:`train_predictor` makes it."""

    network: CbowNetwork
    losses: tuple[float, ...]

    def word_vectors(self) -> Matrix:
        """Shape (words, dim)."""
        return np.ascontiguousarray(self.network.embeddings.weight.detach().numpy())

    def probabilities(self, context: Sequence[int]) -> NDArray[np.float32]:
        """Shape (words,): how likely each word is between the words ``context``."""
        with torch.inference_mode():
            return self.network(torch.tensor([list(context)])).exp()[0].numpy()


def train_predictor(
    flits: CodedFlits, n_words: int, config: CbowConfig, progress: Progress
) -> Predictor:
    """Learn to predict every word that has ``window`` words on either side within its flit."""
    middles = _middles(flits, config.window)
    random = torch.Generator().manual_seed(config.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = CbowNetwork(n_words, config.dim, config.hidden)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    around = torch.tensor([d for d in range(-config.window, config.window + 1) if d != 0])
    codes = torch.from_numpy(flits.codes)
    epochs = config.epochs_for(len(flits.codes))
    losses = []
    for epoch in range(epochs):
        total = 0.0
        for middle in _batches(middles, random):
            loss = nn.functional.nll_loss(
                network(codes[middle.unsqueeze(1) + around]), codes[middle]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(middle)
        losses.append(total / len(middles))
        progress(epoch + 1, epochs)
    return Predictor(network.eval(), tuple(losses))


def has_contexts(flits: CodedFlits, window: int) -> bool:
    """Whether any flit is long enough to hold a word with ``window`` words on either side."""
    return bool((np.diff(flits.starts) > 2 * window).any())


def _middles(flits: CodedFlits, window: int) -> Tensor:
    """Places in ``codes`` of the words that have a whole window within their flit."""
    flit = flits.flit_of_each()
    place = np.arange(len(flits.codes))
    before = place - flits.starts[flit]
    after = flits.starts[flit + 1] - 1 - place
    return torch.from_numpy(np.flatnonzero((before >= window) & (after >= window)))


def _batches(middles: Tensor, random: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(len(middles), generator=random)
    yield from middles[order].split(BATCH)
