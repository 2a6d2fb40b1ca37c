"""Flits a second of cleaning, beside a plain Python loop that does the same, in one run.

The peer goes through the flits one by one with ``regex``, ``py3langid`` and ``datasketch``, as a
first version of such a stage is mostly written. Both run in one process on the same texts, and
the median of three rounds is shown: by the clock, and by seconds of cores used, which other work
on the machine disturbs less.
"""

import argparse
import gzip
import html
import statistics
import time
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import regex
from datasketch import MinHash
from py3langid import langid

from flutter_pipeline.text.clean import STEPS, clean_texts
from flutter_pipeline.text.cleaned import TextConfig, clean_flits
from flutter_pipeline.text.language import told_languages
from flutter_pipeline.text.near_copies import signatures_of
from flutter_pipeline.text.tokenize import tokens_of

ROUNDS = 3
PEER_LINK = regex.compile(
    r"(?i)https?://\S*|\bwww\.\S+|\S+@\S+\.\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}/\S*"
)
PEER_MENTION = regex.compile(r"@\w+")
PEER_HASHTAG = regex.compile(r"#(\w+)")
PEER_HUMP = regex.compile(r"(?<=\p{Ll})(?=\p{Lu})")
PEER_INVISIBLE = regex.compile(r"[\p{Cf}\p{Cc}--[\t\n\r]]", regex.VERSION1)
PEER_ELONGATED = regex.compile(r"(([^\W\d_])\2)\2+", regex.IGNORECASE)
PEER_TOKEN = regex.compile(
    r"\p{L}[\p{L}\p{M}\p{N}]*(?:'[\p{L}\p{M}\p{N}]+)*|\p{N}+|\p{Emoji_Presentation}"
)


def peer_tokens(text: str) -> list[str]:
    """Tokens of one text, by the same steps, one after the other."""
    text = PEER_INVISIBLE.sub("", html.unescape(html.unescape(text)))
    text = PEER_MENTION.sub(" ", PEER_LINK.sub(" ", unicodedata.normalize("NFC", text)))
    text = PEER_HASHTAG.sub(lambda tag: " " + PEER_HUMP.sub(" ", tag[1]) + " ", text)
    text = " ".join(PEER_ELONGATED.sub(r"\1", text).split())
    return PEER_TOKEN.findall(text.lower().replace("\u2019", "'"))


def peer_everything(text: str, identifier: langid.LanguageIdentifier) -> tuple[str, str, MinHash]:
    """Tokens, language and signature of one text."""
    tokens = peer_tokens(text)
    sketch = MinHash(num_perm=64)
    sketch.update_batch([f"{a} {b}".encode() for a, b in pairwise(tokens)])
    return " ".join(tokens), identifier.classify(text)[0], sketch


def simulated(n: int) -> list[str]:
    """Texts of a skewed vocabulary with some links, mentions, hashtags and long vowels."""
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    weights = 1 / np.arange(2, 28)
    words = np.array([
        "".join(rng.choice(letters, size=rng.integers(2, 9), p=weights / weights.sum()))
        for _ in range(20_000)
    ])  # fmt: skip
    extras = np.array(["@robin", "https://example.org/a", "#BirdsOfPrey", "soooo", "&amp;", "!"])
    texts = []
    for length in rng.integers(4, 25, size=n):
        chosen = words[(rng.pareto(1, size=length) * 20).astype(int) % len(words)]
        chosen = np.where(rng.random(length) < 0.05, rng.choice(extras, size=length), chosen)
        texts.append(" ".join(chosen))
    return texts


def flits_of(texts: Sequence[str]) -> pd.DataFrame:
    """Flits of a few thousand birds, a second apart."""
    rows = np.arange(len(texts))
    return pd.DataFrame({
        "flit_id": pd.Series([f"f{row}" for row in rows], dtype="str"),
        "bird_id": pd.Series([f"b{row % 5000}" for row in rows], dtype="str"),
        "text": pd.Series(texts, dtype="str"),
        "created_at": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(rows, unit="s"),
    })  # fmt: skip


def show(name: str, n: int, run: Callable[[], object]) -> None:
    """Print the median speed of ``run``, which works on ``n`` flits."""
    seconds, busy = [], []
    for _ in range(ROUNDS):
        start, start_busy = time.perf_counter(), time.process_time()
        run()
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
    by_clock, by_core = n / statistics.median(seconds), n / statistics.median(busy)
    print(f"{name:<44}{n:>9,}{by_clock:>12,.0f}{by_core:>14,.0f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description="Flits a second of cleaning, beside a plain Python loop."
    )
    parser.add_argument("--tweets", type=Path, help="gzip of texts, one a line; else simulated")
    parser.add_argument("--flits", type=int, default=100_000, help="how many flits at most")
    parser.add_argument("--peer-flits", type=int, default=5_000, help="how many the peer gets")
    chosen = parser.parse_args()
    if chosen.tweets:
        with gzip.open(chosen.tweets, "rt", encoding="utf-8") as lines:
            texts = [line.rstrip("\n") for _, line in zip(range(chosen.flits), lines, strict=False)]
    else:
        texts = simulated(chosen.flits)
    compare(texts, texts[: chosen.peer_flits])


def compare(texts: list[str], few: list[str]) -> None:
    """Print a line for the whole, for each part, and for the peer on a ``few`` of the texts."""
    config, n, flits, column = TextConfig(), len(texts), flits_of(texts), pl.Series(texts)
    cleaned = clean_texts(column, STEPS)
    tokens = tokens_of(cleaned)
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages(config.language.languages)
    told_languages(cleaned[:10], config.language)  # Loads the model, once a process.
    print(f"{'':<44}{'flits':>9}{'flits/s':>12}{'flits/core s':>14}")
    show("clean_flits, everything", n, lambda: clean_flits(flits, config))
    show("  clean text and tokens", n, lambda: tokens_of(clean_texts(column, STEPS)))
    show("  language", n, lambda: told_languages(cleaned, config.language))
    show("  signatures", n, lambda: signatures_of(tokens, config.near_copies))
    show("Python loop, clean text and tokens", len(few), lambda: [peer_tokens(t) for t in few])
    show(
        "Python loop, with py3langid and datasketch",
        len(few),
        lambda: [peer_everything(text, identifier) for text in few],
    )


if __name__ == "__main__":
    main()
