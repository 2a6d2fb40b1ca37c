"""From readable text to tokens: lower-case words, single characters, and emoji.

Scripts that separate words give words; scripts that do not (Han, kana, Thai, Lao, Khmer, Burmese)
give one token a character. It knows no language and no dictionary.
"""

import polars as pl

from flutter_pipeline.text.characters import EMOJI, MARK, UNSEGMENTED, WORD_PART, WORD_START

# Inside a word: apostrophe, Hebrew geresh and gershayim, Catalan middle dot, and joiners.
_INNER = r"['\x{5F3}\x{5F4}\x{B7}\x{200C}\x{200D}]"

TOKEN = (
    rf"{EMOJI}"
    rf"|{WORD_START}{WORD_PART}*(?:{_INNER}{WORD_PART}+)*"
    rf"|{UNSEGMENTED}{MARK}*"
)


def tokens_of(texts: pl.Series) -> pl.Series:
    """Tokens of each cleaned text, a list of strings a row; empty where there are none."""
    return _alike(texts).str.extract_all(TOKEN)


def _alike(texts: pl.Series) -> pl.Series:
    """``texts`` with one spelling for what readers take for the same word."""
    lower = texts.str.to_lowercase()
    return (
        # Typographic apostrophes.
        lower.str.replace_all(r"[\x{2019}\x{2BC}\x{FF07}]", "'")
        # Final sigma is the same letter; a heart is a heart with or without the emoji selector.
        .str.replace_all("\u03c2", "\u03c3", literal=True)
        .str.replace_all("\ufe0f", "", literal=True)
        # In lower case a dotted capital I is an i with a second dot, which no reader sees.
        .str.replace_all("i\u0307", "i", literal=True)
    )
