import polars as pl
import pytest

from flutter_pipeline.text.clean import STEPS, clean_texts
from flutter_pipeline.text.tokenize import tokens_of


def cleaned(text: str) -> str:
    return clean_texts(pl.Series([text]), STEPS)[0]


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("fish &amp; chips &lt;3", "fish & chips <3"),
        ("fish &amp;amp; chips &amp;lt;3", "fish & chips <3"),
        ("R&D at AT&T; 1 & 2", "R&D at AT&T; 1 & 2"),
        ("café and cafe\u0301", "café and café"),
        ("hid\u200bden and sof\u00adt and\x00 nul", "hidden and soft and nul"),
        ("see https://example.org/a?b=c#d now", "see now"),
        ("see HTTP://EXAMPLE.ORG www.example.org bit.ly/2x pic.example.org/x now", "see now"),
        ("见https://example.org/a你好", "见 你好"),
        ("mail me@example.org or @me@example.social", "mail or"),
        ("@robin: hello @wren_2", ": hello"),
        ("\uff20robin hello", "hello"),
        ("#BirdsOfPrey fly", "Birds Of Prey fly"),
        (
            "#birds_of_prey #NASALaunch #COVID19 #G20Summit",
            "birds of prey NASA Launch COVID19 G20 Summit",
        ),
        ("#हिन्दी", "हिन्दी"),
        ("#1 in C# and #", "1 in C# and #"),
        ("soooo NOooo yesss 1000 !!!", "soo NOo yess 1000 !!!"),
        ("даааа", "даа"),
        ("  a \t\n b\u00a0\u3000c ", "a b c"),
        ("Keep My CASE 😀", "Keep My CASE 😀"),
        ("", ""),
        ("\u200b\u200d\ufeff", ""),
    ],
)
def test_a_raw_text_becomes_readable(raw: str, readable: str):
    assert cleaned(raw) == readable


@pytest.mark.parametrize(
    "kept",
    [
        "👩\u200d👩\u200d👧\u200d👦",
        "\u2764\ufe0f\u200d🔥",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "1\ufe0f\u20e3",
        "#\ufe0f\u20e3",
        "می\u200cروم",
        "क्\u200dष",
    ],
    ids=["family", "burning heart", "England", "keycap", "keycap of a hash", "Persian", "Hindi"],
)
def test_invisible_characters_that_carry_meaning_stay(kept: str):
    assert cleaned(kept) == kept


def test_joiners_that_carry_no_meaning_go():
    assert cleaned("fr\u200cee v\u200di\ufe0fsit") == "free visit"


# For each step a text whose cleaning differs if only this step is left out.
NEEDED_BY = {
    "entities": "fish &amp; chips",
    "invisible": "hid\u200bden",
    "nfc": "cafe\u0301",
    "links": "see https://example.org",
    "mentions": "@robin hello",
    "hashtags": "#BirdsOfPrey",
    "elongated": "soooo",
    "whitespace": "a  b",
}


def test_every_step_has_a_text_that_needs_it():
    assert [step.name for step in STEPS] == list(NEEDED_BY)


@pytest.mark.parametrize("name", NEEDED_BY)
def test_no_step_is_dead(name: str):
    text = pl.Series([NEEDED_BY[name]])
    without = [step for step in STEPS if step.name != name]
    assert clean_texts(text, STEPS)[0] != clean_texts(text, without)[0]


# For neighbours whose order matters a text that comes out differently if they change places.
@pytest.mark.parametrize(
    ("earlier", "later", "text"),
    [
        ("entities", "invisible", "hid&#8203;den"),
        ("entities", "hashtags", "it&#39;s"),
        ("invisible", "nfc", "cafe\u200b\u0301"),
        ("invisible", "links", "ht\u200btps://example.org"),
        ("links", "mentions", "https://example.org/@robin/nest"),
        ("links", "hashtags", "https://example.org/#Bird/nest"),
        ("links", "elongated", "www.example.org"),
        ("mentions", "whitespace", "hello @robin you"),
        ("hashtags", "whitespace", "hello #you you"),
    ],
)
def test_the_order_of_steps_matters(earlier: str, later: str, text: str):
    by_name = {step.name: step for step in STEPS}
    names = [step.name for step in STEPS]
    first, second = names.index(earlier), names.index(later)
    assert first < second
    names[first], names[second] = later, earlier
    swapped = [by_name[name] for name in names]
    assert clean_texts(pl.Series([text]), swapped)[0] != cleaned(text)


def test_texts_that_no_step_touches_come_back_as_they_were():
    texts = pl.Series(["plain words", "😀", "two more"])
    assert clean_texts(texts, STEPS).to_list() == texts.to_list()


def test_rows_keep_their_places_when_only_some_are_touched():
    texts = pl.Series(["a", "&amp;", "b", "soooo", "#AbcDef", "c"])
    assert clean_texts(texts, STEPS).to_list() == ["a", "&", "b", "soo", "Abc Def", "c"]


@pytest.mark.parametrize(
    "long",
    [
        "a" * 100_000,
        "&amp;" * 20_000,
        "#" * 100_000,
        "#aA" * 33_000,
        "aA" * 50_000,
        "@a" * 50_000,
        "a." * 50_000,
        "http://" * 14_000,
        "👩\u200d" * 50_000,
        "م\u200c" * 50_000,
        "\u200b" * 100_000,
        "\u0301" * 100_000,
        " " * 100_000,
        "'a" * 50_000,
    ],
    ids=lambda text: repr(text[:2]),
)
def test_the_longest_text_is_cleaned_in_a_moment(long: str):
    readable = clean_texts(pl.Series([long]), STEPS)
    assert len(tokens_of(readable)) == 1
