"""Words found in UTF-8 bytes, and their codes, by a compiled hash table.

What ``str.split`` and a dict of codes do, without an object for every word. Knows nothing of
vocabularies, only of words in order of appearance. Import it where it is used: it brings Numba,
which takes a while to load.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

END = 0xFF
"""Stands behind every flit; no byte of UTF-8 has this value."""
CHUNK = 32_768
"""Flits whose bytes are held at a time; bounds the memory."""

LETTER, SPACE, PERHAPS_SPACE, FLIT_ENDS = range(4)
KIND = np.zeros(256, np.uint8)
"""What a byte is, by its value; PERHAPS_SPACE begins characters of which some are white space."""
KIND[[*range(0x09, 0x0E), *range(0x1C, 0x21)]] = SPACE
KIND[[0xC2, 0xE1, 0xE2, 0xE3]] = PERHAPS_SPACE
KIND[END] = FLIT_ENDS

# Unsigned numbers as places spare the compiled code a check for negative ones at every byte.
U = np.uint64
ZERO, ONE = U(0), U(1)
FNV_START, FNV_PRIME = U(0xCBF29CE484222325), U(0x100000001B3)
"""Of the hash FNV-1a, 64 bits."""
MIX, SHIFT = U(0xFF51AFD7ED558CCD), U(33)
"""Of MurmurHash3's last step."""
LOW, HIGH, HALF = U(0xFFFFFFFF), U(0xFFFFFFFF00000000), U(32)

Bytes = NDArray[np.uint8]
Codes = NDArray[np.int32]
Places = NDArray[np.int64]


class WordTable(NamedTuple):
    """Words by code, laid end to end, and the hashes that find them."""

    slots: NDArray[np.uint64]
    """Half a hash in the upper bits, code + 1 in the lower; 0 is free. Its length is a power of
    two, and at most half of it is taken."""
    letters: Bytes
    """Longer than there are letters."""
    ends: Places
    """The word of code ``c`` is ``letters[ends[c]:ends[c + 1]]``; longer than there are words."""


class Word(NamedTuple):
    """A word where it stands in a text: ``text[start:end]``, and its hash in the upper half."""

    start: np.int64 | int
    end: np.int64 | int
    hashed: np.uint64


class Coded(NamedTuple):
    """Where codes are written."""

    codes: Codes
    ends: Places
    """Where each flit ends among the codes."""


class Spot(NamedTuple):
    """How far a text has been read."""

    at: np.int64 | int
    n_codes: int
    n_flits: int


def empty_table() -> WordTable:
    """A table without words, with room for some."""
    return WordTable(
        np.zeros(1 << 12, np.uint64), np.zeros(1 << 14, np.uint8), np.zeros(1 << 11, np.int64)
    )


def as_bytes(flits: Sequence[str]) -> Iterator[Bytes]:
    """``flits`` as UTF-8, :data:`END` behind each, in chunks."""
    for start in range(0, len(flits), CHUNK):
        # Halves of surrogate pairs stand alone in broken texts; they are letters like any other.
        encoded = [flit.encode("utf-8", "surrogatepass") for flit in flits[start : start + CHUNK]]
        yield np.frombuffer(b"\xff".join([*encoded, b""]), dtype=np.uint8)


def words_of(table: WordTable, codes: Places) -> list[str]:
    """The words that have these codes."""
    letters = table.letters.tobytes()
    starts, ends = table.ends[codes].tolist(), table.ends[codes + 1].tolist()
    return [
        letters[start:end].decode("utf-8", "surrogatepass")
        for start, end in zip(starts, ends, strict=True)
    ]


@njit(cache=True, nogil=True)
def coded(
    text: Bytes, table: WordTable, n_words: int, learning: bool
) -> tuple[Codes, Places, WordTable, int]:
    """The words of ``text`` as codes, where each flit ends among them, the table, its words.

    A word that the table lacks is added where ``learning``, and left out otherwise. The table that
    is given is used up: go on with the one that is returned.
    """
    coded = Coded(np.empty((len(text) + 1) // 2, np.int32), np.empty(len(text), np.int64))
    spot, word = _read_on(text, table, coded, Spot(0, 0, 0), learning)
    while word.end > word.start:
        n_words += 1
        table = _with_room(table, n_words, word.end - word.start)
        _add(table, n_words - 1, text, word)
        spot, word = _read_on(text, table, coded, spot, learning)
    # Copies, for who keeps the codes need not keep the room that there was for more.
    return coded.codes[: spot.n_codes].copy(), coded.ends[: spot.n_flits].copy(), table, n_words


@njit(cache=True, nogil=True)
def _read_on(
    text: Bytes, table: WordTable, coded: Coded, spot: Spot, learning: bool
) -> tuple[Spot, Word]:
    """Read from ``spot`` to the end, or where ``learning`` to the first word that has no code.

    Apart from where the table grows, for compiled code is twice as fast where arrays stay put.
    """
    n_codes, n_flits = spot.n_codes, spot.n_flits
    at = U(spot.at)
    while at < U(len(text)):
        start, hashed, space = at, FNV_START, _space(text, at)
        while space == 0:
            hashed = (hashed ^ U(text[at])) * FNV_PRIME
            at += ONE
            space = _space(text, at)
        if at > start:
            word = Word(np.int64(start), np.int64(at), _mixed(hashed))
            code = _find(table, text, word)
            if code < 0 and learning:
                return Spot(word.start, n_codes, n_flits), word
            if code >= 0:
                coded.codes[n_codes] = code
                n_codes += 1
        if text[at] == END:
            coded.ends[n_flits] = n_codes
            n_flits += 1
        at += U(space)
    return Spot(len(text), n_codes, n_flits), Word(0, 0, ZERO)


@njit(cache=True, nogil=True)
def with_words(text: Bytes, table: WordTable, n_words: int) -> tuple[WordTable, int]:
    """Add everything that END stands behind in ``text`` as a word; spaces are letters here.

    A word that is there already is added nevertheless, and never found.
    """
    start = at = ZERO
    hashed = FNV_START
    while at < U(len(text)):
        if text[at] != END:
            hashed = (hashed ^ U(text[at])) * FNV_PRIME
        else:
            word = Word(np.int64(start), np.int64(at), _mixed(hashed))
            n_words += 1
            table = _with_room(table, n_words, word.end - word.start)
            _add(table, n_words - 1, text, word)
            start, hashed = at + ONE, FNV_START
        at += ONE
    return table, n_words


@njit(cache=True, nogil=True)
def _space(text: Bytes, at: np.uint64) -> int:
    """How many bytes it takes from ``at`` to what follows; 0 for a letter.

    White space as ``str.split`` has it, or the one byte that ends a flit.
    """
    kind = KIND[text[at]]
    if kind != PERHAPS_SPACE:
        return 0 if kind == LETTER else 1
    byte, second = text[at], text[at + ONE]
    if byte == 0xC2:
        return 2 if second in (0x85, 0xA0) else 0
    third = text[at + ONE + ONE]
    if byte == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    if byte == 0xE3:
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:
        return 3 if third <= 0x8A or third in (0xA8, 0xA9, 0xAF) else 0
    return 3 if second == 0x81 and third == 0x9F else 0


@njit(cache=True, nogil=True)
def _mixed(hashed: np.uint64) -> np.uint64:
    """The upper half of the hash, in which now every byte counts."""
    product = (hashed ^ (hashed >> SHIFT)) * MIX
    return (product ^ (product << HALF)) & HIGH


@njit(cache=True, nogil=True)
def _find(table: WordTable, text: Bytes, word: Word) -> np.int64 | int:
    """The code of the word, or -1."""
    slots, letters, ends = table
    length = word.end - word.start
    mask = U(len(slots) - 1)
    slot = (word.hashed >> HALF) & mask
    while slots[slot] != ZERO:
        if slots[slot] & HIGH == word.hashed:
            code = np.int64(slots[slot] & LOW) - 1
            first = ends[code]
            if ends[code + 1] - first == length:
                i = 0
                while i < length and letters[U(first + i)] == text[U(word.start + i)]:
                    i += 1
                if i == length:
                    return code
        slot = (slot + ONE) & mask
    return -1


@njit(cache=True, nogil=True)
def _add(table: WordTable, code: int, text: Bytes, word: Word) -> None:
    """Give the word the next code; there must be room for it."""
    first, length = table.ends[code], word.end - word.start
    table.letters[first : first + length] = text[word.start : word.end]
    table.ends[code + 1] = first + length
    _take(table.slots, word.hashed | U(code + 1))


@njit(cache=True, nogil=True)
def _take(slots: NDArray[np.uint64], entry: np.uint64) -> None:
    """Put ``entry`` into the first free slot for its hash."""
    mask = U(len(slots) - 1)
    slot = (entry >> HALF) & mask
    while slots[slot] != ZERO:
        slot = (slot + ONE) & mask
    slots[slot] = entry


@njit(cache=True, nogil=True)
def _with_room(table: WordTable, n_words: int, n_letters: np.int64 | int) -> WordTable:
    """The table, or a larger copy, with room for the last of ``n_words``, of ``n_letters``."""
    slots, letters, ends = table
    if n_words >= len(ends):
        ends = np.concatenate((ends, np.zeros_like(ends)))
    need = ends[n_words - 1] + n_letters
    if need > len(letters):
        letters = np.concatenate((letters, np.zeros(need, np.uint8)))
    if 2 * n_words > len(slots):
        larger = np.zeros(2 * len(slots), np.uint64)
        for entry in slots:
            if entry != ZERO:
                _take(larger, entry)
        slots = larger
    return WordTable(slots, letters, ends)
