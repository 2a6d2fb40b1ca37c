"""Whether every section of ``flutter.toml`` fits, asked before a run changes anything.

Each stage reads its own section when its turn comes, which would be after intake, or minutes of
training, too late to say that a later one is misspelt.
"""

from importlib.util import find_spec

from pydantic import BaseModel

from flutter_pipeline.adapters.alerts import AlertConfig
from flutter_pipeline.adapters.landing.config import IntakeConfig
from flutter_pipeline.adapters.retention import RetentionConfig
from flutter_pipeline.adapters.store.numbers import StoreConfig
from flutter_pipeline.candidates.propose import CandidateConfig
from flutter_pipeline.drift.config import DriftConfig
from flutter_pipeline.embeddings.compare.comparison import CompareConfig
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.evaluation.promotion import PromotionConfig
from flutter_pipeline.evaluation.split import BacktestConfig
from flutter_pipeline.filtering.feeds import FeedConfig
from flutter_pipeline.index.config import IndexConfig
from flutter_pipeline.ranking.ranker import DEFAULT_KIND, RANKERS
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.settings import Settings
from flutter_pipeline.text.cleaned import TextConfig

MODELS: dict[str, type[BaseModel]] = {
    "intake": IntakeConfig,
    "text": TextConfig,
    "store": StoreConfig,
    "index": IndexConfig,
    "candidates": CandidateConfig,
    "feeds": FeedConfig,
    "backtest": BacktestConfig,
    "comparison": CompareConfig,
    "promotion": PromotionConfig,
    "drift": DriftConfig,
    "report": ReportConfig,
    "retention": RetentionConfig,
    "alerts": AlertConfig,
}
"""What each section without parts of its own is read as."""


def check_settings(settings: Settings) -> None:
    """Raises ConfigError for the first section that does not fit."""
    for section, model in MODELS.items():
        settings.config(model, section)
    _check_projection(settings)
    for name, encoder in ENCODERS.items():
        settings.config(encoder.config, f"encoders.{name}")
    strange = sorted(set(settings.config(StoreConfig, "store").by_encoder) - set(ENCODERS))
    if strange:
        raise ConfigError(
            f"{settings.data / 'flutter.toml'}: [store.by_encoder] sets {strange[0]!r}, which is "
            f"no encoder; there is {', '.join(ENCODERS)}"
        )
    ranker = settings.section("ranker")
    kind = ranker.pop("kind", DEFAULT_KIND)
    if kind not in list(RANKERS):
        raise ConfigError(
            f"{settings.data / 'flutter.toml'}: [ranker] kind is {kind!r}; "
            f"there is {', '.join(RANKERS)}"
        )
    for name, value in ranker.items():
        if name not in RANKERS or not isinstance(value, dict):
            raise ConfigError(
                f"{settings.data / 'flutter.toml'}: [ranker] knows no {name!r}; "
                f"set `kind`, or one of {', '.join(f'[ranker.{known}]' for known in RANKERS)}"
            )
        settings.config(RANKERS[name].config, f"ranker.{name}")


def _check_projection(settings: Settings) -> None:
    """ConfigError where the report would need UMAP, an extra, and it is not installed."""
    chosen = settings.config(ReportConfig, "report").projection
    if chosen == "umap" and find_spec("umap") is None:
        raise ConfigError(
            f"{settings.data / 'flutter.toml'}: [report] projection is umap, which is not "
            "installed; `pip install umap-learn`, or choose pca or tsne"
        )
