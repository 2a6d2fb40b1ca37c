"""Does fine-tuning BERT on likes pay? Recommending by content alone, before and after it.

    python benchmarks/bench_fine_tuning.py --data FOLDER
    python benchmarks/bench_fine_tuning.py --data FOLDER --set layers=1 pairs=20000

Leave one out on ``amazon_beauty`` (titles as flits, order of engagements for time): a bird's last
flit is the test, the one before it the validation, and the model learns from what is before these.
The validation flits decide when learning stops, which weights are kept, and how fast likes fade. A
bird is the mean of what it liked, newer likes weighing more; its test flit is looked for among all
flits that it has not met. Intervals are by bootstrap over birds, that of the difference paired.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix

from flutter_pipeline.adapters.benchmark_data import Beauty, read_beauty
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import BertEncoder, train_bert
from flutter_pipeline.embeddings.bert.fine_tuning.liked_together import DAY
from flutter_pipeline.embeddings.encoder import Likes, Matrix, unit_rows
from flutter_pipeline.evaluation.significance import Interval, interval, paired_difference

K = 10
BLOCK = 1024
"""Birds whose cosines are held at once."""
LAST_DAY = 10_000
DECAYS = (0.3, 0.5, 0.7, 0.9)
"""What a like may weigh beside the next newer one."""
RESAMPLES, LEVEL = 2000, 0.95
NAMES = ("HR@10", "NDCG@10")


@dataclass(frozen=True)
class Found:
    """A shape (birds, 2) table: was the looked-for flit among the first ten, and its gain there."""

    values: np.ndarray
    decay: float


def likes_without_last(data: Beauty, left_out: int) -> Likes:
    """All likes but the last ``left_out`` of each bird, every bird's last one on the last day."""
    lengths = np.diff(data.starts)
    bird = np.repeat(np.arange(len(lengths)), lengths)
    from_end = data.starts[bird + 1] - 1 - np.arange(len(bird))
    kept = from_end >= left_out
    return Likes(bird[kept], data.flits[kept].astype(np.int64), (LAST_DAY - from_end[kept]) * DAY)


def found_by(vectors: Matrix, data: Beauty, left_out: int, decay: float) -> Found:
    """Look for the flit that came next to the likes that are left."""
    likes = likes_without_last(data, left_out)
    n_birds, n_flits = len(data.starts) - 1, len(vectors)
    age = LAST_DAY - left_out - likes.time // DAY
    shape = (n_birds, n_flits)
    weights = csr_matrix((np.float32(decay) ** age, (likes.bird, likes.flit)), shape=shape)
    birds = unit_rows(weights @ vectors)
    wanted = data.flits[data.starts[1:] - left_out]
    values = np.zeros((n_birds, 2))
    for start in range(0, n_birds, BLOCK):
        part = slice(start, start + BLOCK)
        near = birds[part] @ vectors.T
        own = near[np.arange(len(near)), wanted[part]].copy()
        near[weights[part].nonzero()] = -np.inf
        rank = 1 + (near > own[:, None]).sum(axis=1)
        values[part, 0] = rank <= K
        values[part, 1] = np.where(rank <= K, 1 / np.log2(1 + rank), 0)
    return Found(values, decay)


def tested(vectors: Matrix, data: Beauty) -> tuple[Found, Found]:
    """What is found of the validation flits with the best decay, and of the test flits with it."""
    tried = [found_by(vectors, data, 2, decay) for decay in DECAYS]
    best = max(tried, key=lambda found: float(found.values[:, 1].mean()))
    return best, found_by(vectors, data, 1, best.decay)


def shown(name: str, of: Interval) -> str:
    """A row of the table: each mean with its interval."""
    cells = [
        f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]" if name == "difference"
        else f"{mean:.4f} [{low:.4f}, {high:.4f}]"
        for mean, low, high in zip(of.mean, of.low, of.high, strict=True)
    ]  # fmt: skip
    return f"{name:22}" + "".join(f"{cell:>30}" for cell in cells)


def tuned_on(data: Beauty, settings: dict[str, str]) -> BertEncoder:
    """The encoder as it comes out of fine-tuning, and what that took, printed."""
    config = BertConfig.model_validate({"fine_tune": {"on": True, **settings}})
    clock, cores = time.perf_counter(), time.process_time()
    encoder = train_bert(data.titles, config, likes=likes_without_last(data, 1))
    clock, cores = time.perf_counter() - clock, time.process_time() - cores
    learnt = encoder.learnt.tuned
    if learnt is None:
        raise RuntimeError("fine-tuning is on, and nothing was learnt")
    print(f"settings: {config.fine_tune.model_dump()}")
    print(f"fine-tuning: {clock:.0f} s by the clock, {cores:.0f} s of cores")
    print("loss at each look: " + " ".join(f"{loss:.3f}" for loss in learnt.losses))
    print("gain at each look: " + " ".join(f"{gain:.4f}" for gain in learnt.gains))
    kept = f"those after step {learnt.step}" if learnt.step else "as they came: none was better"
    print(f"weights kept: {kept}\n")
    return encoder


def main() -> None:
    """Measure before and after, and print both beside their difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("FLUTTER_BENCHMARK_DATA"))
    parser.add_argument("--set", nargs="*", default=[], help="settings of fine-tuning, name=value")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("say where the data is: --data FOLDER, or FLUTTER_BENCHMARK_DATA")
    data = read_beauty(Path(asked.data))
    before = train_bert([], BertConfig())
    print(
        f"{len(data.starts) - 1:,} birds, {len(data.titles):,} flits, {before.dtype}, "
        f"{torch.get_num_threads()} threads"
    )
    plain_validation, plain = tested(before.encode(data.titles), data)
    after = tuned_on(data, dict(pair.split("=", 1) for pair in asked.set))
    tuned_validation, tuned = tested(after.encode(data.titles), data)
    print(f"{'':22}" + "".join(f"{name:>30}" for name in NAMES))
    for name, found in (
        ("before, validation", plain_validation),
        ("after, validation", tuned_validation),
        ("before, test", plain),
        ("after, test", tuned),
    ):
        print(shown(name, interval(found.values, RESAMPLES, LEVEL, 0)))
    print(shown("difference", paired_difference(tuned.values, plain.values, RESAMPLES, LEVEL, 0)))
    print(f"a like weighs {plain.decay:g} of the next newer one before, {tuned.decay:g} after")


if __name__ == "__main__":
    main()
