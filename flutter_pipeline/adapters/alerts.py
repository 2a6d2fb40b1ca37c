"""What somebody should hear of although nobody looks: a log line, and a call to a webhook.

Every alert is a line of JSON in ``alerts.log`` of the data folder, told once; the same JSON goes
to the address that an environment variable holds, for such an address is a secret. Telling never
raises: an alarm that cannot be delivered must not stop what it is about. What is worth an alert is
not decided here.
"""

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from flutter_pipeline.settings import Settings, read_secret

LOG = logging.getLogger("flutter_pipeline.alerts")
# A command prints its own error; only who set up a log, as Dagster does, hears of alerts there.
LOG.addHandler(logging.NullHandler())
LOCK_SECONDS = 5.0


class AlertConfig(BaseModel, frozen=True, extra="forbid"):
    """Where alerts go."""

    webhook_env: str | None = Field(
        default="FLUTTER_WEBHOOK",
        description="Environment variable that holds the address to call; null for no calls.",
    )
    webhook_seconds: float = Field(
        default=5.0, gt=0, le=60, description="How long a call may take before it is given up."
    )
    log_megabytes: float = Field(
        default=1.0, gt=0, description="From this size on the log is begun anew; one old is kept."
    )


class FailedCheck(BaseModel, frozen=True):
    """A check that was not passed."""

    asset: str
    what: str


class Alert(BaseModel, frozen=True):
    """One thing that happened."""

    at: datetime
    kind: Literal["failed", "overdue", "refused", "recovered", "drift"]
    about: str
    """What it is about, such as a run's id: the same is told once."""
    text: str
    """A sentence for people; chat programs that take webhooks show this field."""
    job: str = ""
    run: str = ""
    assets: tuple[str, ...] = ()
    checks: tuple[FailedCheck, ...] = ()
    error: str = ""
    url: str = ""


def alerts_path(data: Path) -> Path:
    """Where the log lies."""
    return data / "alerts.log"


def alerts(data: Path) -> list[Alert]:
    """What was told, oldest first; lines that a killed process cut off are left out."""
    found: list[Alert] = []
    for path in (_older(alerts_path(data)), alerts_path(data)):
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [alert for line in lines if (alert := _read(line)) is not None]
    return found


def standing(data: Path) -> list[Alert]:
    """What was told and has not recovered since."""
    found: dict[str, Alert] = {}
    for alert in alerts(data):
        if alert.kind == "recovered":
            found.pop(alert.about, None)
        else:
            found[alert.about] = alert
    return list(found.values())


def tell(settings: Settings, alert: Alert) -> bool:
    """Write the alert down and call the webhook; False where it had been told, or cannot be."""
    config = settings.config(AlertConfig, "alerts")
    try:
        if not _written(settings.data, alert, config):
            return False
    except (OSError, Timeout) as error:
        # A full disk is a likely reason for an alarm: the call goes out all the same.
        LOG.warning("cannot write %s: %s", alerts_path(settings.data), type(error).__name__)
    LOG.warning("%s: %s", alert.kind, alert.text)
    address = read_secret(config.webhook_env) if config.webhook_env is not None else None
    return _called(address, alert, config.webhook_seconds) if address else True


def _written(data: Path, alert: Alert, config: AlertConfig) -> bool:
    path = alerts_path(data)
    with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
        told = standing(data)
        is_told = any(one.about == alert.about for one in told)
        # A recovery is told where there is something to recover from, an alarm where there is not.
        if is_told != (alert.kind == "recovered"):
            return False
        if path.is_file() and path.stat().st_size > config.log_megabytes * 2**20:
            path.replace(_older(path))
            # What stands must be known also when the old log goes.
            path.write_text("".join(_line(one) for one in told), encoding="utf-8")
        with path.open("a", encoding="utf-8") as log:
            log.write(_line(alert))
            log.flush()
            os.fsync(log.fileno())
    return True


def _called(address: str, alert: Alert, seconds: float) -> bool:
    """Send the alert. Errors are named by their class: their texts may hold the address."""
    if not address.startswith(("http://", "https://")):
        LOG.warning("the webhook is no http address; alerts are in the log only")
        return False
    body = alert.model_dump_json().encode()
    request = Request(address, body, {"content-type": "application/json"}, method="POST")
    try:
        with urlopen(request, timeout=seconds):
            return True
    except Exception as error:
        LOG.warning("the webhook was not reached: %s", type(error).__name__)
        return False


def _line(alert: Alert) -> str:
    return alert.model_dump_json(exclude_defaults=True) + "\n"


def _read(line: str) -> Alert | None:
    try:
        return Alert(**json.loads(line))
    except (ValueError, TypeError, ValidationError):
        return None


def _older(path: Path) -> Path:
    return path.with_suffix(".log.1")
