"""The script of the pages: its size, its policy, and its own tests by node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.pages import without_own_script
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.report.html.page import html_page
from veperf.report.html.script import page_script
from veperf.report.pages.render import render_report

NODE = shutil.which("node")
TESTS = sorted(Path(__file__).parent.glob("*.test.cjs"))


@pytest.mark.parametrize("body", ["", 'data-values="1"', '<div class="vp-compare">'])
def test_the_script_is_small_and_ends_nothing_but_itself(body):
    """Under 30 KB on each page, and no text in it closes its element or opens a comment."""
    script = page_script(body)

    assert len(script.encode()) < 30_000
    assert "</" not in script
    assert "<!--" not in script


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
@pytest.mark.parametrize("body", ["", 'data-values="1"', '<div class="vp-compare">'])
def test_a_script_without_its_blanks_is_whole(tmp_path: Path, body):
    """Node takes it, though lines were joined and comments are gone."""
    assert NODE is not None
    path = tmp_path / "page.js"
    path.write_text(page_script(body), encoding="utf-8")
    done = subprocess.run(
        [NODE, "--check", path], capture_output=True, text=True, timeout=60, check=False
    )

    assert 0 == done.returncode, done.stderr


def test_a_page_allows_its_own_script_by_its_hash_and_no_other():
    """A page with a script in its title is one with a text in its title."""
    page = html_page("<script>1</script>", "<p>body</p>", (), "")

    assert "&lt;script&gt;1&lt;/script&gt;" in without_own_script(page)


@pytest.mark.slow
def test_pages_stay_small_with_150_cases(tmp_path: Path):
    """Under 200,000 bytes with the script, though every case is a benchmark of its own."""
    run = timed_run({f"shop/benchmark_{n}": [400.0 + n, 401.0 + n] * 4 for n in range(150)})
    Archive(tmp_path).save(run)
    render_report(run, tmp_path / run.id, with_notebooks=False)
    pages = sorted((tmp_path / run.id).glob("*.html"))

    assert len(pages) >= 2
    assert max(path.stat().st_size for path in pages) < 200_000
    suite = (tmp_path / run.id / "shop.html").read_text(encoding="utf-8")
    assert 150 == suite.count('class="vp-card"')
    assert "these 60 have pictures" in suite


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
def test_the_script_passes_its_own_tests():
    """Quantities, orders, groups, filters, copies and axes, as node's runner sees them."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, "--test", *TESTS], capture_output=True, text=True, timeout=120, check=False
    )

    assert 0 == done.returncode, done.stdout
    assert "# fail 0" in done.stdout
