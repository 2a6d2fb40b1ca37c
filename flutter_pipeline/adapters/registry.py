"""What one asset tells MLflow in one run, and where aliases point: all by way of the outbox.

The rule: training results are never lost, and nothing waits for MLflow. Where the server is away,
the run goes on, and what was to be told waits in the data folder for the next one.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from flutter_pipeline.adapters.delivery import Asker, Delivered, deliver
from flutter_pipeline.adapters.letter import Aliases, Letter
from flutter_pipeline.adapters.outbox import Outbox
from flutter_pipeline.adapters.stage_run import StageRun, milliseconds
from flutter_pipeline.adapters.tracking import Tracking, tracking_of
from flutter_pipeline.adapters.tracking_server import check_usable
from flutter_pipeline.errors import FlutterError
from flutter_pipeline.settings import Settings

LOG = logging.getLogger("flutter_pipeline.assets")


@contextmanager
def told(
    tracking: Tracking, data: Path, name: str, tags: Mapping[str, str], dagster_run: str = ""
) -> Iterator[StageRun]:
    """A run as long as the block lasts; FAILED if the block raises. Never raises because MLflow
    is away: then :attr:`StageRun.undelivered` says so afterwards.

    ``dagster_run`` is whose steps share the knowledge that the server was away.
    """
    letter = Letter(id=uuid.uuid4().hex, name=name, tags=dict(tags), started=milliseconds())
    run = StageRun(tracking, Outbox(data), letter)
    failed = stopped = True
    try:
        yield run
        failed = stopped = False
    except Exception:
        stopped = False
        raise
    finally:
        # Whoever has asked for an end does not wait for a server; the next run tells it.
        if _kept(run, failed) and not stopped:
            delivered = deliver(tracking, run.outbox, Asker(dagster_run))
            run.url = delivered.urls.get(letter.id, "")
            run.undelivered = "" if run.url else delivered.reason


def _kept(run: StageRun, failed: bool) -> bool:
    """Keep the letter in the outbox. Raises FlutterError where that is impossible, unless the stage
    has failed, whose own error says more.
    """
    try:
        run.outbox.put(run.finished(failed))
    except OSError as error:
        said = f"what {run.letter.name} tells MLflow cannot be kept in {run.outbox.root} ({error})"
        if not failed:
            raise FlutterError(f"{said}; make room there, then run again") from None
        LOG.warning("%s", said)
        return False
    return True


def point_aliases(settings: Settings, aliases: Aliases, dagster_run: str = "") -> bool:
    """Let aliases point to versions, outside any stage's run; False where it waits in the outbox.

    ``dagster_run`` is the run that it belongs to, if any, and that asks no server that was away.
    """
    outbox = Outbox(settings.data)
    letter = Letter(
        id=uuid.uuid4().hex, aliases={model: dict(wanted) for model, wanted in aliases.items()}
    )
    path = outbox.put(letter)
    deliver(tracking_of(settings), outbox, Asker(dagster_run))
    return not path.exists()


def complaint(settings: Settings) -> str:
    """Why MLflow cannot be told anything now, in one line; empty where it can. For the start of a
    run: a wrong address shall be noticed before hours have passed.
    """
    try:
        check_usable(settings.mlflow_uri)
    except FlutterError as error:
        place = Outbox(settings.data).root
        return f"{error}; the run goes on, and what it has to tell waits in {place}"
    return ""


def sync(settings: Settings) -> Delivered:
    """Tell all that waits in the outbox, also what was refused before, however long it takes."""
    outbox = Outbox(settings.data)
    outbox.retry_refused()
    return deliver(tracking_of(settings), outbox, Asker(patient=True))
