"""What a run says of itself on a terminal: a line a stage, once all of its assets are made."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import typer

from flutter_pipeline.adapters.measure import AssetLine
from flutter_pipeline.cli.showing import printable

WORTH_NAMING_SECONDS = 1.0
NAMED = 3
"""At most so many of a stage's assets are named, the slowest first."""

HEADER = f"{'stage':12}{'made':>10}{'time':>11}{'memory':>12}   the slowest, seconds"


@dataclass
class _Stage:
    """What is known of a stage so far."""

    waiting: int
    made: list[AssetLine] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(line.seconds for line in self.made)

    @property
    def peak_mb(self) -> float:
        return max((line.peak_mb for line in self.made), default=0.0)


class StageLines(logging.Handler):
    """Prints the lines of assets by stage; anything else that is logged, at once.

    ``assets_of`` says how many assets of each stage the run makes. With ``each_asset`` every
    asset has a line of its own.
    """

    def __init__(self, assets_of: Mapping[str, int], each_asset: bool = False) -> None:
        super().__init__()
        self.each_asset = each_asset
        if not each_asset:
            typer.echo(HEADER)
        self.stages = {name: _Stage(waiting) for name, waiting in assets_of.items()}

    def emit(self, record: logging.LogRecord) -> None:
        """Note an asset's line, and print its stage where that was the last of it."""
        line = getattr(record, "asset", None)
        if not isinstance(line, AssetLine) or self.each_asset:
            typer.echo(printable(record.getMessage()))
        if not isinstance(line, AssetLine):
            return
        stage = self.stages.setdefault(line.group, _Stage(1))
        stage.made.append(line)
        stage.waiting -= 1
        if stage.waiting == 0 and not self.each_asset:
            typer.echo(_line_of(line.group, stage))

    def close_off(self) -> None:
        """Print the stages that were left unfinished, and what all of them took."""
        if not self.each_asset:
            for name, stage in self.stages.items():
                if stage.made and stage.waiting > 0:
                    typer.echo(_line_of(name, stage) + "; unfinished")
        made = [line for stage in self.stages.values() for line in stage.made]
        if made:
            seconds, peak = sum(one.seconds for one in made), max(one.peak_mb for one in made)
            typer.echo(f"{'all':12}{_cost(len(made), seconds, peak)}")


def _line_of(name: str, stage: _Stage) -> str:
    slow = sorted(stage.made, key=lambda line: -line.seconds)[:NAMED]
    named = [
        f"{line.name} {line.seconds:.1f}" for line in slow if line.seconds >= WORTH_NAMING_SECONDS
    ]
    told = f"   {', '.join(named)}" if named else ""
    return f"{name:12}{_cost(len(stage.made), stage.seconds, stage.peak_mb)}{told}"


def _cost(assets: int, seconds: float, peak_mb: float) -> str:
    counted = f"{assets} asset{'s' * (assets != 1)}"
    return f"{counted:>10}{seconds:9.1f} s{peak_mb:9,.0f} MB"
