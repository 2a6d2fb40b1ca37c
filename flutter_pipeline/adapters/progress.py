"""A progress bar on the terminal for work that takes more than a few seconds."""

import sys

from tqdm import tqdm

from flutter_pipeline.contracts.state import Progress

SHOW_AFTER_SECONDS = 3
TERMINAL_EVERY_SECONDS = 0.5
LOG_EVERY_SECONDS = 15
"""Where the output is a file, a line now and then is enough."""


def progress_bar(label: str, unit: str = "flits") -> Progress:
    """A callback that shows (done, total), the rate and the time left, on stderr.

    Nothing is shown of work that ends within ``SHOW_AFTER_SECONDS``.
    """
    on_terminal = sys.stderr.isatty()
    every = TERMINAL_EVERY_SECONDS if on_terminal else LOG_EVERY_SECONDS
    bars: list[tqdm] = []

    def report(done: int, total: int) -> None:
        if not bars:
            bars.append(
                tqdm(
                    total=total,
                    desc=label,
                    unit=unit,
                    delay=SHOW_AFTER_SECONDS,
                    mininterval=every,
                    # In a file nothing can be wiped out, and the next line would run into it.
                    leave=not on_terminal,
                    dynamic_ncols=True,
                )
            )
        bar = bars[0]
        bar.update(done - bar.n)
        if done >= total:
            bars.pop().close()

    return report
