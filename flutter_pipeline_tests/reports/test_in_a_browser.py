"""The page in a real browser: nothing goes wrong, nothing is asked for, nothing runs over."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from flutter_pipeline.adapters.reporting.look import look
from flutter_pipeline.reports.charts import chart, table
from flutter_pipeline.reports.intervals import DotsConfig, Figure, Line, dots
from flutter_pipeline.reports.page import Title, page
from flutter_pipeline.reports.section import Section
from flutter_pipeline_tests.reports.small_reports import EVIL

BROWSER = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed here")

PHONE = 390
MEASURE = """
const wait = setInterval(() => {
  const root = document.documentElement;
  if (!root.dataset.drawn) return;
  clearInterval(wait);
  const width = Math.max(root.scrollWidth, document.body.scrollWidth);
  parent.postMessage({ width, window: root.clientWidth, drawn: root.dataset.drawn }, "*");
}, 20);
"""
# A window is never narrower than 500 pixels, so the phone is a frame in one.
FRAME = f"""<html><head></head><body><script>
addEventListener("message", ({{ data }}) => Object.assign(document.documentElement.dataset, data));
</script><iframe src="measured.html" width="{PHONE}" height="900" frameborder="0"></iframe>
</body></html>"""


def opened(file: Path, width: int, *switches: str) -> tuple[str, str]:
    """The page after its scripts have run, and what the browser had to say."""
    ended = subprocess.run(
        [
            *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={file.parent / 'profile'}", f"--window-size={width},2000"),
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=10000", *switches),
            *("--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ended.stdout, "\n".join(line for line in ended.stderr.splitlines() if "CONSOLE" in line)


def told(dom: str) -> dict[str, str]:
    """What the page's scripts have noted on its root."""
    root = dom[dom.index("<html") : dom.index("<head>")]
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', root))


def on_a_phone(file: Path) -> dict[str, str]:
    """How wide the page is on a phone (`width`), and the phone (`window`)."""
    text = file.read_text(encoding="utf-8")
    # The policy allows no further script; without it the page is the same.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    measured = file.with_name("measured.html")
    # The last one: Vega's script speaks of bodies, too.
    before, end, after = text.rpartition("</body>")
    measured.write_text(f"{before}<script>{MEASURE}</script>{end}{after}", encoding="utf-8")
    phone = file.with_name("phone.html")
    phone.write_text(FRAME)
    return told(opened(phone, 600)[0])


def report() -> str:
    """Charts, a table that is too wide for a phone, and what birds call themselves."""
    wide = pd.DataFrame({f"column number {n}": [EVIL, "x" * 200] for n in range(9)})
    lines = [Line(f"{EVIL} {n}", Figure(n / 9, n / 10, n / 8)) for n in range(1, 8)]
    values = [{"a": EVIL, "b": n} for n in range(9)]
    select = {"name": "chosen", "value": 1, "bind": {"input": "select", "options": [1, 2]}}
    bars = {
        "data": {"values": values},
        "params": [select],
        "width": "container",
        "height": 90,
        "mark": {"type": "bar", "color": "@first"},
        "encoding": {
            "x": {"field": "a", "type": "nominal"},
            "y": {"field": "b", "type": "quantitative"},
        },
    }
    sections = [
        Section("first", EVIL, EVIL, dots(lines, EVIL, DotsConfig(value=EVIL))),
        Section("second", "Bars", "a lead", chart(bars, EVIL)),
        Section("third", "Table", "a lead", table(wide, EVIL)),
    ]
    return page(Title(EVIL, EVIL), sections, look())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(report(), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [(), ("--blink-settings=preferredColorScheme=0",)])
def test_every_chart_is_drawn_and_nothing_is_said_on_the_console(file: Path, dark: tuple[str, ...]):
    dom, console = opened(file, 1200, *dark)
    assert console == ""
    assert told(dom) == {"drawn": "2"}
    assert len(re.findall('<svg[^>]*class="marks"', dom)) == 2


def test_what_birds_write_never_runs(file: Path):
    dom, _ = opened(file, 1200)
    assert "evil" not in told(dom)


def test_nothing_would_run_even_where_it_was_not_escaped(tmp_path: Path):
    path = tmp_path / "index.html"
    evil = "<script>document.documentElement.dataset.evil = 1</script>"
    path.write_text(page(Title("t", ""), [Section("a", "A", "", evil)], look()), encoding="utf-8")
    dom, console = opened(path, 800)
    assert "evil" not in told(dom) and "Content Security Policy" in console


def test_nothing_is_asked_of_the_network(file: Path, tmp_path: Path):
    log = tmp_path / "net.json"
    opened(file, 800, f"--log-net-log={log}", "--host-resolver-rules=MAP * ~NOTFOUND")
    # The browser itself may look for updates; the page would name its own origin.
    assert not re.findall(r'"initiator":"file', log.read_text(errors="replace"))
    loads = re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', file.read_text(encoding="utf-8"))
    assert loads == []


def test_nothing_runs_over_on_a_phone(file: Path):
    assert on_a_phone(file) == {"width": str(PHONE), "window": str(PHONE), "drawn": "2"}


def test_a_page_is_small_enough_to_send(file: Path):
    assert file.stat().st_size < 5e6
