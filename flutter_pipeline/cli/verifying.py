"""`flutter-pipeline verify`: is everything that is stored what it was; and `--repair`."""

import os
import sys
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime

import typer

from flutter_pipeline.adapters.instance import prepare_instance
from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.adapters.landing.store import days_stored
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.repair import Attempt, repair
from flutter_pipeline.adapters.verify import Damage, Verified, verify
from flutter_pipeline.cli.running import WAIT_SECONDS, execute
from flutter_pipeline.cli.showing import show_json
from flutter_pipeline.settings import Settings

SOUND, DAMAGED = 0, 1
"""Exit codes; 2 is wrong usage."""


def verify_stored(settings: Settings, mend: bool, as_json: bool) -> int:
    """Read everything, and say what is damaged; with ``mend`` put it right. Returns exit code."""
    verified = verify(settings.data)
    attempts: list[Attempt] = []
    if mend and verified.damage:
        attempts = _mended(settings, verified, as_json)
        left = verify(settings.data)
    else:
        left = verified
    if as_json:
        _show_json(verified, left, attempts)
    else:
        _show(settings, verified, left, attempts)
    return DAMAGED if left.damage else SOUND


def _mended(settings: Settings, verified: Verified, as_json: bool) -> list[Attempt]:
    """Repair, and run where that has to finish it."""
    prepare_instance(settings)
    owner = f"of the command line, {os.getpid()}"
    # What a program reads is the answer alone.
    with redirect_stdout(sys.stderr) if as_json else nullcontext():
        with run_lock(settings.data, owner, WAIT_SECONDS, typer.echo):
            attempts = repair(settings, verified)
            if any(one.damage.kind == "ledger entry" and one.run for one in attempts):
                land(settings, datetime.now(UTC))
        if any(one.run for one in attempts):
            stored = (days_stored(settings.data, table) for table in ("flits", "engagements"))
            execute("everything", sorted({day for days in stored for day in days}))
    return attempts


def _show(settings: Settings, before: Verified, after: Verified, attempts: list[Attempt]) -> None:
    typer.echo(
        f"{settings.data}: {before.things:,} stored things read, {before.megabytes:,.1f} MB; "
        f"{len(before.damage)} damaged"
    )
    for one in before.damage:
        typer.echo(f"  DAMAGED  {one.kind} {one.name}: {one.found}")
    for attempt in attempts:
        outcome = f"repaired: {attempt.done}" if attempt.done else f"REFUSED: {attempt.refused}"
        typer.echo(f"  {attempt.damage.kind} {attempt.damage.name}: {outcome}")
    if before.damage and not attempts:
        typer.echo("`flutter-pipeline verify --repair` puts right what can be.")
    elif attempts:
        typer.echo("All is sound now." if not after.damage else f"{len(after.damage)} left.")


def _show_json(before: Verified, after: Verified, attempts: list[Attempt]) -> None:
    show_json(
        {
            "things": before.things,
            "megabytes": before.megabytes,
            "damage": [_told(one) for one in before.damage],
            "attempts": [
                {**_told(one.damage), "done": one.done, "refused": one.refused} for one in attempts
            ],
            "left": [_told(one) for one in after.damage],
        }
    )


def _told(damage: Damage) -> dict[str, str]:
    return {
        "kind": damage.kind,
        "name": damage.name,
        "file": str(damage.file),
        "found": damage.found,
    }
