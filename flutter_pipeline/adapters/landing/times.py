"""Times in every dress that files give them, as UTC with microseconds; null where unreadable.

ISO 8601 text with or without an offset (without one it is UTC), Arrow times of any unit, numbers
since 1970 in a given unit or in the one that their size tells, and text of a given format.
"""

from datetime import UTC, datetime

import polars as pl

from flutter_pipeline.adapters.landing.mapping import TimeColumn, Unit

TIME = pl.Datetime("us", "UTC")

PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

SMALLEST: tuple[tuple[Unit, float], ...] = (("ns", 1e17), ("us", 1e14), ("ms", 1e11), ("s", 0))
"""A number from here on is of this unit: every time from 2000 to 5000 is told rightly."""

_FAR = 10**17
"""Microseconds to where a time is cut off, in the year 5138: still out of range, never wrapped."""


def to_times(raw: pl.Series, how: TimeColumn | None) -> pl.Series:
    """Shape (n,) of type TIME; null where ``raw`` is null or cannot be read as a time."""
    unit, style = (how.unit, how.format) if how else (None, None)
    if isinstance(raw.dtype, pl.Datetime):
        zoned = raw if raw.dtype.time_zone else raw.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").cast(TIME)
    if raw.dtype == pl.Date:
        return raw.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if raw.dtype.is_numeric():
        return _from_numbers(raw, unit)
    if raw.dtype == pl.String:
        return _parsed(raw.str.strip_chars(), style) if style else _from_text(raw, unit)
    return pl.Series(raw.name, [None] * len(raw), dtype=TIME)


def _from_numbers(raw: pl.Series, unit: Unit | None) -> pl.Series:
    """Numbers since 1970; NaN and infinities are no times."""
    if raw.dtype.is_float():
        raw = raw.set(~raw.is_finite(), None)
    if unit:
        return _scaled(raw, unit)
    size, times = raw.cast(pl.Float64).abs(), pl.Series(raw.name, [None] * len(raw), dtype=TIME)
    upper = float("inf")
    for told, lower in SMALLEST:
        fits = (size >= lower) & (size < upper)
        if fits.any():
            times = times.zip_with(~fits.fill_null(False), _scaled(raw, told))
        upper = lower
    return times


def _scaled(raw: pl.Series, unit: Unit) -> pl.Series:
    """Numbers of one unit as times; whole numbers keep every digit."""
    per_second = PER_SECOND[unit]
    limit = min(_FAR * per_second // PER_SECOND["us"], 2**63 - 1)
    whole = raw.dtype.is_integer()
    numbers = raw.cast(pl.Int64 if whole else pl.Float64, strict=False).clip(-limit, limit)
    micros = numbers // 1_000 if unit == "ns" else numbers * (PER_SECOND["us"] // per_second)
    if micros.dtype.is_float():
        micros = micros.round()
    return micros.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_text(raw: pl.Series, unit: Unit | None) -> pl.Series:
    """Numbers, then ISO 8601; each way only where the one before has left something."""
    text = raw.str.strip_chars()
    whole = text.cast(pl.Int64, strict=False)
    times = _from_numbers(whole, unit)
    if _all_read(times, text):
        return times
    broken = text.cast(pl.Float64, strict=False).set(whole.is_not_null(), None)
    times = _filled(times, _from_numbers(broken, unit))
    if unit or _all_read(times, text):
        return times
    dashed = text.str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T")
    times = _filled(times, _parsed(dashed, "%Y-%m-%dT%H:%M:%S%.f%#z"))
    if _all_read(times, text):
        return times
    times = _filled(times, _parsed(dashed, "%Y-%m-%dT%H:%M:%S%.f"))
    if _all_read(times, text):
        return times
    left = times.is_null() & text.is_not_null()
    rest = [_iso(one) if is_left else None for one, is_left in zip(text, left, strict=True)]
    return _filled(times, pl.Series(raw.name, rest, dtype=TIME))


def _parsed(text: pl.Series, style: str) -> pl.Series:
    """Text of one strptime format; without an offset it is UTC."""
    times = text.str.to_datetime(style, strict=False, time_unit="us")
    zoned = getattr(times.dtype, "time_zone", None)
    return times if zoned else times.dt.replace_time_zone("UTC")


def _filled(times: pl.Series, others: pl.Series) -> pl.Series:
    return times.zip_with(times.is_not_null(), others)


def _all_read(times: pl.Series, text: pl.Series) -> bool:
    return times.null_count() == text.null_count()


def _iso(text: str) -> datetime | None:
    """What Python's reader makes of the rarer forms of ISO 8601."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
