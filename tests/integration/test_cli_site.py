"""``veperf site`` from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import plausible_run
from veperf.archive.store import Archive


@pytest.mark.slow
def test_the_site_of_an_archive_is_made_and_named(tmp_path: Path):
    """Exit code 0 and the path of its first page; a target that nobody published is refused."""
    run = plausible_run(passes=3)
    Archive(tmp_path).save(run)
    command = [sys.executable, "-m", "veperf", "site", "--archive", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    refused = subprocess.run(
        [*command, "--known-miss", "shop/nothing"], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert f"site: {tmp_path / 'index.html'}\n" == done.stdout
    assert run.id in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 2 == refused.returncode
    assert "shop/nothing" in refused.stderr
