"""Stored versions as models of MLflow: what goes in, what comes out, an example, and how to load.

They are loaded by :mod:`flutter_pipeline.adapters.mlflow_loader`; nothing is pickled. MLflow is
imported late, because importing it takes seconds.
"""

import json
import warnings
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flutter_pipeline.adapters.letter import ModelForm
from flutter_pipeline.adapters.mlflow_loader import READING
from flutter_pipeline.adapters.store.files import dump_json
from flutter_pipeline.adapters.store.versions import Stored
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.text.cleaned import TextConfig

PACKAGE = "flutter-pipeline"
LOADER = "flutter_pipeline.adapters.mlflow_loader"
EXAMPLE = ("learning to fly", "the early bird catches the worm")
DATA = "model"
"""Folder of the data within a model's folder; MLflow puts it below ``data``."""


class FormError(FlutterError):
    """MLflow cannot make a model of what it was given."""


def encoder_form(stored: Stored, text: TextConfig) -> ModelForm:
    """An encoder: texts in, unit vectors out. ``text`` is how flits were cleaned for it."""
    vectors = {"dtype": "float32", "shape": [-1, int(stored.facts["dim"])]}
    reading = {**_named("encoder", stored), "text": text.model_dump(mode="json")}
    return ModelForm(
        reading=reading,
        inputs=({"type": "string", "required": True},),
        outputs=({"type": "tensor", "tensor-spec": vectors},),
        example=list(EXAMPLE),
    )


def ranker_form(stored: Stored, example: pd.DataFrame) -> ModelForm:
    """A ranker: features in, probabilities out. ``example`` has the columns that it reads."""
    scores = {"dtype": "float64", "shape": [-1]}
    if example.empty:
        # Too little was there to learn from: no row was read, and none says anything.
        example = pd.DataFrame(0.0, index=[0], columns=example.columns)
    return ModelForm(
        reading=_named("ranker", stored),
        inputs=tuple(
            {"type": "double", "name": str(name), "required": True} for name in example.columns
        ),
        outputs=({"type": "tensor", "tensor-spec": scores},),
        example={
            str(name): [float(value) for value in np.nan_to_num(example[name])] for name in example
        },
    )


def write_model(form: ModelForm, folder: Path, beside: Path) -> None:
    """Write what MLflow wants to know of a model to the new ``folder``; the state is added by
    whoever has it, as ``data/model/state``. ``beside`` is an empty folder to work in.

    Raises FormError where MLflow takes the form for wrong.
    """
    from mlflow.exceptions import MlflowException

    data = beside / DATA
    data.mkdir()
    dump_json(data / READING, form.reading)
    try:
        _save(form, folder, data)
    except (MlflowException, TypeError, ValueError, KeyError) as error:
        raise FormError(f"{type(error).__name__}: {error}") from error


def _save(form: ModelForm, folder: Path, data: Path) -> None:
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import Schema

    inputs, outputs = (Schema.from_json(_json(columns)) for columns in (form.inputs, form.outputs))
    example = form.example if isinstance(form.example, list) else pd.DataFrame(form.example)
    with warnings.catch_warnings():
        # Whatever MLflow has to say of the example's types, the test of the loader has tried it.
        warnings.simplefilter("ignore")
        save_model(
            str(folder),
            loader_module=LOADER,
            data_path=str(data),
            signature=ModelSignature(inputs=inputs, outputs=outputs),
            input_example=example,
            # Named, so that MLflow does not go and find out.
            pip_requirements=list(_requirements()),
        )


@cache
def _requirements() -> tuple[str, ...]:
    return (f"{PACKAGE}=={version(PACKAGE)}",)


def _named(kind: str, stored: Stored) -> dict[str, Any]:
    return {"kind": kind, "name": stored.name, "version": stored.version}


def _json(columns: tuple[Mapping[str, Any], ...]) -> str:
    return json.dumps([dict(column) for column in columns])
