"""Each way in which a command can end has its exit code; 1 is slower or missed and nothing else."""

import errno
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from tests.support.archives import dated_run
from veperf.archive.store import Archive
from veperf.cli.main import main, veperf
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
    "words", [["--help"], ["ci", "--help"], ["list"], ["history"], ["nonsense"]]
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
@pytest.mark.parametrize(
    ("words", "redirection", "code", "message"),
    [
        ("list", ">/dev/full", 3, "veperf: can't write: No space left on device\n"),
        ("list", ">&-", 3, "veperf: can't write: Bad file descriptor\n"),
        ("list", "<&- >&- 2>&-", 3, ""),
        ("list", "2>&- >/dev/null", 0, ""),
        ("nonsense", "2>/dev/full", 3, ""),
        ("nonsense", "2>&-", 3, ""),
    ],
)
def test_an_output_that_can_t_be_written_ends_with_3(
    words: str, redirection: str, code: int, message: str
) -> None:
    """Full or closed, whatever the code would have been; what can still be said is said."""
    call = ["sh", "-c", f'"$@" {redirection}', "sh", *VEPERF, words]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT, check=False)

    assert (code, message) == (done.returncode, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["ci", "--run", "last"], ["report", "last"]])
def test_a_report_is_written_though_nobody_can_read_the_verdict(
    words: list[str], tmp_path: Path
) -> None:
    """With standard output closed: the kernel of its notebooks has streams of its own."""
    results = "".join(f"BenchmarkA 1000 {100 + i} ns/op\n" for i in range(6))
    (tmp_path / "go.txt").write_text(f"pkg: m/p\n{results}")
    environment = os.environ | {"VEPERF_ARCHIVE": str(tmp_path / "archive")}
    subprocess.run(
        [*VEPERF, "import", str(tmp_path / "go.txt")], env=environment, cwd=ROOT, check=True
    )
    call = ["sh", "-c", '"$@" >&-', "sh", *VEPERF, *words]
    done = subprocess.run(
        call, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )

    assert (3, "veperf: can't write: Bad file descriptor\n") == (done.returncode, done.stderr)
    assert [*(tmp_path / "archive").glob("*/index.html")]


class Unreadable(io.RawIOBase):
    """A stream on which every read fails."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("words", "stream", "message"),
    [
        (["import", "-"], None, "standard input is closed"),
        (["import", "-"], Unreadable(), "can't read standard input: Input/output error"),
        (["import", "-"], io.BytesIO(), "it is empty"),
        (["archive", "prune", "--keep", "1"], None, "--yes removes without asking"),
        (["archive", "prune", "--keep", "1"], io.BytesIO(), "--yes removes without asking"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else type(value).__name__,
)
def test_a_standard_input_that_says_nothing_ends_with_2(
    words: list[str],
    stream: io.RawIOBase | io.BytesIO | None,
    message: str,
    end: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Closed, broken or at its end: a wrong call, not a bug, and nothing is removed."""
    archive = Archive(tmp_path)
    for days in range(3):
        archive.save(dated_run(days))
    text = io.TextIOWrapper(io.BufferedReader(stream)) if stream is not None else None
    monkeypatch.setattr(sys, "stdin", text)

    assert 2 == end(*words, "--archive", str(tmp_path))
    assert message in capsys.readouterr().err
    assert 3 == len(archive.ids())


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("exits_early", "import sys\nsys.exit(1)", "SystemExit: 1 ("),
        ("divides_by_0", "x = 1\nx / 0", "ZeroDivisionError: division by zero ("),
        ("half_a_line", "def (", "SyntaxError: invalid syntax (half_a_line.py, line 1)"),
        ("ends_at_once", "import os; os._exit(1)", "ended before it was done: exit code 1"),
        ("crashes", "import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
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

    for function in (
        "veperf.api.runs.run",
        "veperf.abtest.run.ab",
        "veperf.runner.soak.soak",
        "veperf.profiling.memory.profile_memory.profile_memory",
    ):
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
        (["ci", "--against", "HEAD", "--baselines", "{dir}/none"], 2, "'{dir}/none' does not"),
        (["ci", "--against", "HEAD", "--baselines", "{broken}"], 2, "{broken}/targets.json"),
        (["ci", "--against", "HEAD", "--run", "nothing"], 2, "there is no archive"),
        (["ci", "--known-miss", "no/such", "--run", "nothing"], 2, "no published target no/such"),
        (
            ["ci", "--against", "HEAD", "--export", "junit", "{dir}/none/x"],
            3,
            "no folder {dir}/none",
        ),
        (["ci", "--run", "nothing", "--module", "no.such"], 2, "no --module"),
        (["ci", "--run", "nothing", "--profile", "quick"], 2, "no --profile"),
        (["ci", "--run", "nothing", "zk_proof"], 2, "no BENCHMARK"),
        (["run", "--resume", "last", "--module", "no.such"], 2, "no --module"),
        (["list", "--runs", "--module", "no.such"], 2, "no --module"),
        (["list", "--runs", "no/such"], 2, "no BENCHMARK"),
        (["sweep", "--show", "last", "--scheduler", "tcp://x:1"], 2, "no --scheduler"),
        (["baseline", "show", "no_such"], 2, "nothing is recorded of suite 'no_such'"),
        (["baseline", "history", "no_such"], 2, "nothing is recorded of suite 'no_such'"),
        (["export", "nothing", "--format", "go", "-o", "{dir}/none/x"], 3, "no folder {dir}/none"),
        (["memory", "transaction/decode", "no/such"], 2, "no benchmark matches 'no/such'"),
        (["profile", "no/such"], 2, "no benchmark matches 'no/such'"),
        (["profile", "transaction/load"], 2, "is a load, which has no call to sample"),
        (["ab", "HEAD", "--export", "junit", "{file}/x"], 3, "can't write {file}/x"),
        (["ab", "HEAD", "--summary", "{file}/x"], 3, "can't write {file}/x"),
        (["soak", "--json", "{file}/x"], 3, "can't write {file}/x"),
        (["soak", "--flamegraph", "{dir}/none/x"], 3, "no folder {dir}/none"),
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
    assert not (tmp_path / "none").exists()


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
        errors.INTERRUPTED,
        errors.OUTPUT_CLOSED,
    )
    assert sorted(known) == rows
