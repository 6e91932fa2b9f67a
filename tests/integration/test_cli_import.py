"""``veperf import`` and ``veperf compare`` on other tools' files, as people call them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile_files import VECTORS
from veperf.archive import Archive

GOBENCH = VECTORS / "gobench"


def veperf(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "veperf", *words], capture_output=True, input=stdin
    )
    return subprocess.CompletedProcess(
        words, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_what_is_imported_is_the_last_run(tmp_path: Path) -> None:
    """From files and standard input; said, kept, compared by name, judged and rendered."""
    archive = ["--archive", str(tmp_path)]
    old = veperf("import", str(GOBENCH / "old.txt"), "--name", "Old one", *archive)
    piped = veperf("import", "-", *archive, stdin=(GOBENCH / "new.txt").read_bytes())
    assert (0, 0) == (old.returncode, piped.returncode), old.stderr + piped.stderr
    assert "results of go test, 2 benchmarks, 20 values" in " ".join(old.stdout.split())

    first, last = Archive(tmp_path).ids()
    assert "Old-one" in first
    assert 10 == len(Archive(tmp_path).load().passes)
    compared = veperf("compare", first, "last", *archive)
    assert "-17.20%" in compared.stdout
    gated = veperf("ci", "--run", "last", *archive)
    assert 0 == gated.returncode, gated.stderr
    page = (tmp_path / last / "index.html").read_text()
    assert "BenchmarkEncode/format=json-48" in page
    assert "by go test" in page


def test_two_files_are_compared() -> None:
    """Without any archive, as a table or as markdown; a key tells two sides of one file apart."""
    words = ["compare", str(GOBENCH / "old.txt"), str(GOBENCH / "new.txt")]

    table, markdown = veperf(*words), veperf(*words, "--markdown")
    by = veperf("compare", str(GOBENCH / "units.txt"), "--by", "note")

    assert (0, 0, 0) == (table.returncode, markdown.returncode, by.returncode)
    assert "(p=0.446 n=10)" in table.stdout
    assert "| geomean | 2.295µ | 2.090µ | -8.94% |" in markdown.stdout
    assert "before" in by.stdout
    assert "after" in by.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "{folder}/none.json"], "can't read"),
        (["import", "{folder}/torn.json"], "torn.json:2: no valid JSON"),
        (["import", "-"], "standard input: it is empty"),
        (["import", "{folder}/torn.json", "--format", "xml"], "no format 'xml'"),
        (["compare", "{folder}/torn.json", "{folder}/torn.json"], "torn.json:2: no valid JSON"),
        (["compare", "{vectors}/old.txt", "--by", "note"], "has 1 values of note"),
        (["compare", "a", "b", "--by", "note"], "no NEW"),
    ],
)
def test_what_is_broken_is_one_line(words: list[str], said: str, tmp_path: Path) -> None:
    """And exit code 2; nothing is kept."""
    (tmp_path / "torn.json").write_text('{"benchmarks": [\n')
    archive = tmp_path / "archive"
    filled = [w.format(folder=tmp_path, vectors=GOBENCH) for w in words]

    done = veperf(*filled, "--archive", str(archive))

    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not archive.exists()


def test_hostile_names_reach_no_terminal_or_page(tmp_path: Path) -> None:
    """Escapes, bidi overrides and markup in names are shown, spelt out, never obeyed."""
    name = "Benchmark\x1b[31m\u202e</pre><script>alert(1)</script>|`" + "x" * 10_000
    path = tmp_path / "evil.txt"
    path.write_text(f"pkg: ../../<b>\n{name} 1 2 ns/op\n" * 4)
    archive = tmp_path / "archive"

    done = veperf("import", str(path), "--archive", str(archive))
    report = veperf("report", "last", "--archive", str(archive))

    assert (0, 0) == (done.returncode, report.returncode), done.stderr + report.stderr
    (run,) = Archive(archive).ids()
    page = (archive / run / "index.html").read_text()
    assert "<script>alert" not in page
    for text in (done.stdout, report.stdout, page):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert [path.name, "archive"] == sorted((p.name for p in tmp_path.iterdir()), reverse=True)
