"""JupyterLab as people use it: started for real, in a browser, on the project's own notebooks."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.test_report_page import CHROMIUM, FLAGS
from tests.helpers import baselines_in, plausible_run
from veperf.archive import Archive

ROOT = Path(__file__).parents[2]
TO_OPEN_S, TO_RUN_S = 60, 120

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# What the page's own model of the notebook says; cells out of sight are not in the document.
STATE = """() => {
  const panel = jupyterapp.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  const cells = (panel?.content?.widgets ?? []).filter(c => c.model.type === 'code');
  return {
    name: panel?.context?.path ?? '',
    ready: kernel?.connectionStatus === 'connected' && kernel?.status === 'idle',
    counts: cells.map(c => c.model.executionCount),
    outputs: cells.map(c => c.model.outputs.toJSON()),
  };
}"""
DONE = f"""() => {{
  const state = ({STATE})();
  const failed = state.outputs.flat().some(o => o.output_type === 'error');
  return state.ready && (failed || state.counts.every(n => n !== null));
}}"""
READY = f"() => {{ const s = ({STATE})(); return s.ready && s.counts.length > 0; }}"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A clone of the working tree, as one commit, with two runs in its archive."""
    folder: Path = tmp_path_factory.mktemp("project")
    for name in ("veperf", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    (folder / "data").mkdir()
    baselines_in(folder / "data")
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all of it"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    archive = Archive(folder / "reports")
    archive.keep(plausible_run())
    slower = {"transaction/decode": 1.4}
    archive.keep(plausible_run(seed=2, slower=slower, created="2026-11-24T06:00:00+00:00"))
    return folder


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
        said = []
        for line in lab.stderr:
            said.append(line)
            if found := re.search(r"http://(?:localhost|127\.0\.0\.1):\S+", line):
                yield found[0]
                break
        else:
            pytest.fail("".join(said))
    finally:
        lab.terminate()
        lab.communicate(timeout=30)


@pytest.fixture(scope="module")
def address(project, tmp_path_factory) -> Iterator[str]:
    """Of a JupyterLab that runs."""
    with jupyterlab(project, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def page(address, tmp_path) -> Iterator[object]:
    """A browser's page with an empty profile."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        context = p.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1300, "height": 1000},
        )
        yield context.new_page()
        context.close()


def test_the_start_notebook_runs_to_its_end(page, address):
    """What `veperf lab` opens runs by "Run All Cells": no error, and no request elsewhere."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_function(READY, timeout=TO_OPEN_S * 1000)
    pop_ups = page.locator(".Toastify__toast").count()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=TO_RUN_S * 1000)
    state = page.evaluate(STATE)

    assert "notebooks/start.ipynb" == state["name"]
    assert [] == [o for out in state["outputs"] for o in out if o["output_type"] == "error"]
    assert list(range(1, len(state["counts"]) + 1)) == state["counts"]
    assert all(state["outputs"][1:])
    assert 0 == pop_ups
    host = re.match(r"http://[^/]+/", address)
    assert host is not None
    ours = (host[0], host[0].replace("http", "ws", 1), "data:", "blob:")
    assert [] == [url for url in requests if not url.startswith(ours)]
