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


def test_the_demo_shows_the_planted_slowdown(folder: Path) -> None:
    """In the report and in the site's list of runs."""
    report, site = next(folder.glob("2*/index.html")), folder / "index.html"

    for page in (report, site):
        assert re.search(
            r"example/decode.{0,200}slower|slower.{0,200}example/decode", page.read_text(), re.S
        )


def test_every_link_of_the_demo_leads_to_a_file(folder: Path) -> None:
    """From the site to the report, back, and to the files of the run; none leads elsewhere."""
    for page in sorted(folder.rglob("*.html")):
        links = re.findall(r'href="([^"#]+)', page.read_text())
        assert links
        assert [] == [link for link in links if not (page.parent / link).is_file()]


def test_the_demo_names_no_host_and_is_small() -> None:
    """What the wheel holds of it: under 300 kB, without paths of the machine that measured."""
    files = [path for path in paths.example_folder().rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 300_000
    assert [] == [
        path.name
        for path in files
        if re.search(rb"/(?:home|root|work|tmp|Users)/|localhost", path.read_bytes())
    ]
