"""A process that has imported everything and computed nothing: each command is a fork of it.

A command then starts in milliseconds, which is what makes hundreds of trials affordable. It has to
be a process of its own, because libraries that have computed leave threads behind, which a fork
does not take along. Lines of JSON go in and out; what a child shall suffer, such as being killed
before its n-th change of the disk, is told with the command.
"""

import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LATE = ("flutter_pipeline.defs", "flutter_pipeline.definitions", "flutter_pipeline_tests", "__")
"""Modules that read the data folder when they are imported, or that are not to be imported."""

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

NOT_OURS = ("/dagster/", "/mlflow/", "/run.lock")
"""State of libraries, which is not what a run publishes."""

CRASHED = 70
"""Exit code of a command that ended with an exception nobody had foreseen."""


def main() -> None:
    """Answer every line."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    answers.write(json.dumps({"pid": os.getpid()}) + "\n")
    for line in sys.stdin:
        asked = json.loads(line)
        answers.write(json.dumps(_ANSWERS[asked["do"]](asked)) + "\n")


def _start(asked: dict[str, Any]) -> dict[str, int]:
    pid = os.fork()
    if pid == 0:
        _child(asked)
    return {"pid": pid}


def _wait(asked: dict[str, Any]) -> dict[str, int]:
    _, status = os.waitpid(asked["pid"], 0)
    return {"code": os.waitstatus_to_exitcode(status)}


def _import(asked: dict[str, Any]) -> dict[str, int]:
    """Import what a child has found that it needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in asked["modules"]:
            if name not in sys.modules and not name.startswith(LATE):
                with suppress(Exception):
                    importlib.import_module(name)
    # What is there by now is never collected, so that forks go on sharing its memory.
    gc.collect()
    gc.freeze()
    return {"modules": len(sys.modules)}


_ANSWERS = {"start": _start, "wait": _wait, "import": _import}


def _child(asked: dict[str, Any]) -> NoReturn:
    """Run one command, and end."""
    code = CRASHED
    try:
        for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
            place = os.devnull if number == 0 else asked["log"]
            os.dup2(os.open(place, mode | (os.O_CREAT | os.O_APPEND if number else 0)), number)
        os.environ.update(asked["env"])
        time.tzset()
        _suffer(asked)
        code = _called(asked["argv"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        if asked.get("learn"):
            Path(asked["learn"]).write_text(json.dumps(sorted(sys.modules)))
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _called(argv: list[str]) -> int:
    """The command line, or a function, named ``module:function``, with its arguments."""
    if ":" in argv[0]:
        _named(argv[0])(*argv[1:])
        return 0
    sys.argv = ["flutter-pipeline", *argv]
    _named("flutter_pipeline.cli.app:main")()
    return 0


def _named(name: str) -> Any:
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)


def _suffer(asked: dict[str, Any]) -> None:
    """Limit the size of files; patch; count changes of the folder, and be killed at the n-th."""
    if asked.get("file_size"):
        # Without a handler the kernel's signal would end the process before it could say a word.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["file_size"], resource.RLIM_INFINITY))
    for patch in asked.get("patches", ()):
        _named(patch[0])(*patch[1:])
    if asked.get("folder"):
        sys.addaudithook(_Counter(asked["folder"], asked.get("kill_at"), asked["log"] + ".changes"))


class _Counter:
    """Hears of every change of a folder before it happens."""

    def __init__(self, folder: str, kill_at: int | None, told: str) -> None:
        self._folder, self._kill_at, self._count = folder, kill_at, 0
        self._told = None if kill_at else os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_change(event, arguments):
            return
        self._count += 1
        if self._told is not None:
            os.write(self._told, f"{event} {arguments[0]}\n".encode())
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_change(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "open":
            # An ``open`` that only reads may be one that flushes, which comes after a write.
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            if not flags & WRITING and not _is_flush():
                return False
        elif event not in CHANGES:
            return False
        place = arguments[0]
        if not isinstance(place, str | bytes | os.PathLike):
            return False
        path = os.fsdecode(place)
        return path.startswith(self._folder) and not any(part in path for part in NOT_OURS)


def _is_flush() -> bool:
    frame = sys._getframe(3)
    return frame.f_code.co_name == "flush"


if __name__ == "__main__":
    main()
