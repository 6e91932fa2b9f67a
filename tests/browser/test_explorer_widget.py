"""The explorer in JupyterLab, as people use it: picked, brushed, read from Python, followed."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from msgspec.structs import replace

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.test_jupyterlab import CONTRASTS, READY, TO_OPEN_S, jupyterlab
from tests.support.ab_runs import ab_run, change
from tests.support.clone import clone
from tests.support.helpers import HOSTILE, plausible_run
from tests.support.runs import timed_run
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.core.verdict import ChangeStatus, Severity

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# Runs code in the notebook's kernel, and returns what it prints.
IN_KERNEL = """async code => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  let text = '';
  future.onIOPub = message => { text += message.content.text ?? ''; };
  await future.done;
  return text.trim();
}"""


def in_kernel(page: "Page", expression: str) -> str:
    """The value of a Python expression in the notebook, as text."""
    text: str = page.evaluate(IN_KERNEL, f"print({expression})")
    return text


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project whose archive has two runs and a comparison, and a notebook that explores it."""
    project = clone(tmp_path_factory.mktemp("project"))
    archive = Archive(project / "reports")
    archive.save(plausible_run(seed=1, created="2026-11-20T06:00:00+00:00"))
    archive.save(plausible_run(seed=2, slower={"transaction/decode": 1.4}))
    slower = change("transaction/sign", ChangeStatus.SLOWER, ratio=1.2, severity=Severity.FAIL)
    save_ab(archive.storage, ab_run(change("transaction/encode", ChangeStatus.OK), slower))
    cell = nbformat.v4.new_code_cell("import veperf\nexplorer = veperf.explore()\nexplorer")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (project / "lab").mkdir()
    nbformat.write(
        nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}),
        project / "lab" / "explore.ipynb",
    )
    return project


@pytest.fixture(scope="module")
def page(chromium, project, tmp_path_factory) -> "Iterator[Page]":
    """The notebook in JupyterLab, with the explorer in its cell."""
    with jupyterlab(project, tmp_path_factory.mktemp("home")) as address:
        context = chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")), executable_path=CHROMIUM, args=FLAGS
        )
        page = context.new_page()
        page.set_viewport_size({"width": 1300, "height": 1600})
        page.goto(address.replace("start.ipynb", "explore.ipynb"))
        page.wait_for_function(READY, timeout=TO_OPEN_S * 1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.locator(".vpx-plot").wait_for(timeout=TO_OPEN_S * 1000)
        yield page
        context.close()


@pytest.fixture
def explorer(page) -> "Locator":
    """The explorer, as wide as usual, on the samples of a run."""
    page.set_viewport_size({"width": 1300, "height": 1600})
    root: Locator = page.locator(".vpx")
    root.get_by_role("tab", name="Samples").click()
    root.locator(".vpx-plot").wait_for()
    return root


def test_what_is_picked_and_brushed_is_in_python(page, explorer):
    """By pointer: a benchmark, then some of its samples, which the kernel has as a frame."""
    item = explorer.locator(".vpx-verdict li button").nth(1)
    name = item.locator("b").inner_text()
    item.click()
    explorer.get_by_role("heading", name=name.split(",")[0], exact=True).wait_for()
    explorer.locator(".vpx-plot").wait_for()
    box = explorer.locator(".vpx-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 90, steps=4)
    page.mouse.up()
    caption = explorer.locator(".vpx-details caption").inner_text()

    assert name.split(",")[0] == in_kernel(page, "explorer.benchmark")
    assert caption.split()[0] == in_kernel(page, "len(explorer.selected)")
    assert 0 < int(caption.split()[0]) < 30


def test_the_explorer_works_by_keys(page, explorer):
    """Samples are walked and brushed, Escape lets them go, and tabs are walked."""
    explorer.get_by_role("tab", name="Samples").click()
    explorer.locator(".vpx-plot").focus()
    for key in ("Home", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    explorer.get_by_text("3 samples of").wait_for()
    brushed = in_kernel(page, "explorer.selected['order'].tolist()")
    explorer.locator(".vpx-plot").focus()
    page.keyboard.press("Escape")
    explorer.locator(".vpx-details caption").wait_for(state="detached")
    explorer.get_by_role("tab", name="Samples").focus()
    page.keyboard.press("ArrowRight")
    explorer.get_by_text("process, in order of measuring").wait_for()

    assert "[0, 1, 2]" == brushed
    assert "[] processes" == in_kernel(page, "explorer.brush, explorer.view").translate(
        str.maketrans("", "", "(),'")
    )


def test_what_python_picks_is_shown(page, explorer):
    """A trait that is set in a cell."""
    page.evaluate(IN_KERNEL, "explorer.view = 'distribution'")
    explorer.get_by_text("share of samples up to it").wait_for()
    page.evaluate(IN_KERNEL, "explorer.view = 'samples'")
    explorer.get_by_text("sample, in order of measuring").wait_for()


def test_a_run_is_followed_while_the_kernel_is_busy(page, explorer, project):
    """Process by process, as a cell that measures has the kernel; hostile names stay text."""
    run = timed_run({f"evil/{HOSTILE}": [100.0, 101.0, 102.0]}, id="20991201-000000-abc1234")
    explorer.get_by_label("Follow a run that is going on").check()
    with Archive(project / "reports").begin(replace(run, passes=())) as writer:
        page.evaluate(f"code => void ({IN_KERNEL})(code)", "import time; time.sleep(8)")
        for done, pass_ in enumerate(run.passes[:2], 1):
            writer.add(pass_, {})
            explorer.get_by_text(f"{done} of 3 processes are done").wait_for()
        heading = explorer.get_by_role("heading").first.inner_text()
        writer.add(run.passes[2], {})
        explorer.get_by_text("processes are done").wait_for(state="detached")
        writer.complete()
    explorer.get_by_label("Follow a run that is going on").uncheck()

    assert "alert(1)" in heading
    assert 0 == explorer.locator("script, img").count()
    assert "False" == in_kernel(page, "explorer.following")
    assert run.id == in_kernel(page, "explorer.runs[0]")


def test_the_explorer_fits_a_narrow_notebook(page, explorer):
    """Nothing of it is wider than the cell; tables scroll in their frames."""
    page.set_viewport_size({"width": 700, "height": 6000})
    page.wait_for_function(
        "() => { const e = document.querySelector('.vpx'); "
        "return e.clientWidth < 400 && e.scrollWidth <= e.clientWidth; }"
    )


def test_a_picture_is_as_wide_as_its_place(page, explorer):
    """Its texts are of 11 px, though the table behind it brings the style of reports."""
    wide, place, size = page.evaluate(
        "(() => { const plot = document.querySelector('.vpx-plot'); return [plot.clientWidth,"
        " plot.parentElement.clientWidth, getComputedStyle(plot.querySelector('text')).fontSize];"
        " })()"
    )

    assert place > 500  # wider than a picture in a report
    assert wide == place
    assert "11px" == size


def test_from_a_verdict_to_pairs_and_their_samples(page, explorer):
    """The comparison opens on its worst benchmark; a pair that is picked shows its samples."""
    explorer.get_by_label("Verdict of").select_option(index=1)
    explorer.get_by_label("Samples of pair 1", exact=True).wait_for()
    explorer.get_by_label("Pair", exact=True).select_option("2")
    explorer.get_by_label("Samples of pair 3", exact=True).wait_for()
    picked = in_kernel(page, "explorer.benchmark")
    explorer.get_by_role("button", name="To the code").click()
    explorer.get_by_text('veperf.cpu.profile("transaction/sign")').wait_for()
    explorer.get_by_label("Verdict of").select_option(index=0)

    assert "transaction/sign" == picked


@pytest.mark.parametrize(("theme", "light"), [("Dark", "false"), ("Light", "true")])
def test_the_explorer_follows_the_theme(page, explorer, theme, light):
    """Its texts have a contrast of 4.5 or more to their paper, by day and by night."""
    page.evaluate(
        f"jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
    )
    page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
    contrasts = page.evaluate(CONTRASTS)

    assert len(contrasts) > 10
    assert [] == [(text, contrast) for text, contrast in contrasts if contrast < 4.5]


def test_a_saved_notebook_shows_the_table(page, explorer):
    """Hidden while the widget lives; opened with another kernel it is there, with what to do."""
    table = page.get_by_text("As it was saved.")
    assert not table.is_visible()

    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.reload()
    table.wait_for(timeout=TO_OPEN_S * 1000)
    page.get_by_text("model not found").wait_for(timeout=TO_OPEN_S * 1000)

    assert table.is_visible()
    assert page.locator(".jp-OutputArea table").first.is_visible()
    assert 0 == page.locator(".vpx").count()
