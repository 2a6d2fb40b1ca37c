"""Classes of characters that cleaning and tokenising must agree on, as Rust regex fragments.

What is an emoji, which scripts put no space between words, where a joiner carries meaning. It
knows nothing of flits; the fragments are put together by ``clean`` and ``tokenize``.
"""

# Symbols that Unicode counts as pictures but that people use as punctuation: © ® ™ ‼ ⁉ 〰
PICTURE = r"[\p{Extended_Pictographic}--[\x{A9}\x{AE}\x{2122}\x{203C}\x{2049}\x{3030}]]"

_DRESSED = rf"{PICTURE}[\x{{FE0F}}\p{{Emoji_Modifier}}]{{0,2}}"
_TAGS = r"(?:[\x{E0020}-\x{E007E}]+\x{E007F})?"

EMOJI = (
    r"(?:\p{Regional_Indicator}{2}"
    r"|[0-9#*]\x{FE0F}?\x{20E3}"
    rf"|{_DRESSED}{_TAGS}(?:\x{{200D}}{_DRESSED})*)"
)
"""One emoji as it is seen: a flag, a keycap, or pictures joined and toned into one."""

UNSEGMENTED = (
    r"[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\x{30FC}\x{FF70}]"
    r"&&[\p{L}\p{Nl}]]"
)
"""A letter of a script that puts no space between words (with the marks of prolonged vowels)."""

IGNORABLE = r"[\p{Default_Ignorable_Code_Point}\p{Cf}]"
"""Takes no room of its own: joiners, zero-width spaces, direction marks, variation selectors."""

MARK = rf"[\p{{M}}--{IGNORABLE}]"
WORD_START = rf"[[\p{{L}}\p{{N}}]--[{UNSEGMENTED}{IGNORABLE}]]"
WORD_PART = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSEGMENTED}{IGNORABLE}]]"

_JOINING = (
    r"[[\p{scx:Arabic}\p{scx:Syriac}\p{scx:Nko}\p{scx:Mongolian}\p{scx:Devanagari}"
    r"\p{scx:Bengali}\p{scx:Gurmukhi}\p{scx:Gujarati}\p{scx:Oriya}\p{scx:Tamil}\p{scx:Telugu}"
    r"\p{scx:Kannada}\p{scx:Malayalam}\p{scx:Sinhala}]&&[\p{L}\p{M}--\p{Default_Ignorable_Code_Point}]]"
)
JOINED_WORD = rf"{_JOINING}+(?:[\x{{200C}}\x{{200D}}]{_JOINING}+)+"
"""A word in which a joiner decides about letter shapes, such as Persian or Malayalam has them."""
