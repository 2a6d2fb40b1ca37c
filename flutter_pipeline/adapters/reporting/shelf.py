"""Where reports lie: ``reports/<as_of>/index.html`` in the data folder, each one file, whole.

A comment at its end is the checksum of all before. What is in a report is not known here.
"""

import hashlib
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flutter_pipeline.adapters.landing.config import KEY_FORMATS
from flutter_pipeline.adapters.registry import StageRun
from flutter_pipeline.adapters.store.files import publish_file
from flutter_pipeline.errors import VersionError
from flutter_pipeline.settings import Settings

FILE = "index.html"
ARTEFACT = "report.html"

_SEAL = re.compile(rb"<!-- sha256 ([0-9a-f]{64}) -->\n\Z")


def key_of(as_of: int, settings: Settings) -> str:
    """What the report of a moment (microseconds since 1970) is called, as days and hours are."""
    moment = datetime.fromtimestamp(as_of / 1e6, UTC)
    return moment.strftime(KEY_FORMATS[settings.cadence])


def report_path(data: Path, key: str) -> Path:
    """Where the report ``key`` lies, or will lie. Raises VersionError for what names no folder."""
    # A key may come from the command line; one with a step upwards would lead elsewhere.
    if key != Path(key).name or key in ("", ".", ".."):
        raise VersionError(f"{key!r} names no report; expected a moment such as 2026-01-31")
    return data / "reports" / key / FILE


def log_report(run: StageRun, text: str) -> None:
    """Keep the report as an artefact of the run, too; it is copied, for it is not published yet."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / ARTEFACT
        _write(path, text)
        run.log_file(path)


def reports(data: Path) -> list[str]:
    """The reports that there are, oldest first."""
    return sorted(path.parent.name for path in (data / "reports").glob(f"*/{FILE}"))


def publish_report(data: Path, key: str, text: str, keep: int) -> Path:
    """Write the report, replacing one of the same moment, and forget all but the newest ``keep``.

    A reader sees the old file or the new one, never a part of either.
    """
    path = report_path(data, key)
    publish_file(path, lambda beside: _write(beside, text))
    for old in [name for name in reports(data) if name != key][: -keep + 1 or None]:
        shutil.rmtree(report_path(data, old).parent, ignore_errors=True)
    return path


def find_report(data: Path, key: str | None) -> Path:
    """The report of a moment, or the newest one. Raises VersionError, naming those that exist."""
    known = reports(data)
    if not known:
        raise VersionError(
            f"there is no report in {data} yet; `flutter-pipeline run` makes one, and "
            "`flutter-pipeline report --again` makes it of what is there"
        )
    if key is not None and key not in known:
        raise VersionError(f"there is no report of {key!r}; there is {', '.join(known)}")
    return report_path(data, key or known[-1])


def damage_of_report(path: Path) -> str:
    """What is wrong with the report at ``path``; empty where nothing is.

    One without a checksum, as all were once, passes where its end is there.
    """
    content = path.read_bytes()
    seal = _SEAL.search(content)
    if seal is None:
        whole = content.rstrip().endswith(b"</html>")
        return "" if whole else f"{path} is damaged: its end is missing"
    same = hashlib.sha256(content[: seal.start()]).hexdigest().encode() == seal[1]
    return "" if same else f"{path} is damaged: its checksum differs"


def _write(path: Path, text: str) -> None:
    # Bytes: a text file would have other line ends elsewhere.
    content = text.encode()
    seal = f"<!-- sha256 {hashlib.sha256(content).hexdigest()} -->\n"
    path.write_bytes(content + seal.encode())
