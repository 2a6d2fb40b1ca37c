"""The project as Dagster sees it: everything that is defined under ``defs/``."""

from pathlib import Path

import dagster as dg

from flutter_pipeline.settings import prepare_environment

prepare_environment()


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, checks, jobs, schedules, sensors and resources."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
