"""The bytes of a plain or gzip file, in blocks of whole lines; it knows nothing of what they say.

A gzip stream that breaks off, or unpacks to more than is allowed, gives everything before that,
and then the fault. A line that is longer than is allowed is cut off just past that length.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flutter_pipeline.adapters.landing.limits import (
    USUAL_LIMITS,
    LandingLimits,
    exceeds,
    too_much,
)

BLOCK = 8 << 20
"""Bytes of text in a block: large enough to parse at full speed, small enough for any memory."""

LINES = 1 << 18
"""A block of very short lines ends sooner: each of them may need an object of its own."""

RATIO_FROM = 16 << 20
"""A file that unpacks to no more than this is harmless, whatever its ratio."""

_READ = 1 << 18
_PACKED = 1 << 14
"""Packed bytes that are unpacked at once: what follows a member is copied, so that many small
members cost the square of this."""
_UNPACKED = 1 << 18
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


def blocks(path: Path, gzipped: bool, limits: LandingLimits = USUAL_LIMITS) -> Iterator[Block]:
    """The file in blocks; exactly one, the last, has ``last`` set."""
    pending, done, skipping, lines = bytearray(), 0, False, 0
    pieces = _unzipped(path, limits) if gzipped else _plain(path)
    try:
        for piece, done in pieces:
            start = piece.find(b"\n") if skipping else 0
            skipping = start < 0
            if skipping:
                continue
            pending += piece[start:]
            lines += piece.count(b"\n", start)
            if len(pending) < BLOCK and lines < LINES:
                continue
            cut = pending.rfind(b"\n") + 1
            if cut:
                yield Block(bytes(pending[:cut]), last=False, done=done)
                del pending[:cut]
                lines = 0
            elif limits.row_bytes is not None and len(pending) > limits.row_bytes:
                # One byte too long, so that who parses the line sees that it is.
                del pending[limits.row_bytes + 1 :]
                skipping = True
    except _FaultError as fault:
        cut = pending.rfind(b"\n") + 1
        text, torn = bytes(pending[:cut]), bytes(pending[cut:])
        yield Block(text, last=True, done=done, fault=str(fault), torn=torn)
        return
    yield Block(bytes(pending), last=True, done=done)


def first_line(path: Path, gzipped: bool, limits: LandingLimits = USUAL_LIMITS) -> bytes | None:
    """The first line without its end; None where the file is empty or breaks off before."""
    for block in blocks(path, gzipped, limits):
        if block.text:
            return block.text.split(b"\n", 1)[0].removesuffix(b"\r")
    return None


def row_too_long(limits: LandingLimits) -> str:
    """Why a row of a text file is refused for its length."""
    found = f"the row has more than {limits.row_bytes or 0:,} bytes"
    return too_much(found, limits.row_bytes, "row_bytes")


def _plain(path: Path) -> Iterator[tuple[bytes, int]]:
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_READ):
            done += len(piece)
            yield piece, done


def _unzipped(path: Path, limits: LandingLimits) -> Iterator[tuple[bytes, int]]:
    """Decompressed pieces of all members; raises _FaultError after the last readable byte."""
    stream, unpacked = None, 0
    for read, done in _packed(path):
        piece = read if stream else read.lstrip(b"\0")
        while piece:
            stream = stream or zlib.decompressobj(wbits=31)
            text, fault = _decompress(stream, piece)
            unpacked += len(text)
            yield text, done
            if fault:
                raise _FaultError(f"the gzip stream is damaged here ({fault})")
            _refuse_bomb(unpacked, done, limits)
            piece = stream.unconsumed_tail or stream.unused_data.lstrip(b"\0")
            if stream.eof:
                stream = None
    if stream:
        raise _FaultError("the gzip stream breaks off here")


def _packed(path: Path) -> Iterator[tuple[bytes, int]]:
    """The packed file in small pieces."""
    for piece, done in _plain(path):
        for start in range(0, len(piece), _PACKED):
            some = piece[start : start + _PACKED]
            yield some, done - len(piece) + start + len(some)


def _refuse_bomb(unpacked: int, packed: int, limits: LandingLimits) -> None:
    if exceeds(unpacked, limits.unpacked_bytes):
        found = f"the file unpacks to more than {limits.unpacked_bytes:,} bytes"
        raise _FaultError(too_much(found, limits.unpacked_bytes, "unpacked_bytes"))
    if unpacked > RATIO_FROM and exceeds(unpacked / packed, limits.unpacked_ratio):
        found = f"{packed:,} bytes unpack to {unpacked:,}, {unpacked // packed:,} times as many"
        raise _FaultError(too_much(found, limits.unpacked_ratio, "unpacked_ratio"))


def _decompress(stream: "zlib._Decompress", piece: bytes) -> tuple[bytes, str | None]:
    """The next that ``piece`` gives, to within a few bytes of where it is damaged."""
    before = stream.copy()
    try:
        return stream.decompress(piece, _UNPACKED), None
    except zlib.error as error:
        text = bytearray()
        for start in range(0, len(piece), _STEP):
            try:
                text += before.decompress(piece[start : start + _STEP], _UNPACKED)
            except zlib.error:
                break
        return bytes(text), str(error)
