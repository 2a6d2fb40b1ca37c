"""Nothing that could run code is loaded: by no line of the source, and from no folder."""

import ast
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import flutter_pipeline
from flutter_pipeline.adapters.store.states import read_state, write_state
from flutter_pipeline.contracts.state import State
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.bert.folder import find_model
from flutter_pipeline.errors import ConfigError, VersionError
from flutter_pipeline_tests.embeddings.test_bert_folders import folder_of

SOURCE = Path(flutter_pipeline.__file__).parent
MODULES = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "skops", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "__import__", "read_pickle", "load_pickle", "from_pickle"}
LOADERS = {"np.load": "allow_pickle", "numpy.load": "allow_pickle", "torch.load": "weights_only"}
SAFE = {"allow_pickle": False, "weights_only": True}


class Bomb:
    """An object that leaves a file behind when a pickle of it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


def faults_of(code: str) -> list[str]:
    """What a module imports or calls that could run code which it reads."""
    found: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            found += _fault_of_call(node)
    return found


def _fault_of_call(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    arguments = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in LOADERS:
        flag = arguments.get(LOADERS[name])
        is_safe = isinstance(flag, ast.Constant) and flag.value is SAFE[LOADERS[name]]
        return [] if is_safe else [name]
    if name in CALLS or name.rpartition(".")[2] in {"read_pickle"}:
        return [name]
    trusts = arguments.get("trust_remote_code")
    is_trusting = trusts is not None and not (
        isinstance(trusts, ast.Constant) and trusts.value is False
    )
    return [f"{name}(trust_remote_code)"] if is_trusting else []


@pytest.mark.parametrize(
    ("code", "faults"),
    [
        ("import pickle", ["pickle"]),
        ("from joblib import load", ["joblib"]),
        ("np.load(path)", ["np.load"]),
        ("np.load(path, allow_pickle=True)", ["np.load"]),
        ("np.load(path, allow_pickle=False)", []),
        ("torch.load(path)", ["torch.load"]),
        ("pd.read_pickle(path)", ["pd.read_pickle"]),
        ("eval(text)", ["eval"]),
        ("model.eval()", []),
        ("make(trust_remote_code=True)", ["make(trust_remote_code)"]),
    ],
)
def test_the_search_finds_what_could_run_code(code: str, faults: list[str]):
    assert faults_of(code) == faults


def test_no_line_of_the_source_loads_what_could_run_code():
    found = {
        str(path.relative_to(SOURCE)): faults
        for path in sorted(SOURCE.rglob("*.py"))
        if (faults := faults_of(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_an_array_of_objects_in_a_stored_version_is_refused_and_not_run(tmp_path: Path):
    folder, mark = tmp_path / "version", tmp_path / "it ran"
    write_state(folder, State({}, {"a": np.zeros(2)}), {})
    (array,) = folder.glob("*.npy")
    np.save(array, np.array([Bomb(mark)], dtype=object), allow_pickle=True)
    with pytest.raises(VersionError, match="cannot be read"):
        read_state(folder)
    assert not mark.exists()
    # The trap works: whoever does load it lets it run.
    np.load(array, allow_pickle=True)
    assert mark.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl"])
def test_a_model_folder_with_pickled_weights_is_refused_and_not_run(name: str, tmp_path: Path):
    folder, mark = tmp_path / "model", tmp_path / "it ran"
    folder_of("ELECTRA", folder)
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(ConfigError, match=f"{name}, a pickle, .*safetensors"):
        find_model(BertConfig(model=str(folder)))
    assert not mark.exists()


def test_pickles_beside_safe_weights_are_not_looked_at(tmp_path: Path):
    from flutter_pipeline.embeddings.bert.encoder import train_bert

    folder, mark = tmp_path / "model", tmp_path / "it ran"
    folder_of("ELECTRA", folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    (folder / "training_args.bin").write_bytes(pickle.dumps(Bomb(mark)))
    train_bert([], BertConfig(model=str(folder), max_tokens=14))
    assert not mark.exists()


def test_a_model_folder_with_code_of_its_own_is_refused_and_not_run(tmp_path: Path):
    from flutter_pipeline.embeddings.bert.encoder import train_bert

    folder, mark = tmp_path / "model", tmp_path / "it ran"
    folder_of("ELECTRA", folder)
    config = folder / "config.json"
    own = '"auto_map": {"AutoConfig": "own.Own", "AutoModel": "own.Own"}, "model_type": "own", "x":'
    config.write_text(config.read_text().replace('"model_type":', own, 1))
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\n")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        train_bert([], BertConfig(model=str(folder), max_tokens=14))
    assert not mark.exists()


def test_damaged_safe_weights_are_refused_in_words(tmp_path: Path):
    from flutter_pipeline.embeddings.bert.encoder import train_bert

    folder = folder_of("ELECTRA", tmp_path / "model")
    shutil.copyfile(folder / "config.json", folder / "model.safetensors")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        train_bert([], BertConfig(model=str(folder), max_tokens=14))
