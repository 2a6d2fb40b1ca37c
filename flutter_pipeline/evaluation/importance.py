"""Which features help: what NDCG is lost when one says nothing any more, or was never there.

Permutation importance (Breiman 2001; Fisher, Rudin & Dominici 2019, section 3) shuffles a feature
over the rows of a held-out moment, of a trained ranker; an ablation trains anew without a whole
group. The first is cheap and understates features that stand in for each other; the second is
what one would really lose. Knows no ranker but by its scores.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import FloatArray
from flutter_pipeline.ranking.ranker import Ranker
from flutter_pipeline.ranking.training import TrainingSet

Value = Callable[[FloatArray], float]
"""How good an order is, such as mean NDCG@k, of scores of the judged rows."""

Train = Callable[[TrainingSet], Ranker]

COLUMNS = ("by", "name", "lost")


def permutation_importance(
    ranker: Ranker, features: pd.DataFrame, value: Value, groups: Mapping[str, str], seed: int
) -> pd.DataFrame:
    """`by, name, lost`: value lost by each group of features, and by each feature, most first.

    ``groups`` maps a feature to its group; features that the ranker does not read are left out.
    All features of a group are shuffled alike, so what they say together stays together.
    """
    order = np.random.default_rng(seed).permutation(len(features))
    shuffled = features.take(order).set_axis(features.index)
    whole = value(ranker.score(features))
    read = [name for name in ranker.feature_names if name in groups]
    by_group: dict[str, list[str]] = {}
    for name in read:
        by_group.setdefault(groups[name], []).append(name)
    rows = [
        (
            by,
            label,
            whole
            - value(ranker.score(features.assign(**{name: shuffled[name] for name in columns}))),
        )
        for by, parts in (("group", by_group), ("feature", {name: [name] for name in read}))
        for label, columns in parts.items()
    ]
    return _most_first(rows)


def ablation(
    train: Train, rows: TrainingSet, held: TrainingSet, value: Value, groups: Mapping[str, str]
) -> pd.DataFrame:
    """`by, name, lost`: value lost on ``held`` by a ranker that never saw a group, most first."""
    whole = value(train(rows).score(held.features))
    found = []
    for group in dict.fromkeys(groups.values()):
        left = [name for name in rows.features.columns if groups.get(name) != group]
        if 0 < len(left) < rows.features.shape[1]:
            without = train(with_columns(rows, left))
            lost = whole - value(without.score(held.features[left]))
            found.append(("group", group, lost))
    return _most_first(found)


def with_columns(rows: TrainingSet, names: Sequence[str]) -> TrainingSet:
    """``rows`` with these features only."""
    features = rows.features[list(names)]
    return TrainingSet(features, rows.labels, rows.moment, rows.feed, rows.acted, rows.weights)


def _most_first(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Groups first; within groups and features by what was lost, ties by name."""
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"lost": np.float64})
    key = table.assign(first=table["by"] != "group", less=-table["lost"])
    return table.loc[key.sort_values(["first", "less", "name"]).index].reset_index(drop=True)
