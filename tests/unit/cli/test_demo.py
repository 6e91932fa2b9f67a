"""`veperf demo`: pages from runs that come with veperf."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from veperf.cli.main import veperf
from veperf.core import paths


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    for _ in range(2):  # a second call finds the files of the first
        result = CliRunner().invoke(veperf, ["demo", "--folder", str(folder)])
        assert 0 == result.exit_code, result.output
    printed = re.findall(r"^(?:report|site): +(\S+)$", result.output, re.MULTILINE)
    assert [next(folder.glob("2*/index.html")), folder / "index.html"] == [*map(Path, printed)]
    return folder


def test_the_demo_shows_what_was_planted(folder: Path) -> None:
    """The step in the report, on the site's first page and among the regressions; the drift, too.

    And what a commit did: its core made trees ten times as fast.
    """
    report, site = next(folder.glob("2*/index.html")), folder / "index.html"
    regressions = (folder / "site" / "regressions.html").read_text()

    for page in (report.read_text(), site.read_text(), regressions):
        assert re.search(r"example/quote.{0,400}slower|slower.{0,200}example/quote", page, re.S)
    for page in (site.read_text(), regressions):
        assert re.search(r"Slowly getting worse.{0,900}example/pending</a>", page, re.S)
    assert re.search(r"example/tree</a>.{0,200}faster.{0,900}\.\.97e009a700", regressions, re.S)


def test_every_run_of_the_demo_is_linked_and_of_a_commit(folder: Path) -> None:
    """At least twelve, of commits of this repository's history; each leads to its figures."""
    runs = (folder / "index.html").read_text().rpartition("<h2>All runs</h2>")[2].split("<tr>")[2:]

    assert 12 <= len(runs)
    assert all(re.search(r'data-name="Run"><a href="[^"]+">', run) for run in runs)
    commits = [re.findall(r'data-name="Commit">([0-9a-f]{10})<', run) for run in runs]
    assert 12 <= len({commit for (commit,) in commits})


def test_every_link_of_the_demo_leads_to_a_file(folder: Path) -> None:
    """From the site to the report, back, and to the files of the run; none leads elsewhere."""
    for page in sorted(folder.rglob("*.html")):
        links = re.findall(r'href="([^"#]+)', page.read_text())
        assert links
        assert [] == [link for link in links if not (page.parent / link).is_file()]


def test_the_demo_names_no_host_and_is_small() -> None:
    """What the wheel holds of it: under 1.7 MB, without paths of the machine that measured."""
    files = [path for path in paths.example_folder().rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 1_700_000
    assert [] == [
        path.name
        for path in files
        if re.search(rb"/(?:home|root|work|tmp|Users)/|localhost", path.read_bytes())
    ]
