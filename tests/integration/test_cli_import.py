"""``veperf import`` and ``veperf compare`` on other tools' files."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.hostile_files import VECTORS
from tests.support.pages import without_own_script
from veperf.api.runs import import_runs, load, read
from veperf.archive.store import Archive
from veperf.core.errors import FAILED
from veperf.core.paths import default_baselines_folder

GOBENCH = VECTORS / "gobench"


def veperf(
    *words: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "veperf", *words],
        capture_output=True,
        input=stdin,
        env={**os.environ, **(environment or {})},
    )
    return subprocess.CompletedProcess(
        words, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.mark.slow
def test_what_is_imported_is_the_last_run(tmp_path: Path) -> None:
    """Runs are imported from files and standard input, and compared by name."""
    archive = ["--archive", str(tmp_path)]
    old = veperf("import", str(GOBENCH / "old.txt"), "--name", "Old one", *archive)
    piped = veperf("import", "-", *archive, stdin=(GOBENCH / "new.txt").read_bytes())
    assert (0, 0) == (old.returncode, piped.returncode), old.stderr + piped.stderr
    assert "results of go test, 2 benchmarks, 20 values" in " ".join(old.stdout.split())

    first, _ = Archive(tmp_path).ids()
    assert "Old-one" in first
    assert 10 == len(Archive(tmp_path).load().passes)
    compared = veperf("compare", first, "last", *archive)
    assert "-17.20%" in compared.stdout


@pytest.mark.slow
def test_go_code_is_gated(tmp_path: Path) -> None:
    """`go test -json` output is judged by VirtEngine's targets; no secret is stored."""
    archive = ["--archive", str(tmp_path)]
    events = (VECTORS / "interop" / "go_virtengine.json").read_bytes()
    secrets = {"DEPLOY_TOKEN": "planted-0f3a", "VEPERF_PLANTED": "planted-0f3a"}

    piped = veperf("import", "-", *archive, stdin=events, environment=secrets)
    gated = veperf("ci", "--run", "last", *archive, "--on-missing", "note", environment=secrets)
    strictly = veperf("ci", "--run", "last", *archive, environment=secrets)

    assert (0, 0) == (piped.returncode, gated.returncode), piped.stderr + gated.stderr
    assert "6 of 6 targets met" in gated.stdout
    assert 3 == strictly.returncode
    assert "missing (" in strictly.stdout  # what answers other targets of these packages
    (run,) = Archive(tmp_path).ids()
    page = (tmp_path / run / "index.html").read_text()
    for output in (">nonce<", "BenchmarkNonceGeneration", "by go test"):
        assert output in page
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or b"planted-0f3a" not in file.read_bytes(), file


def test_slow_go_code_fails_the_gate(tmp_path: Path) -> None:
    """A miss of more than 20 % fails, from Python as by the command."""
    path = tmp_path / "bench.txt"
    row = "BenchmarkStateWrite-8 100 6100 ns/op\n"
    path.write_text(f"pkg: github.com/virtengine/virtengine/tests/benchmark\n{row * 3}")

    (imported,) = import_runs(path, archive=tmp_path / "archive")

    for result in (imported, read(path), load("last", tmp_path / "archive")):
        assert FAILED == result.verdict(policy={"missing": "note"}).exit_code()


@pytest.mark.slow
def test_the_pages_say_what_the_gate_decided(tmp_path: Path) -> None:
    """By the direction and conditions that its options say, which the run itself does not."""
    folders = ["--archive", str(tmp_path / "archive"), "--baselines", str(tmp_path / "baselines")]
    shutil.copytree(default_baselines_folder(), tmp_path / "baselines")
    for name, ns, score in (("old", 100.0, 50), ("new", 112.0, 25)):
        rows = "".join(
            f"BenchmarkA 1000 {ns + step / 10} ns/op {score} points\n" for step in range(10)
        )
        (tmp_path / f"{name}.txt").write_text(f"pkg: m/p\n{rows}")
        assert 0 == veperf("import", str(tmp_path / f"{name}.txt"), *folders).returncode
        if name == "old":
            assert 0 == veperf("baseline", "record", *folders).returncode

    done = veperf("ci", "--run", "last", "--better", "points=higher", "--same-machine", *folders)

    assert FAILED == done.returncode, done.stderr
    run = tmp_path / "archive" / Archive(tmp_path / "archive").resolve("last")
    for page in ("index.html", "suite.html"):
        banner = (run / page).read_text().partition('<p class="vp-outcome">')[2][:500]
        assert "Fail" in banner
        assert "2 slower" in banner


@pytest.mark.slow
def test_two_files_are_compared() -> None:
    """Files are compared without an archive, as a table or Markdown; a key splits one file."""
    words = ["compare", str(GOBENCH / "old.txt"), str(GOBENCH / "new.txt")]

    table, markdown = veperf(*words), veperf(*words, "--markdown")
    by = veperf("compare", str(GOBENCH / "units.txt"), "--by", "note")

    assert (0, 0, 0) == (table.returncode, markdown.returncode, by.returncode)
    assert "(p=0.446 n=10)" in table.stdout
    assert "| geomean | 2.295µ | 2.090µ | -8.94% |" in markdown.stdout
    assert "before" in by.stdout
    assert "after" in by.stdout


@pytest.mark.slow
def test_a_direction_that_no_file_says_is_asked_for(tmp_path: Path) -> None:
    """Every command that reads says so, until --better says it, which the stored run keeps."""
    for name, score in (("old", 100), ("new", 50)):
        lines = "".join(f"BenchmarkX 1 {score + i / 10} points\n" for i in range(10))
        (tmp_path / f"{name}.txt").write_text(f"pkg: ex/a\n{lines}")
    old, new = str(tmp_path / "old.txt"), str(tmp_path / "new.txt")
    archive, note = ["--archive", str(tmp_path / "runs")], "better direction of points is not known"

    unknown = veperf("compare", old, new)
    known = veperf("compare", old, new, "--better", "points=lower")
    wrong = veperf("compare", old, new, "--better", "point=lower")
    kept = veperf("import", old, *archive)
    recorded = veperf(
        "baseline", "record", *archive, "--baselines", str(tmp_path), "--better", "points=lower"
    )
    judged = veperf("compare", "last", new, *archive)

    assert note in unknown.stdout
    assert note in kept.stdout
    assert note in judged.stdout
    assert note not in known.stdout + recorded.stdout
    assert ("changed" in unknown.stdout, "faster" in known.stdout) == (True, True)
    assert (2, True) == (wrong.returncode, "there is points" in wrong.stderr)
    baseline = json.loads(next(tmp_path.glob("*/ex-a.json")).read_text())
    assert "lower" == baseline["series"][0]["better"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "{folder}/none.json"], "no such file"),
        (["compare", "{folder}/none.json", "last"], "no such file"),
        (["import", "{folder}/torn.json"], "torn.json:2: not valid JSON"),
        (["import", "-"], "standard input: it is empty"),
        (["import", "{folder}/torn.json", "--format", "xml"], "no format 'xml'"),
        (["compare", "{folder}/torn.json", "{folder}/torn.json"], "torn.json:2: not valid JSON"),
        (["compare", "{vectors}/old.txt", "--by", "note"], "has 1 values of note"),
        (["compare", "a", "b", "--by", "note"], "no NEW"),
        (
            ["import", "{vectors}/old.txt", "--by", "no\x1bte", "--format", "csv"],
            "tells runs apart",
        ),
    ],
)
def test_what_is_broken_is_one_line(words: list[str], said: str, tmp_path: Path) -> None:
    """Damaged input is one line with exit code 2, and nothing is stored."""
    (tmp_path / "torn.json").write_text('{"benchmarks": [\n')
    archive = tmp_path / "archive"
    filled = [w.format(folder=tmp_path, vectors=GOBENCH) for w in words]

    done = veperf(*filled, "--archive", str(archive))

    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not archive.exists()


@pytest.mark.slow
def test_hostile_names_reach_no_terminal_or_page(tmp_path: Path) -> None:
    """Escapes, bidi overrides and markup in names are shown, spelt out, never obeyed.

    Not in what is printed, the page, the notebook's text, markdown or XML; and a benchmark that
    nobody listed, in one of VirtEngine's packages, is shown and judged by nothing.
    """
    name = "Benchmark\x1b[31m\u202e</pre><script>alert(1)</script>|`]]>&amp;" + "x" * 10_000
    path = tmp_path / "evil.txt"
    package = "github.com/virtengine/virtengine/tests/benchmark"
    path.write_text(f"cpu: {name[9:]}\ngoos: ../../x\npkg: {package}\n" + f"{name} 1 2 ns/op\n" * 4)
    archive, summary, junit = (tmp_path / part for part in ("archive", "summary.md", "junit.xml"))

    done = veperf("import", str(path), "--name", "../../<b>", "--archive", str(archive))
    gated = veperf(
        *("ci", "--run", "last", "--archive", str(archive)),
        *("--summary", str(summary), "--export", "junit", str(junit)),
    )

    assert (0, 3) == (done.returncode, gated.returncode), done.stderr + gated.stderr
    assert "go_benchmarks.json does not list" in done.stdout
    assert "Could not measure" in gated.stdout
    (run,) = Archive(archive).ids()
    page = (archive / run / "index.html").read_text()
    ElementTree.fromstring(junit.read_text())
    assert "<script" not in without_own_script(page)
    assert "<script" not in summary.read_text().replace("\\<", "")
    for text in (
        *(done.stdout, done.stderr, gated.stdout, gated.stderr, page),
        *(summary.read_text(), junit.read_text()),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert {path, archive, summary, junit} == set(tmp_path.iterdir())
