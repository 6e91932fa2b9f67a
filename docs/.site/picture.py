"""Make docs/tour.webp, the moving picture of the README: a terminal, a report, an archive's site.

All of it is real: the output of commands on the example's runs, and the pages of `veperf demo` in
Chromium. `python docs/.site/picture.py` makes it again.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "tour.webp"
WIDTH, HEIGHT = 900, 620
MOST_BYTES = 500_000
COLUMNS, LINES = 94, 28
_TERMINAL = """<!doctype html><meta charset=utf-8><style>
body { margin: 0; background: #14171c; color: #dfe3e8; }
pre { font: 14.5px/20px 'DejaVu Sans Mono', monospace; margin: 24px; white-space: pre-wrap; }
b { color: #7cc4ff; font-weight: normal; } .bad { color: #ff8f8f; } .warn { color: #ffd27c; }
.good { color: #8fe0a4; }
</style><pre>%s</pre>"""
_TONES = {"✗": "bad", "▲": "warn", "✓": "good"}


def veperf(*words: str) -> str:
    """Return what a command prints in a terminal of ``COLUMNS`` columns."""
    environment = os.environ | {"COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "veperf", *words]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "Traceback" in done.stderr or not done.stdout:
        raise SystemExit(f"{' '.join(words)} printed nothing: {done.stderr}")
    return done.stdout


def terminal_html(command: str, output: str) -> str:
    """Return a terminal with ``command`` and its output as a page."""
    lines = []
    for line in output.splitlines()[: LINES - 2]:
        symbol = line[:1] if line[:1] in _TONES else ""
        mark = f'<span class="{_TONES[symbol]}">{symbol}</span>' if symbol else ""
        lines.append(mark + escape(line.removeprefix(symbol)))
    return _TERMINAL % "\n".join([f"<b>$ {escape(command)}</b>", *lines])


def frames(page: Page, demo: Path, report: Path) -> Iterator[tuple[Image.Image, int]]:
    """Yield each picture, with how long it is shown in ms."""

    def shot(ms: int) -> tuple[Image.Image, int]:
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB"), ms

    archive = ("--archive", str(demo))
    report_command = "veperf report last"
    output = veperf("report", "last", *archive, "--baselines", str(demo / "baselines"))
    output = output.replace(f"{demo}/", "reports/")
    for typed in range(8, len(report_command) + 1, 5):
        page.set_content(_TERMINAL % f"<b>$ {escape(report_command[:typed])}</b>▮")
        yield shot(110)
    page.set_content(terminal_html(report_command, output))
    yield shot(4200)
    page.goto(report.as_uri())
    yield shot(3000)
    for _ in range(2):
        page.mouse.wheel(0, 480)
        page.wait_for_timeout(300)
        yield shot(2200)
    page.goto((demo / "index.html").as_uri())
    yield shot(2600)
    if (benchmarks := demo / "site" / "benchmarks.html").exists():
        page.goto(benchmarks.as_uri())
        yield shot(2600)


def main() -> None:
    """Write the picture; end where it would be too large."""
    from veperf.report.demo import make_demo

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Path(folder) / "reports"
        report = make_demo(demo).report
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        pictures = list(frames(page, demo, report))
        browser.close()
    first, *others = [picture for picture, _ in pictures]
    content = io.BytesIO()
    first.save(
        content, "WEBP", save_all=True, append_images=others, duration=[ms for _, ms in pictures],
        loop=0, quality=60, method=6,
    )  # fmt: skip
    if len(content.getvalue()) > MOST_BYTES:
        raise SystemExit(f"{len(content.getvalue()):,} bytes are more than {MOST_BYTES:,}")
    PICTURE.write_bytes(content.getvalue())
    print(
        f"{PICTURE.relative_to(ROOT)}: {len(pictures)} pictures, {PICTURE.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
