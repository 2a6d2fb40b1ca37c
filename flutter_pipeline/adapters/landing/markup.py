"""HTML as the text that people read. It knows neither files nor the contract."""

import html

import polars as pl

from flutter_pipeline.adapters.landing.plan import Origin

_TAG = r"<(?:/?[A-Za-z][^<>]*|!--[^>]*--)>"
_BREAK = r"<(?:br|hr)\b[^<>]*>"
_END = r"</(?:p|div|li|blockquote|pre|h[1-6])>"
_BEGIN = r"<(?:p|div|li)\b[^<>]*>"
_LINE_END = rf"(?i){_BREAK}|(?:{_END}\s*)?{_BEGIN}"


def plain(text: pl.Series, origin: Origin) -> pl.Series:
    """Text without the markup that its origin is said to have."""
    if origin.html:
        text = _untagged(text)
    return _unescaped(text) if origin.escaped else text


def _untagged(text: pl.Series) -> pl.Series:
    """HTML without its tags; what they begin or end a line with is a line end."""
    if not text.str.contains("<", literal=True).any():
        return text
    return text.str.replace_all(_LINE_END, "\n").str.replace_all(_TAG, "").str.strip_chars()


def _unescaped(text: pl.Series) -> pl.Series:
    """HTML entities as the characters that they stand for."""
    if not text.str.contains("&", literal=True).any():
        return text
    read = [html.unescape(one) if one and "&" in one else one for one in text]
    return pl.Series(text.name, read, dtype=pl.String())
