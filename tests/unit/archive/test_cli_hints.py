"""Commands in messages can be pasted into a shell, and name the right archive."""

import re
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.support.archives import dated_run
from veperf.archive.cli_hints import command_hint
from veperf.archive.comparisons import read_ab
from veperf.archive.storage.open import open_storage
from veperf.archive.store import Archive
from veperf.cli.main import veperf
from veperf.core.errors import IncompleteRunError, UnknownRunError

ODD = 'it\'s $HOME; a `b` "c" *'


def words(advised: str) -> list[str]:
    """The words of the command in a message, split as a shell does."""
    (actual,) = re.findall(r"`(veperf .*)`", advised)
    return shlex.split(actual)


def test_the_default_archive_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The default archive is not named, whether or not $VEPERF_ARCHIVE is set."""
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    plain = "`veperf report last`"

    monkeypatch.setenv("VEPERF_ARCHIVE", "runs")
    same: list[Path | str | None] = [tmp_path / "runs", "runs", f"file://{tmp_path}/runs", None]
    assert [plain] * 4 == [command_hint("report", "last", archive=item) for item in same]
    assert "`veperf report last --archive other`" == command_hint("report", "last", archive="other")

    monkeypatch.setenv("VEPERF_ARCHIVE", "s3://bucket/runs/")
    assert plain == command_hint("report", "last", archive="s3://bucket/runs")
    assert words(command_hint("report", archive="s3://bucket/r")) == [
        "veperf",
        "report",
        "--archive",
        "s3://bucket/r",
    ]
    monkeypatch.setenv("VEPERF_ARCHIVE", "s3://key:secret@bucket")
    assert "secret" not in command_hint("report", "last", archive="runs")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1))
def test_whatever_a_folder_is_called_a_shell_reads_it_back(name: str):
    """A path with blanks, quotes and dollars is one word."""
    advised = command_hint("report", archive=f"/srv/{name}")
    assert ["veperf", "report", "--archive", f"/srv/{name}"] == shlex.split(advised[1:-1])


def test_a_shell_itself_takes_it(tmp_path: Path):
    """A real shell splits the command in the same way."""
    script = command_hint("report", archive=tmp_path / ODD)[1:-1].replace(
        "veperf", "printf '%s|'", 1
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert f"report|--archive|{tmp_path / ODD}|" == done.stdout


def test_errors_advise_for_the_archive_they_are_about(near: str, monkeypatch: pytest.MonkeyPatch):
    """No run, unknown ones, unfinished ones, no comparison; with blanks in its name, too."""
    monkeypatch.delenv("VEPERF_ARCHIVE", raising=False)
    place = f"{near}/of-mine" if "://" in near else f"{near}/of mine"
    archive = Archive(place)
    with pytest.raises(UnknownRunError) as none:
        archive.load()
    archive.begin(msgspec.structs.replace(dated_run(0), passes=())).close()
    with pytest.raises(IncompleteRunError) as unfinished:
        archive.load(dated_run(0).id)
    with pytest.raises(UnknownRunError) as unknown:
        archive.load("other")
    with pytest.raises(UnknownRunError) as no_ab:
        read_ab(open_storage(place))

    begun = ["run", "--resume", dated_run(0).id]
    expected = [["run"], begun, ["list", "--runs"], ["ab"]]
    actual = [words(str(error.value)) for error in (none, unfinished, unknown, no_ab)]
    assert [["veperf", *item, "--archive", place] for item in expected] == actual
    assert "continues" in (output := archive.resume("last").resume_hint())
    assert ["veperf", *begun, "--archive", place] == words(output)


def test_an_import_says_how_to_look_at_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The hint is a command that finds the run."""
    monkeypatch.delenv("VEPERF_ARCHIVE", raising=False)
    results = tmp_path / "new.txt"
    results.write_text("BenchmarkA-8  100  2000 ns/op\n")
    place = tmp_path / "of mine"
    done = CliRunner().invoke(veperf, ["import", str(results), "--archive", str(place)])

    assert 0 == done.exit_code, done.output
    assert 1 == len(Archive(place).ids())
    assert ["veperf", "report", "last", "--archive", str(place)] == words(done.stdout)
