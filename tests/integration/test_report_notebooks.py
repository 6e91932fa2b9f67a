"""The project's own notebooks, run as users run them, and the report made of one."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from msgspec.structs import replace

from tests.support.helpers import baselines_in, hostile_run, plausible_run, with_load
from tests.support.pages import without_own_script
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.core.run import Failure, Run
from veperf.report.pages.render import render_report

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
BROKEN = Failure("raised", "ValueError: planted <b>", "Traceback ...\nValueError: planted <b>")


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """An archive with a good run and one with a regression and a failure; baselines beside it."""
    folder: Path = tmp_path_factory.mktemp("project")
    baselines_in(folder)
    bad = plausible_run(
        seed=2,
        slower={"transaction/decode": 1.5},
        failing={"transaction/encode": BROKEN},
        created="2026-11-24T06:00:00+00:00",
    )
    bad = with_load(_crowded(bad), invalid=[(1, 10_000)])
    for run in (with_load(plausible_run()), bad):
        Archive(folder / "reports").begin(run).complete()
    return folder / "reports"


def _crowded(run: Run) -> Run:
    """``run`` with more cases, thirty when load joins them; the new ones are in no baseline."""
    cases = [case for case in run.cases if case.id == case.benchmark][:10]
    names = {case.id: f"{case.id}_again" for case in cases}
    more = [replace(c, id=names[c.id], benchmark=names[c.id], targets={}) for c in cases]
    return replace(
        run,
        cases=(*run.cases, *more),
        passes=tuple(
            replace(
                pass_,
                results=pass_.results
                + tuple(replace(r, case=names[r.case]) for r in pass_.results if r.case in names),
            )
            for pass_ in run.passes
        ),
    )


def _runs(archive: Path) -> list[Run]:
    return list(Archive(archive).readable_runs())


@pytest.mark.slow
def test_a_report_is_finished_whatever_the_verdict(archive: Path):
    """A run with a slowdown and a failed case gives pages and notebooks, complete and small."""
    run = _runs(archive)[-1]
    folder = archive / run.id

    page = render_report(run, folder, archive.parent / "baselines")
    pages = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.html")}

    assert folder / "index.html" == page
    assert {"index", "transaction", "regression"} == pages.keys()
    for name in pages:
        notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert notebook["metadata"]["veperf"]["executed"]
    assert 30 == len(run.cases)
    assert all(len(html.encode()) < 150_000 for html in pages.values())
    assert all(str(archive) not in html for html in pages.values())
    assert "Could not measure" in pages["index"]
    assert "ValueError: planted &lt;b&gt;" in pages["transaction"]
    assert all(re.search(r"slower</span>", html) for html in pages.values())
    assert all(f'<a href="{other}.html"' in html for html in pages.values() for other in pages)


@pytest.fixture(scope="module")
def page(archive: Path) -> Path:
    """The report of the good run, one of whose misses is known."""
    run = _runs(archive)[0]
    baselines = archive.parent / "baselines"
    return render_report(run, archive / run.id, baselines, known_misses=["transaction/validation"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "transaction", "regression"])
def test_a_report_needs_nothing_but_itself(page: Path, name: str):
    """No script but its own, no address, unique ids, headings without a gap, a strict policy."""
    html = without_own_script(page.with_name(f"{name}.html").read_text(encoding="utf-8"))
    elements = _Page()
    elements.feed(html)
    assert not {"script", "link", "iframe", "img", "object"} & elements.tags
    assert not re.search(r"https?://|url\(|@import", html)
    assert "default-src 'none'" in html
    assert len(elements.ids) == len(set(elements.ids))
    assert all(b - a <= 1 for a, b in zip(elements.headings, elements.headings[1:], strict=False))
    assert 1 == elements.headings.count(1)


@pytest.mark.slow
def test_a_report_tells_what_is_asked_first_first(page: Path):
    """Verdict, targets, which run, changes; then everything, or load and the benchmarks."""
    index = page.read_text(encoding="utf-8")
    suite = page.with_name("transaction.html").read_text(encoding="utf-8")
    first = ("vp-banner", "vp-next", "vp-grid", "vp-facts", ">Failures and changes<")

    for html, order, more in (
        (index, first, (">Everything that was measured<", ">Glossary<")),
        (
            suite,
            ("vp-banner", "vp-next", "vp-facts", ">Findings<"),
            (">Under load<", ">Benchmark by benchmark<", ">Raw figures<"),
        ),
    ):
        body = html.partition("<main>")[2]
        places = [body.index(text) for text in (*order, *more)]
        assert sorted(places) == places


@pytest.mark.slow
def test_a_known_miss_reaches_the_report(page: Path):
    """What the command line calls a known miss is shown as one."""
    assert "known miss</span>" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_report_is_the_same_bytes_each_time(archive: Path, page: Path):
    """Rendering a run again changes nothing in the page."""
    before = {file: file.read_bytes() for file in page.parent.glob("*.html")}
    run = _runs(archive)[0]
    misses = ["transaction/validation"]

    render_report(run, archive / run.id, archive.parent / "baselines", known_misses=misses)

    assert before == {file: file.read_bytes() for file in page.parent.glob("*.html")}


@pytest.mark.slow
def test_a_hostile_run_is_shown_as_text(tmp_path: Path):
    """Names and messages full of markup go through notebook and page as text."""
    run = hostile_run()
    harmless = Archive(tmp_path).begin(replace(run, id="20261123-hostile")).complete()

    page = render_report(harmless, tmp_path / harmless.id)
    pages = {file.stem: file.read_text(encoding="utf-8") for file in page.parent.glob("*.html")}

    assert {"index", "evil", "regression"} == pages.keys()
    assert "&lt;script&gt;alert(1)" in pages["index"]
    for html in pages.values():
        rest = without_own_script(html)
        assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", rest)


@pytest.mark.slow
def test_papermill_itself_measures_with_the_notebook(tmp_path: Path):
    """`papermill notebooks/transaction.ipynb out.ipynb -p ...` measures, keeps and judges a run."""
    done = subprocess.run(
        [
            sys.executable, "-m", "papermill", str(NOTEBOOKS / "transaction.ipynb"), "out.ipynb",
            "-p", "profile", "quick", "-p", "select", "transaction/hash_compute",
            "-p", "archive", "reports", "--no-progress-bar",
        ],
        cwd=tmp_path,
        env=os.environ | {"JUPYTER_PLATFORM_DIRS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr[-2000:]
    (run,) = _runs(tmp_path / "reports")
    assert ["transaction/hash_compute"] == [case.id for case in run.cases]
    notebook_ = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert any("targets" in o.data["text/plain"] for c in notebook_.cells for o in _results(c))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.stem)
def test_the_parameters_of_every_notebook_are_a_cell_of_code(notebook: Path):
    """In markdown, papermill would find none and run the notebook with the wrong ones."""
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]

    assert ["code"] * len(tagged) == [cell.cell_type for cell in tagged]
    assert not any("% tags=" in cell.source for cell in cells)
    assert notebook.stem == "start" or len(tagged) == 1


@pytest.mark.slow
def test_the_notebooks_are_found():
    """The package knows where its notebooks are."""
    assert {"start.ipynb", "transaction.ipynb"} <= {
        p.name for p in paths.notebooks_folder().iterdir()
    }


def _results(cell):
    return [o for o in cell.get("outputs", ()) if o.output_type == "execute_result"]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
