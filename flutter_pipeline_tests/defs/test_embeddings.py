"""Where the models stand in the graph, and what they are given."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.encoding import Known
from flutter_pipeline.defs.embeddings import refuse_unread_likes
from flutter_pipeline.embeddings.bert.config import BertConfig
from flutter_pipeline.embeddings.encoders import ENCODERS
from flutter_pipeline.errors import ConfigError
from flutter_pipeline_tests.conftest import PROJECT

LOOK = """
import json
from flutter_pipeline.definitions import defs
graph = defs().resolve_asset_graph()
above = {
    key.to_user_string(): sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
    for key in graph.get_all_asset_keys()
}
print(json.dumps({name: above[name] for name in above if name.endswith("_model")}))
"""


def above_models(data: Path, toml: str) -> dict[str, list[str]]:
    """What each model stands below, as another process sees it with these settings."""
    (data / "flutter.toml").write_text(toml)
    ended = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={**os.environ, "FLUTTER_DATA": str(data)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("toml", "above_bert"),
    [
        ("", ["cleaned_tokens"]),
        ("[encoders.bert]\nwhiten = 64\n", ["cleaned_tokens"]),
        ("[encoders.bert.fine_tune]\non = true\n", ["cleaned_tokens", "raw_engagements"]),
    ],
)
def test_a_model_stands_below_the_engagements_only_where_it_learns_from_likes(
    tmp_path: Path, toml: str, above_bert: list[str]
):
    above = above_models(tmp_path, toml)
    assert above["bert_model"] == above_bert
    assert above["tfidf_model"] == ["cleaned_tokens"]


def test_likes_that_only_one_run_asks_for_are_refused_with_the_way_out():
    nothing = pd.DataFrame()
    asked = BertConfig.model_validate({"fine_tune": {"on": True}})
    with pytest.raises(ConfigError, match=r"ask for it in \[encoders\.bert\] of flutter\.toml"):
        refuse_unread_likes(ENCODERS["bert"], asked, Known(nothing))
    refuse_unread_likes(ENCODERS["bert"], asked, Known(nothing, nothing))
    refuse_unread_likes(ENCODERS["bert"], BertConfig(), Known(nothing))
