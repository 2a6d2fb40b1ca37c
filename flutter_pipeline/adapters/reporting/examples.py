"""The sections that show examples: the map of flits, words with their neighbours, and feeds."""

from flutter_pipeline.adapters.reporting.clouds import READ, mapped, topics_of, unmapped
from flutter_pipeline.adapters.reporting.facts import moment_of
from flutter_pipeline.adapters.reporting.feeds import exemplary
from flutter_pipeline.adapters.reporting.newest import newest_rows
from flutter_pipeline.adapters.store.releases import Release
from flutter_pipeline.adapters.store.tables import TableStore
from flutter_pipeline.adapters.store.versions import VersionStore
from flutter_pipeline.reports.analogies import word_vectors
from flutter_pipeline.reports.config import ReportConfig
from flutter_pipeline.reports.example_feeds import feeds_section
from flutter_pipeline.reports.section import Section
from flutter_pipeline.reports.words import words_section
from flutter_pipeline.settings import Settings

WORDS_BY = "cbow"
"""The encoder that has a vector of every word."""
ASKED = 14
"""Topics of which a word is asked for its neighbours."""


def pictured(settings: Settings, config: ReportConfig, release: Release | None) -> list[Section]:
    """What is stored by ``release``; without one, sections that say so.

    Raises VersionError where nothing has run yet.
    """
    if release is None:
        return [unmapped(), words_section(None, ()), feeds_section(())]
    as_of = moment_of(settings)
    return [
        mapped(settings, config, release, as_of),
        neighbourhoods(settings, config, release),
        exemplary(settings, config, release, as_of),
    ]


def neighbourhoods(settings: Settings, config: ReportConfig, release: Release) -> Section:
    """The words of the CBOW version that serves; asked for are those that tell topics apart."""
    if WORDS_BY not in release.encoders:
        return words_section(None, ())
    from flutter_pipeline.embeddings.cbow.encoder import load_cbow

    models = VersionStore(settings.data / "models")
    encoder = load_cbow(models.open(f"{WORDS_BY}_model", release.encoders[WORDS_BY]).state)
    flits = newest_rows(TableStore(settings.data / "tables"), config.map_flits, READ)
    topics = topics_of(settings, config, release, flits, ASKED)
    words = [topic[0] for topic in dict.fromkeys(topics) if topic]
    return words_section(word_vectors(encoder.vocabulary.words, encoder.vectors), words)
