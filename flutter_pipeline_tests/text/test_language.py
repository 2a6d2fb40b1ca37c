import polars as pl
import pytest
from py3langid import langid

from flutter_pipeline.text.language import LanguageConfig, languages_of, told_languages

CONFIG = LanguageConfig()

SENTENCES = {
    "en": "did anyone watch the game last night?",
    "de": "Das Wetter ist heute wirklich schrecklich",
    "es": "mi gato duerme todo el día",
    "fr": "quelqu'un a vu le match hier soir ?",
    "it": "sono troppo stanco per uscire",
    "pt": "amanhã tem prova e eu não estudei",
    "nl": "wat een mooie dag vandaag",
    "fi": "kiitos kaikille ihanista viesteistä",
    "pl": "pociąg znowu się spóźnia",
    "tr": "şu an çok yorgunum",
    "id": "terima kasih banyak untuk semuanya",
    "vi": "cảm ơn mọi người rất nhiều",
    "ru": "спасибо всем за добрые слова",
    "uk": "дякую всім за теплі слова",
    "ar": "شكرا جزيلا لكم على الرسائل",
    "hi": "आप सभी का बहुत धन्यवाद",
    "ja": "やっと週末だ",
    "zh": "终于到周末了",
    "ko": "드디어 주말이다",
    "th": "สวัสดี",
    "el": "καλημέρα",
    "he": "בוקר טוב",
}

BY_SCRIPT = ("ja", "zh", "ko", "th", "el", "he")


@pytest.mark.parametrize("language", SENTENCES)
def test_the_language_of_a_short_sentence_is_told(language: str):
    assert told_languages(pl.Series([SENTENCES[language]]), CONFIG).to_list() == [language]


@pytest.mark.parametrize("text", ["", "😀😀", "12345 67890", "ok", "h m m"])
def test_what_cannot_be_told_is_undetermined(text: str):
    assert told_languages(pl.Series([text]), CONFIG).to_list() == ["und"]


def test_more_confidence_tells_less():
    sure = LanguageConfig(min_confidence=1.0)
    assert told_languages(pl.Series(["what a beautiful day outside"]), sure).to_list() == ["und"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("EN", "en"), ("pt-BR", "pt"), ("zh_Hant", "zh"), ("in", "id"), ("iw", "he"), ("nb", "no")],
)
def test_a_given_language_is_kept_in_one_spelling(given: str, kept: str):
    told = languages_of(pl.Series(["what a beautiful day"]), pl.Series([given]), CONFIG)
    assert told.to_list() == [kept]


@pytest.mark.parametrize("given", [None, "", "und", "zxx", "qme", "not told", "12"])
def test_a_language_that_says_nothing_is_told_from_the_text(given: str | None):
    given_column = pl.Series([given], dtype=pl.String)
    told = languages_of(pl.Series(["what a beautiful day"]), given_column, CONFIG)
    assert told.to_list() == ["en"]


def test_capitals_are_read_like_small_letters():
    texts = pl.Series(["WAT EEN MOOIE DAG VANDAAG", "wat een mooie dag vandaag"])
    assert told_languages(texts, CONFIG).to_list() == ["nl", "nl"]


def test_taking_all_texts_together_answers_as_the_library_does_one_by_one():
    library = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    library.set_languages(CONFIG.languages)
    texts = [text for language, text in SENTENCES.items() if language not in BY_SCRIPT]
    expected = [library.classify(text)[0] for text in texts]
    assert told_languages(pl.Series(texts), CONFIG).to_list() == expected


def test_no_texts_have_no_languages():
    empty = pl.Series([], dtype=pl.String)
    assert languages_of(empty, empty, CONFIG).to_list() == []
