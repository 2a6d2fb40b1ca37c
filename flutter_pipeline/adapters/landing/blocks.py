"""The bytes of a plain or gzip file, in blocks of whole lines; it knows nothing of what they say.

A gzip stream that breaks off gives everything before the break, and then the fault.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = 8 << 20
"""Bytes of text in a block: large enough to parse at full speed, small enough for any memory."""

MAX_LINE = 16 << 20
"""A longer line is cut off here: no cell of such a length is allowed anyway."""

_READ = 1 << 18
_STEP = 64


@dataclass(frozen=True)
class Block:
    """Whole lines, each with its line end (the file's last one may lack it)."""

    text: bytes
    last: bool
    done: int
    """Bytes read from the file so far, as they are on disk."""
    fault: str | None = None
    """Why the file cannot be read any further."""
    torn: bytes = b""
    """The start of the line in which a faulty file broke off."""


class _FaultError(Exception):
    """The stream breaks off here."""


def blocks(path: Path, gzipped: bool) -> Iterator[Block]:
    """The file in blocks; exactly one, the last, has ``last`` set."""
    pending, done, skipping = bytearray(), 0, False
    pieces = _unzipped(path) if gzipped else _plain(path)
    try:
        for piece, done in pieces:
            start = piece.find(b"\n") if skipping else 0
            skipping = start < 0
            if skipping:
                continue
            pending += piece[start:]
            if len(pending) < BLOCK:
                continue
            cut = pending.rfind(b"\n") + 1
            if cut:
                yield Block(bytes(pending[:cut]), last=False, done=done)
                del pending[:cut]
            elif len(pending) > MAX_LINE:
                del pending[MAX_LINE:]
                skipping = True
    except _FaultError as fault:
        cut = pending.rfind(b"\n") + 1
        text, torn = bytes(pending[:cut]), bytes(pending[cut:])
        yield Block(text, last=True, done=done, fault=str(fault), torn=torn)
        return
    yield Block(bytes(pending), last=True, done=done)


def first_line(path: Path, gzipped: bool) -> bytes | None:
    """The first line without its end; None where the file is empty or breaks off before."""
    for block in blocks(path, gzipped):
        if block.text:
            return block.text.split(b"\n", 1)[0].removesuffix(b"\r")
    return None


def _plain(path: Path) -> Iterator[tuple[bytes, int]]:
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_READ):
            done += len(piece)
            yield piece, done


def _unzipped(path: Path) -> Iterator[tuple[bytes, int]]:
    """Decompressed pieces of all members; raises _FaultError after the last readable byte."""
    stream = None
    for read, done in _plain(path):
        piece = read if stream else read.lstrip(b"\0")
        while piece:
            stream = stream or zlib.decompressobj(wbits=31)
            text, fault = _decompress(stream, piece)
            yield text, done
            if fault:
                raise _FaultError(f"the gzip stream is damaged here ({fault})")
            piece = stream.unused_data.lstrip(b"\0")
            if stream.eof:
                stream = None
    if stream:
        raise _FaultError("the gzip stream breaks off here")


def _decompress(stream: "zlib._Decompress", piece: bytes) -> tuple[bytes, str | None]:
    """All that ``piece`` gives, to within a few bytes of where it is damaged."""
    before = stream.copy()
    try:
        return stream.decompress(piece), None
    except zlib.error as error:
        text = bytearray()
        for start in range(0, len(piece), _STEP):
            try:
                text += before.decompress(piece[start : start + _STEP])
            except zlib.error:
                break
        return bytes(text), str(error)
