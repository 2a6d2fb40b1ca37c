"""BERT's encoding speed beside the plain loop, sentence-transformers and OpenVINO, in one run.

    python benchmarks/bench_bert.py --flits 3000 --rounds 3
    python benchmarks/bench_bert.py --ways plain ours-bfloat16 --flits 1000

All ways read the same texts and cut them into word pieces themselves; that is counted. They take
turns, and medians over the rounds are printed: by the clock, and by seconds of cores, which other
work on the machine disturbs less. Texts are the tweets in the folder that FLUTTER_BENCHMARK_DATA
names, or simulated flits without it. Needs benchmarks/peers.txt.
"""

import argparse
import gzip
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from flutter_pipeline.embeddings.bert.batches import by_length
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.embeddings.bert.folder import find_model, quiet_transformers
from flutter_pipeline.embeddings.encoder import Matrix, unit_rows
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate

Way = Callable[[list[str]], Matrix]

PLAIN_BATCH = 32
MAX_TOKENS = 128
PEER_TOKENS = 1024
"""Word pieces in OpenVINO's batches: of 256 to 4,096 none was faster (bfloat16, AMD EPYC)."""
NEIGHBOURS = 10
WARM_UP = 256
"""Flits sent through each way before the clock runs: compiled kernels, filled caches."""
FLAGS = ("avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


class PlainLoop:
    """What most first versions do: batches of 32 in order of arrival, padded, mean pooling."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=dtype)
        self.model = model.eval()

    def __call__(self, texts: list[str]) -> Matrix:
        """Unit rows of ``texts``."""
        parts = []
        for start in range(0, len(texts), PLAIN_BATCH):
            batch = cut(self.tokenizer, texts[start : start + PLAIN_BATCH], "pt")
            with torch.inference_mode():
                pieces = self.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            parts.append(((pieces * mask).sum(dim=1) / mask.sum(dim=1)).float().numpy())
        return unit_rows(np.concatenate(parts))


class OpenVino:
    """The model compiled by OpenVINO; batches of nearly one length, so hardly any padding."""

    def __init__(self, folder: Path, hint: str) -> None:
        import openvino

        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        example = {
            "input_ids": torch.randint(5, 1000, (4, 12)),
            "attention_mask": torch.ones(4, 12, dtype=torch.int64),
        }
        converted = openvino.convert_model(LastLayer(model), example_input=example)
        settings = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "THROUGHPUT"}
        self.compiled = openvino.Core().compile_model(converted, "CPU", settings)
        self.queue = openvino.AsyncInferQueue(self.compiled)

    def __call__(self, texts: list[str]) -> Matrix:
        """Unit rows of ``texts``."""
        pieces = self.tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        lengths = np.array([len(flit) for flit in pieces])
        rows = np.zeros((len(texts), 384), dtype=np.float32)

        def keep(request: Any, given: tuple[np.ndarray, np.ndarray]) -> None:
            batch, mask = given
            summed = (request.get_output_tensor(0).data * mask[..., None]).sum(axis=1)
            rows[batch] = summed / mask.sum(axis=1, keepdims=True)

        self.queue.set_callback(keep)
        for batch in by_length(lengths, PEER_TOKENS):
            codes, mask = padded([pieces[place] for place in batch])
            self.queue.start_async({0: codes, 1: mask}, (batch, mask))
        self.queue.wait_all()
        return unit_rows(rows)


class LastLayer(torch.nn.Module):
    """A model of transformers that takes and gives plain tensors."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Shape (flits, pieces, hidden)."""
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return output.last_hidden_state


def sentence_transformers(folder: Path, dtype: str) -> Way:
    """The library's own ``encode``: sorted by length, batches of 32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), model_kwargs={"dtype": dtype}, local_files_only=True)
    model.max_seq_length = MAX_TOKENS

    def encode(texts: list[str]) -> Matrix:
        rows = model.encode(texts, normalize_embeddings=True, convert_to_numpy=False)
        return unit_rows(torch.stack(list(rows)).float().numpy())

    return encode


def ours(dtype: Any) -> Way:
    """This project's encoder."""
    return train_bert([], BertConfig(dtype=dtype, max_tokens=MAX_TOKENS)).encode


WAYS: dict[str, Callable[[Path], Way]] = {
    "plain": lambda folder: PlainLoop(folder, torch.float32),
    "plain-bfloat16": lambda folder: PlainLoop(folder, torch.bfloat16),
    "sentence-transformers": lambda folder: sentence_transformers(folder, "float32"),
    "sentence-transformers-bfloat16": lambda folder: sentence_transformers(folder, "bfloat16"),
    "openvino": lambda folder: OpenVino(folder, "f32"),
    "openvino-bfloat16": lambda folder: OpenVino(folder, "bf16"),
    "ours": lambda folder: ours("float32"),
    "ours-bfloat16": lambda folder: ours("bfloat16"),
}


def cut(tokenizer: Any, texts: list[str], tensors: str) -> Any:
    """Word pieces padded to the longest of ``texts``."""
    return tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors=tensors
    )


def padded(pieces: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Codes and mask, each (flits, longest)."""
    lengths = np.array([len(flit) for flit in pieces])
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
    codes = np.zeros_like(mask)
    codes[mask.astype(bool)] = np.concatenate(pieces)
    return codes, mask


def texts_to_read(n: int) -> tuple[str, list[str]]:
    """Where the texts come from, and ``n`` of them."""
    if "FLUTTER_BENCHMARK_DATA" not in os.environ:
        flits = simulate(SimulationConfig()).flits["text"].dropna().tolist()
        return "simulated flits", (flits * (n // len(flits) + 1))[:n]
    path = Path(os.environ["FLUTTER_BENCHMARK_DATA"]) / "corpora" / "tweets_100k.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return "tweets", [line.strip() for _, line in zip(range(n), file, strict=False)]


def same_neighbours(rows: Matrix, exact: Matrix) -> float:
    """Share of each flit's nearest flits that are those by ``exact``."""
    shares = []
    for start in range(0, len(rows), 1024):
        pair = []
        for vectors in (rows, exact):
            scores = vectors[start : start + 1024] @ vectors.T
            scores[np.arange(len(scores)), start + np.arange(len(scores))] = -2
            pair.append(np.argpartition(-scores, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
        shares += [len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(*pair, strict=True)]
    return statistics.mean(shares)


def machine() -> Iterator[str]:
    """What the figures depend on."""
    has = torch.cpu.get_capabilities()
    flags = " ".join(flag for flag in FLAGS if has.get(flag)) or "no wide vectors"
    yield f"{has.get('cpu_name', platform.processor())}: {flags}"
    policy = os.environ.get("OMP_WAIT_POLICY", "default")
    yield f"{torch.get_num_threads()} threads, torch {torch.__version__}, OMP_WAIT_POLICY {policy}"
    yield f"load of the machine at the start: {os.getloadavg()[0]:.1f}"


def measured(ways: dict[str, Way], texts: list[str], rounds: int) -> dict[str, Any]:
    """By way: its rows, and (seconds by the clock, seconds of cores) of each round."""
    rows: dict[str, Matrix] = {}
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for encode in ways.values():
        encode(texts[:WARM_UP])
    for _ in range(rounds):
        for name, encode in ways.items():
            clock, cores = time.perf_counter(), time.process_time()
            rows[name] = encode(texts)
            spent[name].append((time.perf_counter() - clock, time.process_time() - cores))
    return {"rows": rows, "spent": spent}


def table(found: dict[str, Any], n: int) -> Iterator[str]:
    """One line a way, with ratios to the first way and to the best peer."""
    medians = {
        name: tuple(statistics.median(values) for values in zip(*rounds, strict=True))
        for name, rounds in found["spent"].items()
    }
    first = next(iter(medians))
    peers = [clock for name, (clock, _) in medians.items() if not name.startswith("ours")]
    best = min(peers) if peers else medians[first][0]
    exact = found["rows"][first]
    yield (
        f"{'way':31}{'flits/s':>8}{'x first':>9}{'x best peer':>12}{'a core second':>15}"
        f"{'x first':>9}{'cosine: mean':>14}{'min':>9}{'same top 10':>13}"
    )
    for name, (clock, cores) in medians.items():
        rows = found["rows"][name]
        cosines = (rows * exact).sum(axis=1)
        yield (
            f"{name:31}{n / clock:8.0f}{medians[first][0] / clock:9.2f}{best / clock:12.2f}"
            f"{n / cores:15.0f}{medians[first][1] / cores:9.2f}"
            f"{cosines.mean():14.6f}{cosines.min():9.5f}{same_neighbours(rows, exact):13.3f}"
        )


def main() -> None:
    """Read the command line, run, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--flits", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    asked = parser.parse_args()
    folder = find_model(BertConfig())
    kind, texts = texts_to_read(asked.flits)
    for line in machine():
        print(line)
    with quiet_transformers():
        ways = {name: WAYS[name](folder) for name in asked.ways}
    print(f"{len(texts)} {kind}, median of {asked.rounds} rounds in which the ways take turns")
    for line in table(measured(ways, texts, asked.rounds), len(texts)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
