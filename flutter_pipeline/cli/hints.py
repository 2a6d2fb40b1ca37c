"""Commands that a message names, as whoever reads it has to type them.

Most messages come from code that does not know which data folder a command was called for.
"""

import re
import shlex
from pathlib import Path

_COMMAND = re.compile(r"`flutter-pipeline (?=[a-z])")


def with_folder(text: str, data: Path) -> str:
    """``text`` with ``--data`` in the commands that it names, where ``data`` is not the default."""
    if data == Path("data").resolve():
        return text
    return _COMMAND.sub(lambda _: f"`flutter-pipeline --data {shlex.quote(str(data))} ", text)
