"""Commands that read files of other tools say what they took of them, and what is not there."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.runs import case, one_pass, whole_run
from veperf.cli.main import veperf
from veperf.cli.options import print_failures
from veperf.core.errors import NoSuchFileError, UnknownRunError
from veperf.core.run import CaseResult, Failure

TEXT = "pkg: ex/a\nBenchmarkA/n=1-8 10 5 ns/op\n 100 5 ns/op\nBenchmarkBroken-8 100 5\nPASS\n"
SUM = "5 lines: 1 taken, 2 skipped (settings 1, ends of packages 1), 2 refused"
REFUSED = "line 3 left out: a result without a name of its own"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "go.txt"
    path.write_text(TEXT)
    return str(path)


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(veperf, [*words, "--archive", str(folder / "archive")])


def test_each_of_them_prints_the_sum(file: str, tmp_path: Path) -> None:
    """And what was refused, with its line."""
    for words in (
        ["import", file],
        ["compare", file, file],
        ["compare", file, file, "--markdown"],
        ["export", file, "--format", "go", "--output", str(tmp_path / "o")],
    ):
        result = run(tmp_path, *words)

        assert SUM in result.output, words
        assert REFUSED in result.output


def test_an_import_explains_each_line(file: str, tmp_path: Path) -> None:
    """Whatever became of it."""
    output = run(tmp_path, "import", file, "--explain").output

    assert SUM in output
    for words in (
        "skipped 1: settings: line 1",
        "skipped 1: ends of packages: line 5",
        "refused 1: a result without a name of its own: line 3",
        "refused 1: an incomplete result: line 4",
    ):
        assert words in output


def test_a_comparison_hints_at_what_was_renamed(file: str, tmp_path: Path) -> None:
    """By its parameters, beside the answer that it is gone."""
    other = tmp_path / "new.txt"
    other.write_text(TEXT.replace("BenchmarkA", "BenchmarkB"))

    output = run(tmp_path, "compare", file, str(other)).output

    hint = "gone: ex-a/BenchmarkA/n=1-8; new: ex-a/BenchmarkB/n=1-8; same parameters"
    assert hint in output


@pytest.mark.parametrize("name", ["none.txt", "folder/none"])
@pytest.mark.parametrize(
    "words", [["import"], ["compare", "last"], ["export", "--format", "go"]], ids=lambda w: w[0]
)
def test_a_missing_file_is_no_such_file(words: list[str], name: str, tmp_path: Path) -> None:
    """Not a run that nobody knows; a name without a suffix or a folder may be either."""
    path = str(tmp_path / name)
    run(tmp_path, "import", _go(tmp_path))

    result = run(tmp_path, *words, path)

    assert isinstance(result.exception, NoSuchFileError)
    assert f"no such file: {path}" in str(result.exception)


def _go(folder: Path) -> str:
    path = folder / "go.txt"
    path.write_text(TEXT)
    return str(path)


def test_a_file_where_a_run_is_wanted_can_be_imported(file: str, tmp_path: Path) -> None:
    """The error says how."""
    result = run(tmp_path, "report", file)

    assert isinstance(result.exception, UnknownRunError)
    assert "it is a file, which `veperf import" in str(result.exception)


def test_a_void_load_is_not_told_as_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """Its reason is told, after what failed; of each kind there are 20, and how many more."""
    cases = [case(f"shop/{number}") for number in range(45)]
    void, lost = Failure("invalid", "the machine was too busy"), Failure("raised", "no more")
    results = [CaseResult(c.id, failure=lost if i >= 43 else void) for i, c in enumerate(cases)]
    print_failures(whole_run(cases, [one_pass(results)]), "last")

    lines = capsys.readouterr().out.splitlines()
    assert ["✗ last: shop/43 failed: no more", "✗ last: shop/44 failed: no more"] == lines[:2]
    assert "○ last: shop/0 void: the machine was too busy" == lines[2]
    assert "○ last: 23 more void" == lines[-1]
    assert 23 == len(lines)
