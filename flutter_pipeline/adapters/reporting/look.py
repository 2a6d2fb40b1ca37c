"""What draws a report: the style sheet and the script beside the page's code, and Vega itself.

Vega comes with ``vl-convert-python``, bundled into one script, so no report asks the network.
"""

from functools import cache
from importlib.resources import files

from flutter_pipeline.reports.page import Look


@cache
def look() -> Look:
    """Read once; bundling Vega takes a second."""
    import vl_convert

    folder = files("flutter_pipeline.reports")
    return Look(
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        vega=vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"),
    )
