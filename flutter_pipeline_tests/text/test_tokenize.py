import polars as pl
import pytest

from flutter_pipeline.text.tokenize import tokens_of


def tokens(text: str) -> list[str]:
    return tokens_of(pl.Series([text]))[0].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The bird's NEST, at 7am!", ["the", "bird's", "nest", "at", "7am"]),
        ("don\u2019t 'quote' rock'n'roll dogs'", ["don't", "quote", "rock'n'roll", "dogs"]),
        ("well-known snake_case 3.5", ["well", "known", "snake", "case", "3", "5"]),
        ("ΣΟΦΟΣ σοφός", ["σοφοσ", "σοφόσ"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("می\u200cروم", ["می\u200cروم"]),
        ("col\u00b7lecció", ["col\u00b7lecció"]),
        ("צה\u05f4ל", ["צה\u05f4ל"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("今日はラー", ["今", "日", "は", "ラ", "ー"]),
        ("วันนี้", ["วั", "น", "นี้"]),
        ("iPhone發表", ["iphone", "發", "表"]),
        ("... --- !!!", []),
        ("", []),
    ],
)
def test_words_or_characters_by_script(text: str, expected: list[str]):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("😀😀", ["😀", "😀"]),
        ("hi👍\U0001f3fdyo", ["hi", "👍\U0001f3fd", "yo"]),
        (
            "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
            ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"],
        ),
        ("👩\u200d💻", ["👩\u200d💻"]),
        ("\u2764\ufe0f \u2764", ["\u2764", "\u2764"]),
        ("1\ufe0f\u20e3 2", ["1\u20e3", "2"]),
        ("\u00a9 2024 \u2122", ["2024"]),
    ],
)
def test_an_emoji_is_one_token(text: str, expected: list[str]):
    assert tokens(text) == expected
