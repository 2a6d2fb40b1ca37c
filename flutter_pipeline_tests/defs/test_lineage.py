import dagster as dg
import pytest

from flutter_pipeline.contracts.drift import DRIFT_REPORT
from flutter_pipeline.contracts.results import (
    BIRD_INTERESTS,
    CANDIDATES,
    EMBEDDING_COMPARISON,
    OFFLINE_EVALUATION,
)
from flutter_pipeline.contracts.tables import (
    CLEANED_TOKENS,
    ENGAGEMENTS,
    FLITS,
    RANKED_CANDIDATES,
)
from flutter_pipeline.definitions import defs
from flutter_pipeline.defs.lineage import LINEAGE, lineage_of, told_of

TABLES = {
    "raw_flits": FLITS,
    "raw_engagements": ENGAGEMENTS,
    **{
        table.name: table
        for table in (
            CLEANED_TOKENS,
            BIRD_INTERESTS,
            CANDIDATES,
            RANKED_CANDIDATES,
            OFFLINE_EVALUATION,
            EMBEDDING_COMPARISON,
            DRIFT_REPORT,
        )
    },
}


@pytest.mark.parametrize("table", LINEAGE)
def test_columns_and_what_they_come_from_exist(table: str):
    for column, sources in LINEAGE[table].items():
        assert column in TABLES[table].names
        for asset, name in sources:
            assert name in TABLES[asset].names


@pytest.mark.parametrize("table", LINEAGE)
def test_columns_come_from_assets_upstream(table: str):
    graph = defs().resolve_asset_graph()
    key = dg.AssetKey(table)
    above = {one.to_user_string() for one in graph.get_ancestor_asset_keys(key)}
    assert {asset for told in LINEAGE[table].values() for asset, _ in told} <= above


def test_an_asset_that_tells_no_columns_has_no_lineage():
    assert lineage_of("network") == {}
    [deps] = [lineage_of("ranked_candidates")["dagster/column_lineage"].deps_by_column["score"]]
    assert [(one.asset_key.path, one.column_name) for one in deps] == [(["candidates"], "fused")]


def test_what_a_column_comes_from_is_told_in_words_too():
    assert told_of("cleaned_tokens", "lang") == " From raw_flits.lang, raw_flits.text."
    assert told_of("cleaned_tokens", "no such column") == told_of("network", "flit_id") == ""
