import logging
import subprocess
import sys

import pytest

from flutter_pipeline.adapters.measure import AssetLine
from flutter_pipeline.cli.stage_lines import HEADER, StageLines

LOG = logging.getLogger("a test of stage lines")


def told(lines: StageLines, *assets: AssetLine | str) -> None:
    LOG.handlers, LOG.propagate = [lines], False
    LOG.setLevel(logging.INFO)
    for asset in assets:
        if isinstance(asset, str):
            LOG.info(asset)
        else:
            LOG.info("line of %s", asset.name, extra={"asset": asset})
    lines.close_off()


def test_a_stage_is_one_line_once_all_of_it_is_made(capsys: pytest.CaptureFixture[str]):
    told(
        StageLines({"text": 1, "embeddings": 2}),
        AssetLine("cbow_model", "embeddings", 2.0, 800.0),
        AssetLine("cleaned_tokens", "text", 0.4, 600.0),
        AssetLine("cbow_embeddings", "embeddings", 0.5, 1200.0),
    )
    assert capsys.readouterr().out.splitlines() == [
        HEADER,
        "text           1 asset      0.4 s      600 MB",
        "embeddings    2 assets      2.5 s    1,200 MB   cbow_model 2.0",
        "all           3 assets      2.9 s    1,200 MB",
    ]


def test_a_stage_that_was_cut_off_says_so(capsys: pytest.CaptureFixture[str]):
    told(StageLines({"index": 3}), AssetLine("bert_index", "index", 0.1, 100.0))
    assert "unfinished" in capsys.readouterr().out.splitlines()[1]


def test_what_is_no_asset_is_shown_at_once(capsys: pytest.CaptureFixture[str]):
    told(StageLines({"text": 1}), "MLflow is away\x1b[2J")
    assert capsys.readouterr().out == f"{HEADER}\nMLflow is away\ufffd[2J\n"


def test_every_asset_can_have_its_own_line(capsys: pytest.CaptureFixture[str]):
    told(StageLines({"text": 1}, each_asset=True), AssetLine("cleaned_tokens", "text", 0.4, 600.0))
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "line of cleaned_tokens"
    assert not any(line.startswith("text") for line in shown)


def test_nothing_is_said_where_nothing_was_made(capsys: pytest.CaptureFixture[str]):
    told(StageLines({"text": 1}))
    assert capsys.readouterr().out == f"{HEADER}\n"


def test_the_commands_load_no_assets_before_they_know_whose_they_are():
    code = (
        "import sys, flutter_pipeline.cli.running; "
        "assert 'flutter_pipeline.defs.following' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
