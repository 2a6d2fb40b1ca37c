"""What trials came to, by case, as the table that is printed at the end."""

import json
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Told:
    """What the trials of one case came to."""

    case: str
    trials: int = 1
    lost: int = 0
    """Trials after which something that had been published was not there any more."""
    half_visible: int = 0
    """Trials after which a reader met a state that is neither the old nor the new one."""
    repaired: int = 0
    """Trials whose damage was found, named and put right."""
    identical: int = 0
    """Trials after which a rerun came to the bytes of an undisturbed run."""


def sums_of(lines: list[str]) -> list[Told]:
    """One row a case, in the order in which cases came; ``lines`` are :class:`Told` as JSON."""
    sums: dict[str, Told] = {}
    for line in lines:
        one = Told(**json.loads(line))
        before = sums.get(one.case, Told(one.case, trials=0))
        numbers = {
            each.name: getattr(before, each.name) + getattr(one, each.name)
            for each in fields(Told)
            if each.name != "case"
        }
        sums[one.case] = Told(one.case, **numbers)
    return list(sums.values())


def line_of(one: Told) -> str:
    """A row as JSON."""
    return json.dumps(asdict(one))


def table_of(rows: list[Told]) -> list[str]:
    """The rows as Markdown."""
    heads = ("case", "trials", "lost", "half-visible", "repaired", "identical after a rerun")
    cells = [
        tuple(map(str, (r.case, r.trials, r.lost, r.half_visible, r.repaired, r.identical)))
        for r in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    bar = tuple("-" * width for width in widths)
    return [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in (heads, bar, *cells)
    ]
