"""`flutter-pipeline verify`: is everything that is stored what it was; and `--repair`."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import typer

from flutter_pipeline.adapters.instance import prepare_instance
from flutter_pipeline.adapters.landing.landed import land
from flutter_pipeline.adapters.landing.store import days_stored
from flutter_pipeline.adapters.lock import run_lock
from flutter_pipeline.adapters.repair import Attempt, repair
from flutter_pipeline.adapters.verify import Damage, Verified, verify
from flutter_pipeline.cli.hints import with_folder
from flutter_pipeline.cli.running import WAIT_SECONDS, execute
from flutter_pipeline.cli.showing import show_json
from flutter_pipeline.settings import Settings

SOUND, DAMAGED = 0, 1
"""Exit codes; 2 is wrong usage."""


@dataclass(frozen=True)
class Rerun:
    """What a run makes anew."""

    assets: tuple[str, ...]
    of: int
    """How many assets there are."""
    days: tuple[str, ...]
    """Of those assets that are kept by day."""


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
        if lost := [one.damage for one in attempts if one.run]:
            rerun = to_rerun(settings, lost)
            typer.echo(f"{_told_of_run(rerun)}\n")
            execute("everything", rerun.days, each_asset=True, assets=rerun.assets)
    return attempts


def to_rerun(settings: Settings, lost: Sequence[Damage]) -> Rerun:
    """What makes ``lost`` anew, with all that is made of it.

    That is all there is, unless everything ``lost`` is made of what serves: what training reads is
    as it was when the champion was trained, which need not be what was trained last.
    """
    from flutter_pipeline.definitions import defs

    graph = defs().resolve_asset_graph()
    wanted = {dg.AssetKey(one.asset) for one in lost}
    champion = dg.AssetSelection.assets("champion")
    of_what_serves = (champion.downstream() - champion).resolve(graph)
    if not wanted <= of_what_serves:
        wanted = {dg.AssetKey("landing")}
    selected = dg.AssetSelection.assets(*wanted).downstream().resolve(graph)
    ordered = [key for key in graph.toposorted_asset_keys if key in selected]
    by_day = any(graph.get(key).is_partitioned for key in ordered)
    return Rerun(
        tuple(key.to_user_string() for key in ordered),
        len(graph.get_all_asset_keys()),
        tuple(_stored(settings)) if by_day else (),
    )


def _stored(settings: Settings) -> list[str]:
    stored = (days_stored(settings.data, table) for table in ("flits", "engagements"))
    return sorted({day for days in stored for day in days})


def _told_of_run(rerun: Rerun) -> str:
    if len(rerun.assets) == rerun.of:
        what = f"all {rerun.of} assets"
    else:
        what = f"{len(rerun.assets)} of {rerun.of} assets, {', '.join(rerun.assets)}"
    days = f" over the days {rerun.days[0]} to {rerun.days[-1]}" if rerun.days else ""
    return f"Made anew now: {what}{days}."


def _show(settings: Settings, before: Verified, after: Verified, attempts: list[Attempt]) -> None:
    typer.echo(
        f"{settings.data}: {before.things:,} stored things read, {before.megabytes:,.1f} MB; "
        f"{len(before.damage)} damaged"
    )
    for one in before.damage:
        typer.echo(f"  DAMAGED  {one.thing}: {one.found}")
    for attempt in attempts:
        outcome = f"repaired: {attempt.done}" if attempt.done else f"REFUSED: {attempt.refused}"
        typer.echo(f"  {attempt.damage.thing}: {outcome}")
    if before.damage and not attempts:
        hint = "`flutter-pipeline verify --repair` puts right what can be."
        typer.echo(with_folder(hint, settings.data))
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
