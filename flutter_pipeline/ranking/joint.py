"""How a wide and deep ranker is learnt: one loss over both halves and all actions.

Rows on which nothing was done are sampled down, and each head's log-odds are corrected for it, as
those of the logistic ranker are (King & Zeng 2001, eq. 7). The draws come from a generator of the
config's seed, never from PyTorch's own state.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.birds.history import IntArray
from flutter_pipeline.ranking.actions import HEADS, heads_of
from flutter_pipeline.ranking.crosses import learn_crosses
from flutter_pipeline.ranking.platt import Platt, fit_platt
from flutter_pipeline.ranking.training import TrainingSet, check_enough, parted
from flutter_pipeline.ranking.wide_and_deep import (
    Network,
    WideAndDeepConfig,
    WideAndDeepRanker,
    weighted,
)
from flutter_pipeline.sequential.threads import one_thread

SMALLEST_SPREAD = 1e-6


def train_wide_and_deep(rows: TrainingSet, config: WideAndDeepConfig) -> WideAndDeepRanker:
    """Learn what birds will do with candidates.

    Raises CorpusError where fewer than ``min_positives`` rows were liked, or none was not.
    """
    check_enough(rows, config.min_positives)
    learnt, held = parted(rows)
    trial = _learnt(learnt, config, Platt(1.0, 0.0))
    raw = weighted(trial.chances(held.features), config.actions)
    # What was held out is the newest, so the ranker that serves learns from it too.
    return _learnt(rows, config, fit_platt(raw, held.labels))


def _learnt(rows: TrainingSet, config: WideAndDeepConfig, platt: Platt) -> WideAndDeepRanker:
    rng = np.random.default_rng(config.seed)
    # A like in the wider sense, as everything here is measured by.
    targets = np.column_stack([rows.labels, heads_of(rows.acted)[:, 1:]])
    acted = np.flatnonzero(targets.any(axis=1))
    chosen, correction = _sampled(acted, len(rows), config, rng)
    matrix = rows.features.iloc[chosen].to_numpy(dtype=np.float32)
    spread = matrix.std(axis=0)
    mean, scale = matrix.mean(axis=0), np.where(spread > SMALLEST_SPREAD, spread, 1)
    crosses = learn_crosses(matrix, rows.labels[chosen], config.crossed, config.bins)
    start = _start(targets[chosen], (matrix.shape[1], crosses.cells), config, rng)
    batch = (
        (matrix - mean) / scale,
        crosses.codes(matrix),
        targets[chosen].astype(np.float32),
        rows.weights[chosen],
    )
    with one_thread():
        line, wide, *layers = _descended(start, batch, config, rng)
    network = Network(mean, scale.astype(np.float32), crosses, line, wide, tuple(layers))
    return WideAndDeepRanker(
        tuple(rows.features.columns),
        network,
        np.full(len(HEADS), correction),
        config.actions,
        platt,
    )


def _sampled(
    done: IntArray, n_rows: int, config: WideAndDeepConfig, rng: np.random.Generator
) -> tuple[IntArray, float]:
    """Rows to train on, ascending, and the log-odds that their sampling adds to every head."""
    other = np.setdiff1d(np.arange(n_rows), done)
    n_done = min(len(done), config.max_rows // 2)
    n_other = min(len(other), config.max_rows - n_done)
    kept = [
        rng.choice(some, n, replace=False, shuffle=False)
        for some, n in ((done, n_done), (other, n_other))
    ]
    correction = np.log(n_done / len(done)) - np.log(max(n_other, 1) / max(len(other), 1))
    return np.sort(np.concatenate(kept)), float(correction)


def _start(
    targets: NDArray,
    sizes: tuple[int, int],
    config: WideAndDeepConfig,
    rng: np.random.Generator,
) -> list[NDArray[np.float32]]:
    """The wide weights, zero; the deep layers, drawn after He et al. 2015; each head's log-odds.

    ``sizes`` says how many features there are, and cells of crosses.
    """
    shares = (targets.sum(axis=0) + 1) / (len(targets) + 2)
    start: list[NDArray[np.float32]] = []
    start += [np.zeros((size, len(HEADS)), dtype=np.float32) for size in sizes]
    widths = [sizes[0], config.first_hidden, config.second_hidden, len(HEADS)]
    for before, after in pairwise(widths):
        start.append(rng.normal(0, np.sqrt(2 / before), (before, after)).astype(np.float32))
        start.append(np.zeros(after, dtype=np.float32))
    # What is rare would else spend its first steps on becoming rare; the last layer starts small.
    start[-1] = np.log(shares / (1 - shares)).astype(np.float32)
    start[-2] = (start[-2] * 0.1).astype(np.float32)
    return start


def _descended(
    start: list[NDArray[np.float32]],
    rows: tuple[NDArray, ...],
    config: WideAndDeepConfig,
    rng: np.random.Generator,
) -> list[NDArray[np.float32]]:
    """``start`` after all epochs of Adam on the summed cross-entropy of the heads."""
    import torch  # late, since it takes seconds

    parameters = [torch.tensor(array, requires_grad=True) for array in start]
    matrix, codes, targets, weights = (torch.from_numpy(np.ascontiguousarray(r)) for r in rows)
    optimiser = torch.optim.AdamW(
        parameters, lr=config.learning_rate, weight_decay=config.weight_decay
    )
    steps = config.epochs * -(-len(matrix) // config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    for _ in range(config.epochs):
        order = torch.from_numpy(rng.permutation(len(matrix)))
        for some in order.split(config.batch):
            logits = _logits(torch, parameters, matrix[some], codes[some])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, targets[some], weight=weights[some, None], reduction="sum"
            )
            optimiser.zero_grad()
            (loss / len(some)).backward()
            optimiser.step()
            schedule.step()
    return [parameter.detach().numpy().copy() for parameter in parameters]


def _logits(torch: Any, parameters: list[Any], matrix: Any, codes: Any) -> Any:
    """The heads' log-odds: the deep half's, and the sum of the features' and the crosses'."""
    line, wide, *layers = parameters
    hidden = matrix
    for number, (weight, bias) in enumerate(zip(layers[::2], layers[1::2], strict=True)):
        hidden = hidden @ weight + bias
        if number < len(layers) // 2 - 1:
            hidden = torch.relu(hidden)
    return hidden + matrix @ line + torch.nn.functional.embedding_bag(codes, wide, mode="sum")
