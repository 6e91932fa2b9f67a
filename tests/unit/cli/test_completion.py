"""Shells complete benchmarks and runs, by the protocol that click's scripts for them speak."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.helpers import plausible_run
from veperf.archive.store import Archive
from veperf.cli.main import _run_command as run_command

ROOT = Path(__file__).parents[3]


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys):
    """The answer to a shell: the words of its line, the last of which is to be completed."""

    def answer(shell: str, line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setattr(sys, "argv", ["veperf"])
        monkeypatch.setenv("_VEPERF_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        # fish gives the word itself where the others give its number.
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        assert 0 == run_command()
        return [line for line in capsys.readouterr().out.splitlines() if line]

    return answer


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("bash", ["plain,transaction/hash_compute"]),
        ("zsh", ["plain", "transaction/hash_compute", "_"]),
        ("fish", ["plain,transaction/hash_compute"]),
    ],
)
def test_a_benchmark_is_completed(shell: str, expected: list[str], complete):
    """Wherever a command takes one."""
    for command in ("list", "run", "profile", "load", "memory", "history", "ab main"):
        assert expected == complete(shell, f"veperf {command} transaction/hash_")


def test_cases_are_completed_behind_a_bracket(complete):
    """Before it they would bury the benchmarks."""
    assert ["plain,transaction/state_write"] == complete(
        "bash", "veperf run transaction/state_write"
    )[:1]
    assert "plain,transaction/state_write[accounts=1000]" in complete(
        "bash", "veperf run transaction/state_write["
    )


def test_a_run_is_completed(complete, tmp_path: Path):
    """`last`, and the latest first; of the archive that is named."""
    for day in (20, 21):
        Archive(tmp_path).save(plausible_run(created=f"2026-11-{day}T10:15:00+00:00"))

    for command in ("report", "export", "baseline record"):
        line = f"veperf {command} --archive {tmp_path} "
        assert ["plain,last", "plain,20261121-000001-abc1234", "plain,20261120-000001-abc1234"] == (
            complete("bash", line)
        )
    assert ["plain,last", "file,l"] == complete("bash", f"veperf compare --archive {tmp_path} l")


def test_a_run_is_completed_however_many_are_later(complete, tmp_path: Path, monkeypatch):
    """What is offered is cut after it was found, not before."""
    monkeypatch.setattr("veperf.cli.completion._MOST_RUNS", 2)
    for day in range(20, 25):
        Archive(tmp_path).save(plausible_run(created=f"2026-11-{day}T10:15:00+00:00"))
    line = f"veperf report --archive {tmp_path} "

    assert ["plain,20261121-000001-abc1234"] == complete("bash", f"{line}20261121")
    assert ["plain,last", "plain,20261124-000001-abc1234"] == complete("bash", line)


def test_what_fails_completes_nothing(complete, tmp_path: Path):
    """A shell's line is no place for an error."""
    assert [] == complete("bash", "veperf run --module no.such transaction/ha")
    assert [] == complete("bash", f"veperf report --archive {tmp_path / 'none'} 2026")


@pytest.mark.slow
def test_bash_completes_by_the_script_that_veperf_writes(tmp_path: Path):
    """The script is loaded, and its function fills in what bash asks for."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    program = tmp_path / "veperf"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "from veperf.cli import main; main()"\n'
    )
    program.chmod(0o755)
    script = (
        'eval "$(_VEPERF_COMPLETE=bash_source veperf)";'
        " COMP_WORDS=(veperf report la); COMP_CWORD=2;"
        ' _veperf_completion veperf; echo "${COMPREPLY[@]}"'
    )
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "VEPERF_ARCHIVE": str(tmp_path / "archive"),
    }
    (tmp_path / "archive").mkdir()
    done = subprocess.run([bash, "-c", script], env=environment, capture_output=True, text=True)

    assert ("last", "") == (done.stdout.strip(), done.stderr)
