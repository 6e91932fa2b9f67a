"""JupyterLab as people use it: started for real, in a browser, on the project's own notebooks."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.support.clone import clone
from veperf.archive.store import Archive

if TYPE_CHECKING:
    from playwright.sync_api import Page

TO_OPEN_S, TO_RUN_S = 60, 300

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# What the page's own model of the notebook says; cells out of sight are not in the document.
STATE = """() => {
  const panel = globalThis.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  const cells = (panel?.content?.widgets ?? []).filter(c => c.model.type === 'code');
  return {
    name: panel?.context?.path ?? '',
    ready: kernel?.connectionStatus === 'connected' && kernel?.status === 'idle',
    counts: cells.map(c => c.model.executionCount),
    sources: cells.map(c => c.model.sharedModel.source),
    outputs: cells.map(c => c.model.outputs.toJSON()),
  };
}"""
DONE = f"""() => {{
  const state = ({STATE})();
  const failed = state.outputs.flat().some(o => o.output_type === 'error');
  return state.ready && (failed || state.counts.every(n => n !== null));
}}"""
# Contrast by WCAG 2.1 of the text of our parts against the first background behind it.
CONTRASTS = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number)
    .map((n, i) => text.startsWith('color(srgb') && i < 3 ? n * 255 : n);
  const luminance = rgb => {
    const [r, g, b] = rgb.slice(0, 3).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('.vp :is(p, th, td, span, small, b, h3)')]
    .filter(e => e.textContent.trim() && e.checkVisibility())
    .map(e => {
      const [light, dim] = [parts(getComputedStyle(e).color), paper(e)].map(luminance)
        .sort((a, b) => b - a);
      return [e.textContent.slice(0, 40), (light + 0.05) / (dim + 0.05)];
    });
}"""
READY = f"() => {{ const s = ({STATE})(); return s.ready && s.counts.length > 0; }}"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A fresh clone, in which nothing was measured yet."""
    return clone(tmp_path_factory.mktemp("project"))


@contextmanager
def jupyterlab(project: Path, home: Path) -> Iterator[str]:
    """`veperf lab` in ``project``; the address that it prints."""
    (home / ".jupyter").mkdir(parents=True)
    config = {"LabApp": {"expose_app_in_browser": True}}
    (home / ".jupyter" / "jupyter_lab_config.json").write_text(json.dumps(config))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "VEPERF"))}
    environment |= {"HOME": str(home), "PYTHONPATH": str(project)}
    lab = subprocess.Popen(
        [sys.executable, "-m", "veperf", "lab", "--no-browser", "--port", "0"],
        cwd=project,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert lab.stderr is not None
    try:
        lines = []
        for line in lab.stderr:
            lines.append(line)
            if match := re.search(r"http://(?:localhost|127\.0\.0\.1):\S+", line):
                yield match[0]
                break
        else:
            pytest.fail("".join(lines))
    finally:
        lab.terminate()
        lab.communicate(timeout=30)


class Ran(NamedTuple):
    """The start notebook after "Run All Cells", still open."""

    address: str
    page: "Page"
    state: dict[str, Any]
    requests: list[str]
    pop_ups: int


@pytest.fixture(scope="module")
def ran(chromium, project, tmp_path_factory) -> Iterator[Ran]:
    """What `veperf lab` opens, run by the menu in a browser with an empty profile."""
    with jupyterlab(project, tmp_path_factory.mktemp("home")) as address:
        context = chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1300, "height": 1000},
        )
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        page.wait_for_function(READY, timeout=TO_OPEN_S * 1000)
        pop_ups = page.locator(".Toastify__toast").count()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function(DONE, timeout=TO_RUN_S * 1000)
        yield Ran(address, page, page.evaluate(STATE), requests, pop_ups)
        context.close()


def test_every_cell_of_the_start_notebook_runs(ran, project):
    """In a fresh clone: no error, and each cell shows something; what it needs is measured."""
    state = ran.state
    silent = [s for s, out in zip(state["sources"], state["outputs"], strict=True) if not out]

    assert "lab/start.ipynb" == state["name"]
    assert [] == [o for out in state["outputs"] for o in out if o["output_type"] == "error"]
    assert list(range(1, len(state["counts"]) + 1)) == state["counts"]
    assert all(source.startswith(("import veperf", "%load_ext")) for source in silent)
    assert 2 == len(Archive(project / "reports").ids())


def test_nothing_is_asked_of_anybody_else(ran):
    """Every request of the page goes to the server itself; no pop-up asks whether it may."""
    host = re.match(r"http://[^/]+/", ran.address)
    assert host is not None
    allowed = (host[0], host[0].replace("http", "ws", 1), "data:", "blob:")

    assert [] == [url for url in ran.requests if not url.startswith(allowed)]
    assert 0 == ran.pop_ups


@pytest.mark.parametrize(("theme", "light"), [("Light", "true"), ("Dark", "false")])
def test_results_follow_the_theme(ran, theme, light):
    """Text of our parts has a contrast of 4.5 or more to its paper, by day and by night."""
    page = ran.page
    page.set_viewport_size({"width": 1300, "height": 6000})
    page.evaluate(
        f"jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
    )
    page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
    page.locator(".vp-flame").wait_for()
    contrasts = page.evaluate(CONTRASTS)

    assert len(contrasts) > 100
    assert [] == [(text, contrast) for text, contrast in contrasts if contrast < 4.5]
