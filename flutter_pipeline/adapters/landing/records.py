"""Where the records of delimited text begin and end, and which lines are none.

A record is a line, or several where a quoted field holds line breaks. Text that is well formed
is cut with array operations. Text that is not is walked line by line: a line at which no record
can begin is broken, and the next line is tried, so that one stray quote costs one line and not
the rest of the file. Both ways give the same records for well-formed text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flutter_pipeline.adapters.landing.limits import too_much

IntArray = NDArray[np.int64]

MAX_RECORD_LINES = 1_000
"""A quote that is still open after so many lines was never meant to open a field."""

_NEWLINE, _RETURN, _QUOTE = b"\n"[0], b"\r"[0], b'"'[0]

QUOTING_REASON = (
    "broken quoting: a quote stays open or stands inside a field; "
    "where quotes mean nothing, set `quoting = false` in the mapping"
)


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written."""

    separator: str
    quoting: bool
    width: int
    """How many columns its header has."""
    max_bytes: int | None = None
    """A longer record is refused, and so is a quote that stays open for longer."""


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no record."""

    line: int
    text: bytes
    reason: str


@dataclass(frozen=True)
class Cut:
    """Text cut into records; line numbers count from 0 at the start of the text."""

    good: bytes
    """The well-formed records, one after another."""
    lines: IntArray
    """The line at which each of them starts."""
    broken: tuple[BrokenLine, ...]
    consumed: int
    """Bytes that are dealt with; what follows needs more text."""
    consumed_lines: int


@dataclass(frozen=True)
class _Spans:
    """Records as parallel arrays of byte offsets and lines; ``ends`` are past the line end."""

    starts: IntArray
    ends: IntArray
    lines: IntArray
    broken: tuple[BrokenLine, ...]
    consumed: int
    consumed_lines: int


def cut_records(text: bytes, layout: Layout, last: bool) -> Cut:
    """Cut ``text`` into records of ``layout.width`` fields, all in valid UTF-8.

    ``text`` starts where a record starts and ends with a line end, except at the ``last`` of a
    file, where the end may be missing and an unfinished record is broken instead of waiting.
    """
    if last and text and not text.endswith(b"\n"):
        text += b"\n"
    spans = cut_at_once(text, layout, last)
    if spans is None:
        spans = cut_by_line(text, layout, last)
    long = _too_long(spans, layout)
    undecodable = [at for at in _undecodable(text, spans) if at not in long]
    keep = np.ones(len(spans.starts), dtype=bool)
    keep[[*undecodable, *long]] = False
    wrong = tuple(
        BrokenLine(int(spans.lines[at]), _slice(text, spans, at), reason)
        for places, reason in (
            (undecodable, "the line is not UTF-8"),
            (long, _long_reason(layout)),
        )
        for at in places
    )
    broken = sorted((*spans.broken, *wrong), key=lambda line: line.line)
    return Cut(
        good=_join(text, spans.starts[keep], spans.ends[keep]),
        lines=spans.lines[keep],
        broken=tuple(broken),
        consumed=spans.consumed,
        consumed_lines=spans.consumed_lines,
    )


def cut_at_once(text: bytes, layout: Layout, last: bool) -> _Spans | None:
    """The records of well-formed text; None where some quote or multi-line record is not."""
    codes = np.frombuffer(text, dtype=np.uint8)
    newlines = np.flatnonzero(codes == _NEWLINE)
    quotes = np.flatnonzero(codes == _QUOTE) if layout.quoting else newlines[:0]
    finals = newlines[np.searchsorted(quotes, newlines) % 2 == 0] if len(quotes) else newlines
    ends = finals + 1
    consumed = int(ends[-1]) if len(ends) else 0
    waiting = len(newlines) - int(np.searchsorted(newlines, consumed))
    if waiting and (last or waiting > MAX_RECORD_LINES or _over(len(text) - consumed, layout)):
        return None
    quotes = quotes[: np.searchsorted(quotes, consumed)]
    if not _quotes_fit(codes, quotes, layout):
        return None
    starts = np.concatenate([[0], ends[:-1]])[: len(ends)]
    separators = np.flatnonzero(codes[:consumed] == ord(layout.separator))
    if len(quotes):
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    widths = np.searchsorted(separators, ends) - np.searchsorted(separators, starts) + 1
    lines = np.searchsorted(newlines, starts)
    heights = np.searchsorted(newlines, ends) - lines
    right = widths == layout.width
    unlikely = ~right | (heights > MAX_RECORD_LINES)
    if layout.max_bytes is not None:
        unlikely |= ends - starts > layout.max_bytes
    if bool(np.any((heights > 1) & unlikely)):
        return None
    blank = (ends - starts == 1) | ((ends - starts == 2) & (codes[starts] == _RETURN))
    wrong = np.flatnonzero(~right & ~blank)
    broken = tuple(
        BrokenLine(
            int(lines[at]),
            text[starts[at] : finals[at]],
            _long_reason(layout)
            if _over(int(finals[at] - starts[at]), layout)
            else _count_reason(widths[at], layout),
        )
        for at in wrong
    )
    keep = right & ~blank
    return _Spans(
        starts[keep],
        ends[keep],
        lines[keep],
        broken,
        consumed,
        len(newlines) - waiting,
    )


def _quotes_fit(codes: NDArray[np.uint8], quotes: IntArray, layout: Layout) -> bool:
    """Whether quotes stand only at the edges of fields, or doubled inside them."""
    if not len(quotes):
        return True
    opening, closing = quotes[0::2], quotes[1::2]
    before = codes[opening - 1]
    before_fits = np.isin(before, [ord(layout.separator), _NEWLINE, _QUOTE]) | (opening == 0)
    after, later = codes[closing + 1], codes[np.minimum(closing + 2, len(codes) - 1)]
    after_fits = np.isin(after, [ord(layout.separator), _NEWLINE, _QUOTE])
    after_fits |= (after == _RETURN) & (later == _NEWLINE)
    return bool(before_fits.all() and after_fits.all())


def cut_by_line(text: bytes, layout: Layout, last: bool) -> _Spans:
    """The records of text that is not well formed."""
    lines = text.split(b"\n")[:-1]
    offsets = np.concatenate([[0], np.cumsum([len(line) + 1 for line in lines])]).astype(np.int64)
    record = _record_pattern(layout.separator, layout.width)
    found: list[tuple[int, int]] = []
    broken: list[BrokenLine] = []
    at = 0
    while at < len(lines):
        height = _height(lines, at, record, layout)
        may_wait = len(lines) - at <= MAX_RECORD_LINES and not _over(
            len(text) - offsets[at], layout
        )
        if height is None and not last and may_wait:
            break
        if height:
            found.append((at, at + height))
        elif lines[at] not in (b"", b"\r"):
            broken.append(BrokenLine(at, lines[at], _reason(lines[at], layout)))
        at += height or 1
    spans = np.array(found, dtype=np.int64).reshape(-1, 2)
    return _Spans(
        offsets[spans[:, 0]],
        offsets[spans[:, 1]],
        spans[:, 0],
        tuple(broken),
        int(offsets[at]),
        at,
    )


def _height(
    lines: Sequence[bytes], at: int, record: re.Pattern[bytes], layout: Layout
) -> int | None:
    """How many lines the record at ``at`` takes: 0 if none is there, None if the text ends."""
    if lines[at] in (b"", b"\r"):
        return 0
    height, is_open, size = 1, lines[at].count(b'"') % 2, len(lines[at])
    while is_open:
        if height == MAX_RECORD_LINES or _over(size, layout):
            return 0
        if at + height == len(lines):
            return None
        is_open ^= lines[at + height].count(b'"') % 2
        size += len(lines[at + height])
        height += 1
    whole = b"\n".join(lines[at : at + height]).removesuffix(b"\r")
    return height if record.fullmatch(whole) else 0


def _over(size: int, layout: Layout) -> bool:
    return layout.max_bytes is not None and size > layout.max_bytes


def _long_reason(layout: Layout) -> str:
    found = f"the row has more than {layout.max_bytes or 0:,} bytes"
    return too_much(found, layout.max_bytes, "row_bytes")


def _too_long(spans: _Spans, layout: Layout) -> list[int]:
    """Positions of the records that are longer than is allowed."""
    if layout.max_bytes is None:
        return []
    return np.flatnonzero(spans.ends - spans.starts > layout.max_bytes + 2).tolist()


def _record_pattern(separator: str, width: int | None) -> re.Pattern[bytes]:
    """Matches a record of ``width`` fields, or of any number."""
    mark = re.escape(separator.encode())
    field = rb'(?:"[^"]*(?:""[^"]*)*"|[^"\n' + mark + rb"]*)"
    count = b"*" if width is None else b"{%d}" % (width - 1)
    return re.compile(field + rb"(?:" + mark + field + rb")" + count)


def _reason(line: bytes, layout: Layout) -> str:
    """Why a line is no record."""
    if _over(len(line), layout):
        return _long_reason(layout)
    if not _record_pattern(layout.separator, None).fullmatch(line.removesuffix(b"\r")):
        return QUOTING_REASON
    outside = re.sub(rb'"[^"]*"', b"", line)
    return _count_reason(outside.count(layout.separator.encode()) + 1, layout)


def _count_reason(width: int, layout: Layout) -> str:
    return f"{width} columns where the header has {layout.width}"


def _undecodable(text: bytes, spans: _Spans) -> list[int]:
    """Positions of the records that are not UTF-8."""
    if text.isascii() or _decodes(text[: spans.consumed]):
        return []
    return [at for at in range(len(spans.starts)) if not _decodes(_slice(text, spans, at))]


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _slice(text: bytes, spans: _Spans, at: int) -> bytes:
    return text[spans.starts[at] : spans.ends[at]].rstrip(b"\r\n")


def _join(text: bytes, starts: IntArray, ends: IntArray) -> bytes:
    """The records' bytes in one piece; runs of neighbours are copied together."""
    if not len(starts):
        return b""
    breaks = np.flatnonzero(starts[1:] != ends[:-1])
    firsts = starts[np.concatenate([[0], breaks + 1])]
    lasts = ends[np.concatenate([breaks, [len(ends) - 1]])]
    return b"".join(text[first:last] for first, last in zip(firsts, lasts, strict=True))
