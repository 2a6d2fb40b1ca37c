"""What is refused before a run changes anything."""

from pathlib import Path

import pytest

from flutter_pipeline.adapters import settings_check
from flutter_pipeline.adapters.settings_check import check_settings
from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings


@pytest.mark.parametrize("installed", [True, False])
def test_a_projection_that_is_not_installed_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(settings_check, "find_spec", lambda _: object() if installed else None)
    check_settings(Settings(tmp_path, sections={"report": {"projection": "tsne"}}))
    wanting = Settings(tmp_path, sections={"report": {"projection": "umap"}})
    if installed:
        check_settings(wanting)
        return
    with pytest.raises(ConfigError, match=r"umap, which is not installed; `pip install umap"):
        check_settings(wanting)
