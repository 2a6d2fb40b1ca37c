from difflib import SequenceMatcher
from itertools import pairwise

import pytest

from flutter_pipeline.simulation.config import SimulationConfig
from flutter_pipeline.simulation.network import SimulatedNetwork, simulate
from flutter_pipeline.simulation.phrases import LANGUAGES
from flutter_pipeline.simulation.vocabulary import THEMES, TOPICS
from flutter_pipeline.simulation.words import elongated, misspelt


@pytest.fixture(scope="module")
def network() -> SimulatedNetwork:
    return simulate(SimulationConfig(birds=300, flits=3_000, days=20, seed=5))


def test_a_theme_has_three_topics_of_twenty_words_or_more():
    for theme, topics in THEMES.items():
        assert len(topics) == 3, theme
        assert all(len(words.split()) >= 20 for words in topics.values()), theme
    assert len(set(TOPICS)) == len(TOPICS) == 75


def test_a_word_is_misspelt_always_the_same_way_and_differs():
    assert misspelt("guitar") == misspelt("guitar")
    assert misspelt("guitar") != "guitar"
    assert SequenceMatcher(None, misspelt("guitar"), "guitar").ratio() > 0.8
    assert misspelt("jaz") == "jaz"


def test_an_elongated_word_holds_its_first_vowel():
    assert elongated("jazz") == "jaaaazz"
    assert elongated("rhythm") == "rrrrhythm"


@pytest.mark.parametrize(
    ("noise", "pattern", "least"),
    [
        ("links", r"https://t\.co/\w{10}", 0.05),
        ("mentions", r"@bird_\d{3}", 0.05),
        ("hashtags", r"#\w+", 0.15),
        ("camel-cased hashtags", r"#[A-Z][a-z]+[A-Z]", 0.05),
        ("HTML entities", r"&amp;|&lt;", 0.02),
        ("emoji", r"[\U0001F300-\U0001FAFF]", 0.1),
        ("skin tones", r"[\U0001F3FB-\U0001F3FF]", 0.001),
        ("zero-width spaces", "\u200b", 0.002),
        ("line breaks", r"\n", 0.02),
        ("shouted words", r"\b[A-Z]{5,}\b", 0.02),
        ("elongated words", "aaaa|eeee|iiii|oooo|uuuu", 0.02),
        ("combining accents", "cafe\u0301", 0.0003),
        ("nothing but a link", r"^(?:@bird_\d+ )?https://t\.co/\w{10}$", 0.002),
        ("nothing but emoji", r"^[^\w]+$", 0.002),
        ("scripts that part no words", r"[\u3040-\u30ff\u0e00-\u0e7f]{8}", 0.002),
    ],
)
def test_texts_have_noise(network, noise, pattern, least):
    assert network.flits["text"].str.contains(pattern, regex=True).mean() >= least, noise


def test_texts_are_of_six_to_thirty_words_mostly(network):
    english = network.flits[network.flits["lang"] == "en"]["text"].str.split().str.len()

    assert english.between(6, 30).mean() > 0.95


def test_every_language_is_written_and_most_flits_are_english(network):
    languages = network.flits["lang"].value_counts()

    assert set(languages.index) == {"en", *LANGUAGES}
    assert languages["en"] / languages.sum() > 0.9
    assert network.flits["lang"].isna().any()


def test_some_flits_are_near_copies_of_earlier_ones(network):
    texts = network.flits["text"]
    passed_on = texts[texts.str.startswith("RT @")].str.replace(r"^RT @\w+: ", "", regex=True)

    assert 0.01 < len(passed_on) / len(texts) < 0.04
    assert passed_on.isin(set(texts)).all()


def test_some_flits_repeat_an_earlier_one_with_a_word_added(network):
    texts = list(network.flits["text"])
    order = sorted(range(len(texts)), key=texts.__getitem__)
    longer = [
        texts[after].startswith(texts[before] + " ") and len(texts[before]) > 30
        for before, after in pairwise(order)
    ]

    assert sum(longer) / len(texts) > 0.01


def test_flits_on_one_topic_share_words(network):
    topics = network.truth.topics[:, : len(TOPICS)]
    jazz = topics[:, TOPICS.index("jazz")] == 1
    says_so = network.flits["text"].str.contains("jazz|sax|trumpet|swing|blues", case=False)

    assert says_so[jazz].mean() > 0.8
    assert says_so[~jazz].mean() < 0.05


def test_a_larger_network_knows_more_words():
    small, large = (
        simulate(SimulationConfig(birds=50, flits=flits, days=5, engagements=100)).flits["text"]
        for flits in (500, 8_000)
    )
    words = [set(" ".join(texts).lower().split()) for texts in (small, large)]

    assert len(words[1]) > 2 * len(words[0])


def test_a_cut_in_topics_leaves_the_first_ones():
    network = simulate(SimulationConfig(birds=30, flits=300, days=5, topics=2))

    assert network.truth.topics.shape == (300, 2 + len(LANGUAGES))
