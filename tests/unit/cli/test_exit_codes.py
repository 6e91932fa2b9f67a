"""Each way in which a command can end has its exit code; 1 is slower or missed and nothing else."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from veperf.cli.main import main, veperf
from veperf.cli.options import INTERRUPTED
from veperf.core import errors

ROOT = Path(__file__).parents[3]
VEPERF = [sys.executable, "-m", "veperf"]


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Calls the command line in this process, and returns its exit code."""

    def call(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["veperf", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return call


def raising(error: BaseException) -> click.Command:
    def call() -> NoReturn:
        raise error

    return click.Command("raising", callback=call)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (errors.UsageError("no such thing"), 2, "veperf: no such thing\n"),
        (errors.CorruptFileError("broken"), 2, "veperf: broken\n"),
        (errors.MeasureError("no worker"), 3, "veperf: no worker\n"),
        (errors.StorageError("full"), 3, "veperf: full\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 3, "No space left on device"),
        (KeyboardInterrupt(), 130, "veperf: stopped"),
        (click.Abort(), 130, "veperf: stopped"),
        (RuntimeError("odd"), 70, "no verdict (RuntimeError: odd); please report it"),
        (PermissionError(errno.EACCES, "Permission denied"), 70, "please report it"),
        (SystemExit(1), 70, "please report it"),
        (EOFError(), 70, "please report it"),
        (MemoryError(), 70, "please report it"),
        # A pipe of its own, such as to a worker: the output is there.
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 70, "please report it"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_whatever_a_command_raises_has_a_code_of_its_own(
    error: BaseException,
    code: int,
    message: str,
    end: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And a message; a traceback is there if and only if it is a bug."""
    monkeypatch.setitem(veperf.commands, "raising", raising(error))

    assert code == end("raising")
    output = capsys.readouterr()
    assert message in output.err
    assert "" == output.out
    assert (code == errors.CRASHED) == ("Traceback" in output.err)


def test_stopped_in_the_middle_of_a_message(
    end: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C is Ctrl-C whenever it comes."""

    def stop(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setitem(veperf.commands, "raising", raising(errors.MeasureError("late")))
    monkeypatch.setattr(click, "echo", stop)

    assert 130 == end("raising")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["--help"], ["ci", "--help"], ["list"], ["list", "--runs"], ["history"], ["nonsense"]]
)
def test_a_closed_pipe_ends_with_141(words: list[str], tmp_path: Path) -> None:
    """As a shell makes it of a command that SIGPIPE ends: never 1, 120 or a traceback."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe, (tmp_path / "err").open("wb") as err:
        to_err = pipe if words == ["nonsense"] else err  # its only message is on standard error
        environment = os.environ | {"VEPERF_ARCHIVE": str(tmp_path / "none")}
        done = subprocess.run(
            [*VEPERF, *words], stdout=pipe, stderr=to_err, cwd=ROOT, env=environment, check=False
        )

    if words != ["history"]:  # without runs it has nothing to print but an error
        assert 141 == done.returncode
    assert done.returncode != 1
    assert "" == (tmp_path / "err").read_text() or words == ["history"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_ends_with_3() -> None:
    """What could not be written is named."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*VEPERF, "list"], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )

    assert (3, b"veperf: can't write: No space left on device\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("exits_early", "import sys\nsys.exit(1)", "SystemExit: 1 ("),
        ("divides_by_0", "x = 1\nx / 0", "ZeroDivisionError: division by zero ("),
        ("half_a_line", "def (", "SyntaxError: invalid syntax (half_a_line.py, line 1)"),
        ("needs_more", "import no_such_thing_at_all", "No module named 'no_such_thing_at_all'"),
    ],
)
@pytest.mark.parametrize("command", ["ci", "run", "list", "load", "soak"])
def test_a_module_that_can_t_be_imported_is_a_wrong_question(
    name: str,
    code: str,
    message: str,
    command: str,
    end: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever it raises, sys.exit(1) included: 2, one line, and the place."""
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "archive"))

    assert 2 == end(command, "--module", name)
    error = capsys.readouterr().err
    assert f"module {name} can't be imported" in error
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "archive").exists()


@pytest.fixture
def measuring_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """To measure anything is a bug, which has an exit code of its own."""

    def measured(*_: object, **__: object) -> NoReturn:
        raise AssertionError("something was measured")

    for function in ("veperf.api.runs.run", "veperf.abtest.run.ab", "veperf.runner.soak.soak"):
        monkeypatch.setattr(function, measured)


@pytest.mark.usefixtures("measuring_fails")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ci", "--against", "HEAD", "--module", "no.such"], 2, "no.such can't be imported"),
        (["ci", "--against", "HEAD", "no/such"], 2, "no benchmark matches 'no/such'"),
        (["ci", "--against", "HEAD", "--known-miss", "no/such"], 2, "no published target no/such"),
        (["ci", "--against", "HEAD", "--export", "odd", "x"], 2, "no format 'odd'"),
        (["ci", "--against", "HEAD", "--export", "junit", "{dir}"], 3, "Is a directory"),
        (["ci", "--against", "HEAD", "--export", "junit", "{file}/x"], 3, "can't write {file}/x"),
        (["ci", "--against", "HEAD", "--summary", "{file}/x"], 3, "can't write {file}/x"),
        (["ci", "--against", "HEAD", "--baselines", "{dir}/none"], 2, "{dir}/none/targets.json"),
        (["ci", "--against", "HEAD", "--baselines", "{broken}"], 2, "{broken}/targets.json"),
        (["ci", "--against", "HEAD", "--run", "nothing"], 2, "no run 'nothing'"),
        (["ci", "--known-miss", "no/such", "--run", "nothing"], 2, "no published target no/such"),
        (["ab", "HEAD", "--export", "junit", "{file}/x"], 3, "can't write {file}/x"),
        (["ab", "HEAD", "--summary", "{file}/x"], 3, "can't write {file}/x"),
        (["soak", "--json", "{file}/x"], 3, "can't write {file}/x"),
        (["memory", "--module", "no.such"], 2, "name one"),
    ],
)
def test_a_wrong_option_fails_before_anything_is_measured(
    words: list[str],
    code: int,
    message: str,
    end: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not after minutes of comparing."""
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    places = {"dir": tmp_path, "file": tmp_path / "file", "broken": tmp_path / "broken"}
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "targets.json").write_text("{")

    actual = end(*(word.format(**places) for word in words))

    output = capsys.readouterr()
    assert message.format(**places) in output.err
    assert (code, "") == (actual, output.out)


def test_the_docs_have_all_exit_codes() -> None:
    """docs/verdicts.md has a row for each code that the command line knows, and no other."""
    text = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    section = text.partition("## Exit codes")[2].partition("\n## ")[0]
    rows = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]

    known = (
        errors.OK,
        errors.FAILED,
        errors.USAGE,
        errors.COULD_NOT_MEASURE,
        errors.INCONCLUSIVE,
        errors.CRASHED,
        INTERRUPTED,
        errors.OUTPUT_CLOSED,
    )
    assert sorted(known) == rows
