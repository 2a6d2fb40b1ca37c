"""How the report was made: versions, settings, and the commands that print the same figures."""

from html import escape

import pandas as pd

from flutter_pipeline.reports.about import About
from flutter_pipeline.reports.charts import table
from flutter_pipeline.reports.section import Section

LEAD = (
    "The same data, versions and settings make the same report, byte for byte. Each command prints "
    "figures of this page in the terminal."
)

SERVED = "These open while <code>make ui</code> serves at its usual ports, on this machine alone."


def made_section(about: About) -> Section:
    """Versions, links and commands."""
    versions = pd.DataFrame(
        {"what": list(about.versions), "version": list(about.versions.values())}, dtype="str"
    )
    body = table(versions, "What this was made by") if len(versions) else ""
    if about.links:
        lines = "".join(
            f'<li><a href="{escape(address)}" rel="noreferrer">{escape(title)}</a></li>'
            for title, address in about.links.items()
            if address.startswith(("http://", "https://"))
        )
        body += f"<h3>Where else to look</h3><p>{SERVED}</p><ul>{lines}</ul>"
    if about.commands:
        lines = "".join(
            f"<dt>{escape(what)}</dt><dd><code>{escape(command)}</code></dd>"
            for what, command in about.commands.items()
        )
        body += f'<h3>The same in the terminal</h3><dl class="commands">{lines}</dl>'
    return Section("made", "How this was made", LEAD, body)
