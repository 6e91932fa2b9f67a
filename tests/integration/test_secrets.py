"""What is in the environment stays there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from veperf.archive.store import Archive


@pytest.mark.slow
def test_no_variable_reaches_a_run(tmp_path: Path) -> None:
    """Not its value, not its name, in no file that measuring and exporting leave behind."""
    secret = {"DEPLOY_TOKEN_PLANTED": "planted-0f3a9c"}
    archive = ["--archive", str(tmp_path)]

    for words in (
        ["run", "planted/work", "--module", "tests.support.planted", *archive],
        ["export", "last", "--format", "pyperf", "-o", str(tmp_path / "pyperf.json"), *archive],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "veperf", *words],
            capture_output=True,
            env=os.environ | secret,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        assert b"planted-0f3a9c" not in done.stdout + done.stderr

    assert 1 == len(Archive(tmp_path).ids())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"run.json", "complete.json", "pyperf.json"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes().lower()
        assert b"planted-0f3a9c" not in content, path
        assert b"deploy_token_planted" not in content, path
