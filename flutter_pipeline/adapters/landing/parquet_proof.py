"""Whether a Parquet file can be read here: asked of a process that has tried it first.

The process is started with the first file that needs it, asked file by file, and started anew
where a file has ended it. What it guards against, and how, is told in
:mod:`flutter_pipeline.adapters.landing.parquet_child`.
"""

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from flutter_pipeline.adapters.landing.limits import LandingLimits, too_much

CHILD = "flutter_pipeline.adapters.landing.parquet_child"
PATIENCE_SECONDS = 60.0
"""How long any file may take; past that it has to go through SLOWEST bytes a second."""
SLOWEST = 2 << 20


class ParquetProof:
    """Tries Parquet files; a context, since the process has to end with it."""

    def __init__(self, limits: LandingLimits) -> None:
        self._limits = limits
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ParquetProof":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def tried(self, path: Path, columns: Sequence[str]) -> tuple[str | None, int]:
        """Why ``columns`` of the file cannot be read here, or None; and the bytes of a wide row."""
        memory = self._limits.parquet_memory_bytes
        if memory is None:
            return None, 0
        seconds = PATIENCE_SECONDS + path.stat().st_size / SLOWEST
        answer = self._asked(path, columns, seconds)
        if answer is None:
            code = self._end()
            return self._ended(code, seconds), 0
        if "widest" in answer:
            return None, answer["widest"]
        return self._refusal(answer["too_much"], answer["found"]), 0

    def _asked(self, path: Path, columns: Sequence[str], seconds: float) -> dict[str, Any] | None:
        """What the process says; None where it says nothing."""
        child = self._child = self._child or self._started()
        if child.stdin is None or child.stdout is None:
            raise TypeError("the process was started without pipes")
        question = {
            "path": str(path.absolute()),
            "columns": list(columns),
            "ratio": self._limits.unpacked_ratio,
            "total": self._limits.unpacked_bytes,
        }
        child.stdin.write(json.dumps(question).encode() + b"\n")
        with selectors.DefaultSelector() as waiting:
            waiting.register(child.stdout, selectors.EVENT_READ)
            if not waiting.select(seconds):
                return None
        line = child.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _started(self) -> "subprocess.Popen[bytes]":
        memory = str(self._limits.parquet_memory_bytes)
        return subprocess.Popen(
            [sys.executable, "-m", CHILD, memory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            # Arenas that other allocators reserve would count as memory that is in use.
            env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
        )

    def _end(self) -> int | None:
        """End the process where it still runs; its exit code if it had ended by itself."""
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            # Who has closed its output is about to end.
            code = child.wait(0.2)
        except subprocess.TimeoutExpired:
            code = None
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def _ended(self, code: int | None, seconds: float) -> str:
        if code is None:
            return f"the Parquet data cannot be read within {seconds:,.0f} s; write the file again"
        return (
            f"the Parquet data ends the process that reads it (exit code {code}), by damage or "
            f"since it needs more than the {self._limits.parquet_memory_bytes:,} bytes of memory "
            "that are allowed (`parquet_memory_bytes` in [intake.limits]); write the file again"
        )

    def _refusal(self, setting: str, found: int) -> str:
        """The sentence for what was too much."""
        said = {
            "unpacked_bytes": f"the rows take {found:,} bytes and more",
            "unpacked_ratio": f"the rows take {found:,} times the file's size",
            "parquet_memory_bytes": "reading the file takes more bytes of memory",
        }
        return too_much(said[setting], getattr(self._limits, setting), setting)
