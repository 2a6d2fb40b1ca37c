"""A stored version as a model of MLflow's own, which can be asked for predictions.

It can be told again from its beginning: a model that was made before, though nobody heard the
answer, is looked for, and its files are the same files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from flutter_pipeline.adapters.letter import ModelForm
from flutter_pipeline.adapters.mlflow_loader import STATE
from flutter_pipeline.adapters.model_form import DATA, write_model
from flutter_pipeline.adapters.tracked_facts import Place
from flutter_pipeline.adapters.tracked_run import TrackedRun
from flutter_pipeline.adapters.tracking import Tracking

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

MODEL_PARAM_LENGTH = 6000


@dataclass(frozen=True)
class NewModel:
    """What the model is called, the folder of its state, and what decided the outcome."""

    name: str
    state: Path
    params: Mapping[str, str]


def logged_model(tracking: Tracking, run: TrackedRun, form: ModelForm, new: NewModel) -> Place:
    """Where the model is that came from ``run``, made unless it is there whole.

    Raises FormError, before anything is told, where MLflow takes the form for wrong.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    client = tracking.client
    with TemporaryDirectory() as folder:
        beside, whole = Path(folder) / "beside", Path(folder) / "whole"
        beside.mkdir()
        write_model(form, whole, beside)
        model = _found_or_made(tracking, run, str(form.reading["kind"]), new)
        if model.status == LoggedModelStatus.READY:
            return Place(model.artifact_location, model.model_id)
        client.log_model_artifacts(model.model_id, str(whole))
    client.log_model_artifacts(model.model_id, str(new.state), f"data/{DATA}/{STATE}")
    outputs = client.get_run(run.run_id).outputs
    # The same output cannot be told twice.
    if all(one.model_id != model.model_id for one in (outputs.model_outputs if outputs else ())):
        client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, 0)])
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return Place(model.artifact_location, model.model_id)


def _found_or_made(tracking: Tracking, run: TrackedRun, kind: str, new: NewModel) -> "LoggedModel":
    where = f"name = '{new.name}' AND source_run_id = '{run.run_id}'"
    found = tracking.client.search_logged_models([tracking.experiment_id], where)
    if found:
        return found[0]
    params = {name: value[:MODEL_PARAM_LENGTH] for name, value in new.params.items()}
    return tracking.client.create_logged_model(
        tracking.experiment_id, new.name, run.run_id, params=params, model_type=kind
    )
