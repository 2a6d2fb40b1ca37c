import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.bert.batches import by_length
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import BertEncoder, load_bert, train_bert
from flutter_pipeline.embeddings.bert.folder import find_model
from flutter_pipeline.embeddings.bert.pooling import pool
from flutter_pipeline.errors import ConfigError, VersionError
from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import simulate

PACKAGED = find_model(BertConfig())
FLITS = [
    "A robin sings at dawn.",
    "At daybreak a small bird is singing in the hedge, which nobody but me is up to hear!",
    "The stock market fell sharply",
    "",
    "🐦🎶",
    "鳥は歌う",
    "so " * 300,
]


@pytest.fixture(scope="module")
def exact() -> BertEncoder:
    return train_bert([], BertConfig(dtype="float32"))


def test_vectors_are_those_of_the_plain_loop(exact: BertEncoder):
    tokenizer = AutoTokenizer.from_pretrained(PACKAGED, local_files_only=True)
    model = AutoModel.from_pretrained(PACKAGED, local_files_only=True).eval()
    rows = exact.encode(FLITS)
    for flit, row in zip(FLITS[:3], rows, strict=False):
        with torch.inference_mode():
            pieces = model(**tokenizer(flit, return_tensors="pt")).last_hidden_state[0]
        mean = pieces.mean(dim=0).numpy()
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_only_the_empty_flit_is_the_zero_row(exact: BertEncoder):
    assert exact.encode(FLITS).any(axis=1).tolist() == [True, True, True, False, True, True, True]


def test_flits_of_one_meaning_are_nearer_than_flits_of_two(exact: BertEncoder):
    robin, bird, market, *_ = exact.encode(FLITS)
    assert robin @ bird > robin @ market + 0.2


def test_bfloat16_agrees_with_float32_whatever_a_flits_company(exact: BertEncoder):
    quick = train_bert([], BertConfig(dtype="bfloat16"))
    told = [flit for flit in FLITS if flit]
    together, expected = quick.encode(told), exact.encode(told)
    alone = np.concatenate([quick.encode([flit]) for flit in told])
    assert (together * expected).sum(axis=1).mean() > 0.9999
    assert (together * alone).sum(axis=1).min() > 0.9999


def test_the_hardwares_numbers_keep_a_flits_neighbours(exact: BertEncoder):
    config = SimulationConfig(flits=300, birds=50, days=2, seed=1)
    flits = simulate(config).flits["text"].dropna().unique().tolist()
    quick = train_bert([], BertConfig(dtype="bfloat16"))
    rows, expected = quick.encode(flits), exact.encode(flits)
    cosines = (rows * expected).sum(axis=1)[expected.any(axis=1)]
    assert cosines.mean() > 0.9999
    nearest = [np.argsort(-(some @ some.T), axis=1)[:, 1:11] for some in (rows, expected)]
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(*nearest, strict=True)]
    assert np.mean(shared) > 0.98


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_same_flits_are_the_same_rows_bit_for_bit_on_any_number_of_cores(dtype):
    encoder = train_bert([], BertConfig(dtype=dtype, tokens_per_batch=64))
    cores = torch.get_num_threads()
    rows = []
    for threads in (1, 2, 2):
        torch.set_num_threads(threads)
        rows.append(encoder.encode(FLITS))
    torch.set_num_threads(cores)
    assert (rows[0] == rows[1]).all() and (rows[1] == rows[2]).all()


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("mean", [2.0]),  # (1 + 3) / 2: the third piece is padding
        ("cls", [1.0]),
        ("sum_last4", [2.0 * (1 + 10 + 100 + 1000)]),
        ("mean_last4", [2.0 * (1 + 10 + 100 + 1000) / 4]),
        ("concat_last4", [2000.0, 200.0, 20.0, 2.0]),
    ],
)
def test_pieces_are_pooled(pooling, expected: list[float]):
    last = torch.tensor([[[1.0], [3.0], [9.0]]])
    layers = tuple(last * scale for scale in (7e6, 1000.0, 100.0, 10.0, 1.0))
    assert pool(last, layers, torch.tensor([[1, 1, 0]]), pooling).tolist() == [expected]


def test_four_layers_end_to_end_are_four_times_as_long():
    encoder = train_bert([], BertConfig(pooling="concat_last4"))
    assert encoder.dim == 4 * 384
    assert encoder.encode(["a robin sings"]).shape == (1, 4 * 384)


def test_batches_take_the_longest_first_and_are_bounded():
    batches = by_length(np.array([2, 0, 5, 3, 9, 2]), tokens_per_batch=6)
    assert [batch.tolist() for batch in batches] == [[4], [2], [3, 0], [5]]


def test_batches_of_the_hardwares_size_are_even():
    # 40,000 pieces are 9.8 batches of 4,096: 12 batches, the next multiple of 4, of about 3,333.
    sizes = [len(batch) * 20 for batch in by_length(np.full(2000, 20), tokens_per_batch=0)]
    assert sizes == [3340] * 11 + [3260]
    assert len(list(by_length(np.full(20, 25), tokens_per_batch=0))) == 1


def test_special_words_in_a_flit_are_read_as_words(exact: BertEncoder):
    assert exact.encode(["[SEP] [CLS] [PAD]"]).any()


def test_a_changed_model_is_refused(exact: BertEncoder, tmp_path: Path):
    folder = Path(shutil.copytree(PACKAGED, tmp_path / "model"))
    config = BertConfig(model=str(folder))
    settings = exact.state().settings | {"config": config.model_dump()}
    assert load_bert(State(settings)).fingerprint == exact.fingerprint
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    with pytest.raises(VersionError, match="has changed: its fingerprint is"):
        load_bert(State(settings))


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="holds no model that transformers can read"):
        find_model(BertConfig(model=str(tmp_path)))


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no such model!", "/no/such/folder"])
def test_a_hub_model_that_is_not_on_disk_says_the_way_out(name: str):
    with pytest.raises(ConfigError, match="set `allow_download` to fetch it") as raised:
        find_model(BertConfig(model=name))
    assert "\n" not in str(raised.value)


def test_more_tokens_than_the_model_reads_are_refused():
    with pytest.raises(ConfigError, match="reads at most 512 tokens; lower `max_tokens`"):
        train_bert([], BertConfig(max_tokens=1000))


def test_nothing_is_printed_and_no_network_is_touched():
    program = """
import sys

def no_network(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(no_network)
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.encoder import train_bert
from flutter_pipeline.errors import ConfigError
train_bert([], BertConfig()).encode(["a robin sings"])
try:
    train_bert([], BertConfig(model="nobody/no-such-model"))
except ConfigError:
    print("refused")
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("refused\n", "")


def test_a_download_that_fails_says_why():
    program = """
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.folder import find_model
from flutter_pipeline.errors import ConfigError
try:
    find_model(BertConfig(model="nobody/no-such-model", allow_download=True))
except ConfigError as error:
    print(error)
"""
    offline = os.environ | {"HF_HUB_OFFLINE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=offline
    )
    assert "neither a folder nor among the hub models on disk (" in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
