"""What each rule costs and what it buys: the same past feeds with it and without it.

One rule is switched at a time, all others stay as they are configured; so are diversity, author
decay and exploration, where they are on. The price is the NDCG that a rule takes, bird by bird. It
says what the rule costs those who are measured by what they liked, not what a feed full of spam
or copies would cost in the long run; for that stand the columns of what the rule buys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from flutter_pipeline.birds.history import DAY, History
from flutter_pipeline.evaluation.backtest import BLEND, RANKED, Contest, rankings
from flutter_pipeline.evaluation.beyond_accuracy import coverage, diversity
from flutter_pipeline.evaluation.metrics import Shown, Values, ndcg
from flutter_pipeline.evaluation.significance import interval
from flutter_pipeline.evaluation.slices import place_among
from flutter_pipeline.evaluation.split import Trial
from flutter_pipeline.evaluation.yardstick import Yardstick
from flutter_pipeline.filtering.by_place import number_among_equals
from flutter_pipeline.filtering.exploration import ExplorationConfig
from flutter_pipeline.filtering.feed import Feeds, fill_feeds
from flutter_pipeline.filtering.feeds import FeedConfig, FeedMoment
from flutter_pipeline.filtering.rule import Rows
from flutter_pipeline.filtering.rules import RULES
from flutter_pipeline.ranking.pairs import pair_keys

EXPLORATION, DIVERSITY, AUTHOR_DECAY = "exploration", "diversity", "author_decay"
BOUGHT = ("near_copies", "authors", "diversity", "age_days")
"""Per bird: share of the feed that nearly repeats a flit above, authors in it, its diversity (where
vectors are given), mean age of its flits."""


@dataclass(frozen=True)
class _Ground:
    """What all variants share: moments with the ranking of each, and how feeds are judged."""

    contest: Contest
    moments: tuple[tuple[Yardstick, pd.DataFrame], ...]


@dataclass(frozen=True)
class _Found:
    """The feeds of one variant, judged."""

    per_bird: pd.DataFrame
    """Index (moment, bird), `ndcg` and the columns ``BOUGHT``."""
    feeds: tuple[Feeds, ...]
    coverage: float


def price_of_rules(
    trials: Sequence[Trial],
    candidates: Mapping[int, pd.DataFrame],
    contest: Contest,
    config: FeedConfig,
) -> pd.DataFrame:
    """A row a rule, then author decay, diversity and exploration where ``config`` has them on.

    Columns: `rule`, `on` (as configured), `dropped` (candidates), `kept_out` (share of the places
    of feeds without the rule that it objects to), `ndcg_with`, `ndcg_without`, `price` (without
    less with, `low` and `high` its interval over birds), and each of ``BOUGHT`` and `coverage`,
    with and without. ``config`` holds the rules; the contest's own are not looked at, nor is the
    size, since feeds hold the contest's k places.
    """
    ground = _ground(trials, candidates, contest)
    base = config.model_copy(update={EXPLORATION: ExplorationConfig()})
    as_is = _judged(ground, base)
    rows = []
    for name, (is_on, other) in _variants(config, base).items():
        flipped = _judged(ground, other)
        with_it, without = (as_is, flipped) if is_on else (flipped, as_is)
        rows.append({"rule": name, "on": is_on, **_compared(name, with_it, without, ground, base)})
    return pd.DataFrame(rows)


def ndcg_by_strength(
    trials: Sequence[Trial],
    candidates: Mapping[int, pd.DataFrame],
    contest: Contest,
    config: FeedConfig,
) -> Callable[[float], float]:
    """Mean NDCG over birds by the strength of diversity: the objective of ``tune_strength``."""
    ground = _ground(trials, candidates, contest)

    def objective(strength: float) -> float:
        unlike = config.diversity.model_copy(update={"strength": strength})
        found = _judged(ground, config.model_copy(update={DIVERSITY: unlike}))
        return float(_over_moments(found)["ndcg"].mean())

    return objective


def _ground(
    trials: Sequence[Trial], candidates: Mapping[int, pd.DataFrame], contest: Contest
) -> _Ground:
    """The ranked feed's ranking at each trial that has birds, or the blend's without a ranker."""
    method = RANKED if contest.ranker is not None else BLEND
    pairs = []
    for trial in trials:
        if len(trial.birds):
            table = candidates[trial.moment]
            ranking = rankings(trial, table, contest)[method]
            # Rankings keep the candidates' index, which tells each row's source.
            stick = Yardstick(trial, contest.config)
            pairs.append((stick, ranking.assign(best_source=table["best_source"])))
    return _Ground(contest, tuple(pairs))


def _variants(config: FeedConfig, base: FeedConfig) -> dict[str, tuple[bool, FeedConfig]]:
    """By name: whether ``base`` has it on, and ``base`` with that one thing switched."""

    def ruled(**settings: float) -> FeedConfig:
        return base.model_copy(update={"rules": base.rules.model_copy(update=settings)})

    found: dict[str, tuple[bool, FeedConfig]] = {}
    for name in RULES:
        is_on = getattr(base.rules, name)
        found[name] = is_on, ruled(**{name: not is_on})
    if base.rules.author_decay < 1:
        found[AUTHOR_DECAY] = True, ruled(author_decay=1.0)
    if base.diversity.strength > 0:
        plain = base.diversity.model_copy(update={"strength": 0.0})
        found[DIVERSITY] = True, base.model_copy(update={DIVERSITY: plain})
    if config.exploration.slots:
        found[EXPLORATION] = False, config
    return found


def _judged(ground: _Ground, config: FeedConfig) -> _Found:
    """The feeds that ``config`` makes at every trial."""
    contest, k = ground.contest, ground.contest.config.k
    tables, feeds, covered = [], [], []
    for stick, ranking in ground.moments:
        trial, history = stick.trial, stick.trial.pool.history
        extras = FeedMoment(history, config, contest.vectors).extras
        made = fill_feeds(ranking, history, config.rules, k, extras)
        shown = _shown(stick, made.rows)
        columns = {"ndcg": ndcg(shown, k), **_bought(shown, history, contest)}
        index = pd.MultiIndex.from_product([[trial.moment], trial.birds], names=["moment", "bird"])
        tables.append(pd.DataFrame(columns, index=index))
        feeds.append(made)
        covered.append(coverage(shown.flit, len(trial.pool.flits)))
    return _Found(pd.concat(tables), tuple(feeds), float(np.mean(covered)))


def _shown(stick: Yardstick, feeds: pd.DataFrame) -> Shown:
    """Feeds (in order of bird and rank) against the moment's targets."""
    bird, flit, rank = (feeds[name].to_numpy(dtype=np.int64) for name in ("bird", "flit", "rank"))
    row = place_among(bird, stick.trial.birds)
    return Shown(row, flit, rank, stick.hits(bird, flit), stick.targets)


def _bought(shown: Shown, history: History, contest: Contest) -> dict[str, Values]:
    """The columns ``BOUGHT``; NaN for an empty feed."""
    network = history.network
    groups, authors = network.near_copies[shown.flit], network.author[shown.flit]
    repeats = number_among_equals(pair_keys(shown.bird, groups, len(network.flit_ids)))
    again = number_among_equals(pair_keys(shown.bird, authors, len(network.bird_ids)))
    age = (history.as_of - network.created_at[shown.flit]) / DAY
    found = {
        "near_copies": shown.mean((repeats > 0).astype(np.float64)),
        "authors": shown.total((again == 0).astype(np.float64)),
        "diversity": np.full(len(shown.targets), np.nan),
        "age_days": shown.mean(age),
    }
    if contest.vectors is not None:
        found["diversity"] = diversity(shown, contest.vectors)
    return found


def _compared(
    name: str, with_it: _Found, without: _Found, ground: _Ground, base: FeedConfig
) -> dict[str, float]:
    """All columns of one rule but its name."""
    config = ground.contest.config
    first, second = _over_moments(with_it), _over_moments(without)
    lost = (second["ndcg"] - first["ndcg"]).to_numpy(dtype=np.float64)[:, None]
    price = interval(lost, config.resamples, config.level, config.seed)
    row: dict[str, float] = {
        "dropped": sum(made.books.get(name, 0) for made in with_it.feeds),
        "kept_out": _kept_out(name, without, ground, base),
        "ndcg_with": first["ndcg"].mean(),
        "ndcg_without": second["ndcg"].mean(),
        "price": price.mean[0],
        "low": price.low[0],
        "high": price.high[0],
    }
    for column in BOUGHT:
        row[f"{column}_with"], row[f"{column}_without"] = (
            first[column].mean(),
            second[column].mean(),
        )
    return {**row, "coverage_with": with_it.coverage, "coverage_without": without.coverage}


def _kept_out(name: str, without: _Found, ground: _Ground, base: FeedConfig) -> float:
    """Share of the places of feeds without a rule that it objects to; NaN for what drops none."""
    if name not in RULES:
        return float("nan")
    refused = places = 0
    for (stick, _), made in zip(ground.moments, without.feeds, strict=True):
        bird, flit = (made.rows[column].to_numpy(dtype=np.int64) for column in ("bird", "flit"))
        source = pd.factorize(made.rows["best_source"])[0].astype(np.int64)
        rows = Rows(bird, flit, source, ground.contest.config.k)
        refused += int(np.count_nonzero(RULES[name](rows, stick.trial.pool.history, base.rules)))
        places += len(rows)
    return refused / places if places else float("nan")


def _over_moments(found: _Found) -> pd.DataFrame:
    """A row a bird, averaged over its moments, so that a bird that came every day counts once."""
    return found.per_bird.groupby(level="bird").mean()
