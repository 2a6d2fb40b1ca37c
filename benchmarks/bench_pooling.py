"""How alike sentences come out by pooling and whitening: BERT's Spearman on the dev set of STS-B.

    python benchmarks/bench_pooling.py --data FOLDER

A row is a pooling, a column what is done to its vectors: nothing, the mean taken away, and the
first principal directions kept, as strong as they are (PCA) or all alike (whitened). What is learnt
is learnt from the very sentences, without their scores, as Su et al. (2021) do.
"""

import argparse
import os
from pathlib import Path
from typing import get_args

import numpy as np

from flutter_pipeline.adapters.benchmark_data import read_sts
from flutter_pipeline.embeddings.bert.config import BertConfig, Pooling
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.bert.whitening import learn_whitening
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.evaluation.intrinsic import agreement_of_sentences

KEPT = (64, 128, 256, 384)
"""Principal directions that are kept; the packaged model's vectors have 384."""


def ways(vectors: Matrix) -> dict[str, Matrix]:
    """``vectors`` as they are, and made even in each way."""
    learnt = {
        f"{name} {kept}": learn_whitening(vectors, kept, power)
        for name, power in (("PCA", 0.0), ("white", 1.0))
        for kept in KEPT
    }
    return {
        "as is": vectors,
        "mean off": unit_rows(vectors - vectors.mean(axis=0)),
        **{name: whitening.apply(vectors) for name, whitening in learnt.items()},
    }


def main() -> None:
    """Encode with each pooling, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("FLUTTER_BENCHMARK_DATA"))
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16"], default="float32")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("say where the data is: --data FOLDER, or FLUTTER_BENCHMARK_DATA")
    pairs = read_sts(Path(asked.data))
    texts = [*pairs.left, *pairs.right]
    told = np.asarray(pairs.told)
    for row, pooling in enumerate(get_args(Pooling)):
        encoder = train_bert([], BertConfig(pooling=pooling, dtype=asked.dtype))
        made = ways(encoder.encode(texts))
        if row == 0:
            print(f"{len(told):,} pairs, Spearman x 100, {encoder.dtype}")
            print(f"{'pooling':14}{'dim':>6}" + "".join(f"{name:>10}" for name in made))
        figures = [
            100 * agreement_of_sentences(rows[: len(told)], rows[len(told) :], told)
            for rows in made.values()
        ]
        print(
            f"{pooling:14}{encoder.dim:6}" + "".join(f"{one:10.1f}" for one in figures), flush=True
        )


if __name__ == "__main__":
    main()
