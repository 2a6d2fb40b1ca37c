"""Word neighbourhoods: which words CBOW finds alike, and the question of king and queen.

V. Boykis, "What are embeddings" (2023), asks how one knows whether king should be close to queen;
here are the words to judge by, the analogies that hold, and those that fail. Where the vectors
were learnt is not known here.
"""

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from flutter_pipeline.reports.analogies import WordVectors, asked, relations_of
from flutter_pipeline.reports.charts import TableConfig, sentence, table
from flutter_pipeline.reports.section import Section

KEY, TITLE = "words", "Word neighbourhoods"
LEAD = (
    "What CBOW has learnt of words, from nothing but the company that they keep: each word's "
    "nearest ones, and whether differences between words mean the same in different places."
)
NEAREST = 8
FEW = 0.1
FEW_HOLD = (
    " That few hold is no surprise: differences between words take far more text than their "
    "neighbourhoods. From 24 million words CBOW of 50 dimensions learnt 13 % of such questions "
    "(Mikolov et al. 2013, table 2)."
)
SHOWN = 3
"""Questions of a relation that are shown, of those that hold and of those that fail."""
MAN, WOMAN, KING, QUEEN = "man", "woman", "king", "queen"
MEASURES = {"3CosAdd": "add", "3CosMul": "mul", "c alone": "alone"}
"""What the ways to answer are called, by the column of their answers."""


def words_section(known: WordVectors | None, chosen: Sequence[str]) -> Section:
    """``chosen`` words beside their nearest, and all analogies that ``known`` has the words of."""
    if known is None:
        return Section(KEY, TITLE, LEAD, sentence("No encoder that serves has vectors of words."))
    relations = relations_of(known)
    questions = asked(known, relations)
    body = f'<p class="says">{escape(king_and_queen(known, questions))}</p>'
    body += _neighbourhoods(known, chosen)
    if questions.empty:
        none = "This vocabulary has no two pairs of words in one relation, so no analogy is asked."
        return Section(KEY, TITLE, LEAD, body + sentence(none))
    body += _summed(questions, {name: len(pairs) for name, pairs in relations.items()})
    return Section(KEY, TITLE, LEAD, body + _examples(questions))


def king_and_queen(known: WordVectors, questions: pd.DataFrame) -> str:
    """The paper's question, answered by this vocabulary as far as it has the words."""
    codes = known.code_of
    missing = [word for word in (KING, QUEEN) if word not in codes]
    if missing:
        return (
            f"Should king be close to queen? These birds do not say: {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not among the {len(known.words):,} most "
            "frequent words. What they do speak of is below."
        )
    near = known.vectors @ known.vectors[codes[KING]]
    closer = int((near > near[codes[QUEEN]]).sum()) - 1
    said = (
        f"Should king be close to queen? Here their cosine is {near[codes[QUEEN]]:.2f}, and "
        f"{closer:,} of {len(known.words):,} words are closer to king. "
    )
    asks = questions[(questions["c"] == KING) & (questions["d"] == QUEEN)]
    if asks.empty:
        return said + "No other such pair is known, so the analogy cannot be asked."
    classic = asks[(asks["a"] == MAN) & (asks["b"] == WOMAN)]
    one = (classic if len(classic) else asks).iloc[0]
    lacking = "" if len(classic) else f" ({MAN} and {WOMAN} are not both known)"
    verdict = ": it holds" if one["add"] == QUEEN else f", and {QUEEN} is in place {one['place']:,}"
    return f"{said}As {one['a']} is to {one['b']}{lacking}, so king is to “{one['add']}”{verdict}."


def nearest_words(known: WordVectors, word: str, k: int) -> list[str]:
    """The ``k`` words nearest to ``word``, itself left out; of equally near ones the frequent."""
    code = known.code_of[word]
    order = (-(known.vectors @ known.vectors[code])).argsort(kind="stable")
    return [known.words[place] for place in order[: k + 1].tolist() if place != code][:k]


def _neighbourhoods(known: WordVectors, chosen: Sequence[str]) -> str:
    words = [word for word in dict.fromkeys(chosen) if word in known.code_of]
    if not words:
        return ""
    shown = pd.DataFrame({"word": words})
    shown["nearest"] = [", ".join(nearest_words(known, word, NEAREST)) for word in words]
    said = (
        f"The {NEAREST} nearest of {len(known.words):,} words, by cosine; the words asked for are "
        "those that tell topics apart best, one a topic."
    )
    return f"<h3>Nearest words</h3>{table(shown, said)}"


def _summed(questions: pd.DataFrame, pairs: Mapping[str, int]) -> str:
    """How many of how many hold, by relation."""
    held = pd.DataFrame({"relation": questions["relation"]})
    for name, column in MEASURES.items():
        held[name] = questions[column] == questions["d"]
    by = held.groupby("relation", sort=False)
    shown = by.mean().reset_index()
    shown.insert(1, "pairs", shown["relation"].map(pairs))
    shown.insert(2, "questions", by.size().to_numpy())
    total = {"relation": "all", "pairs": shown["pairs"].sum(), "questions": len(questions)}
    means = {name: held[name].mean() for name in MEASURES}
    shown = pd.concat([shown, pd.DataFrame([{**total, **means}])], ignore_index=True)
    shown["all"] = shown["relation"] == "all"
    said = (
        "Share of analogies a : b = c : ? that hold, of all that can be asked here: of every "
        "relation the frequent pairs, each against each other. 3CosAdd and 3CosMul look at all "
        "three words; “c alone” takes the word nearest to c, so what holds by it is "
        "neighbourhood, and no analogy."
    )
    if means["3CosAdd"] < FEW:
        said += FEW_HOLD
    config = TableConfig(formats=dict.fromkeys(MEASURES, "{:.1%}"), strong="all")
    return f"<h3>Analogies</h3>{table(shown, said, config)}"


def _examples(questions: pd.DataFrame) -> str:
    """Some questions that hold and some that fail, evenly from each relation's, folded away."""
    holds = questions["add"] == questions["d"]
    some = [
        _evenly(rows, SHOWN)
        for _, rows in questions.groupby([~holds, questions["relation"]], sort=False)
    ]
    picked = pd.concat(some).sort_index(kind="stable")
    held = (picked["add"] == picked["d"]).to_numpy()
    asks = picked[["a", "b", "c"]].itertuples(index=False)
    shown = pd.DataFrame(
        {
            "question": [f"{a} : {b} = {c} : ?" for a, b, c in asks],
            "asked for": picked["d"],
            "found": picked["add"],
            "its place": picked["place"],
            "relation": picked["relation"],
        }
    )
    tables = [
        table(shown[rows], said)
        for rows, said in (
            (held, "That hold, by 3CosAdd: the word found is the one asked for"),
            (~held, "That fail: the place is that of the word asked for among all"),
        )
        if rows.any()
    ]
    counted = f"{int(held.sum())} that hold and {int((~held).sum())} that fail"
    return f"<details><summary>Examples: {counted}</summary>{''.join(tables)}</details>"


def _evenly(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """So many rows at most, as far from one another as can be."""
    places = [(2 * n + 1) * len(rows) // (2 * most) for n in range(most)]
    return rows.iloc[sorted(set(places))]
