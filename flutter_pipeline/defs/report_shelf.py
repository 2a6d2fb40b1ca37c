"""Where reports lie. Apart from the asset, for Dagster takes nothing else from such a module."""

from pathlib import Path

import dagster as dg

from flutter_pipeline.adapters.reporting.gathering import Report
from flutter_pipeline.adapters.reporting.shelf import find_report, publish_report
from flutter_pipeline.defs.resources import DataFolder
from flutter_pipeline.reports.config import ReportConfig


class ReportManager(dg.ConfigurableIOManager):
    """Reports, each a file in ``reports/<as_of>/``."""

    data: dg.ResourceDependency[DataFolder]

    def handle_output(self, context: dg.OutputContext, obj: Report) -> None:
        """Publish the page, and forget the oldest ones."""
        keep = self.data.settings.config(ReportConfig, "report").keep
        publish_report(self.data.path, obj.key, obj.text, keep)

    def load_input(self, context: dg.InputContext) -> Path:
        """Where the newest page lies. Raises VersionError where there is none."""
        return find_report(self.data.path, None)


@dg.definitions
def where_reports_lie() -> dg.Definitions:
    """The IO manager of reports."""
    return dg.Definitions(resources={"reports": ReportManager(data=DataFolder())})
