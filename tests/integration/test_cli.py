"""The commands as a user types them: what they print, leave behind, and end with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from veperf.archive.store import Archive
from veperf.cli.main import veperf as commands

ROOT = Path(__file__).parents[2]


def veperf(*words: str, cwd: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "veperf", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        check=False,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    """An archive with one small run."""
    folder: Path = tmp_path_factory.mktemp("archive")
    done = veperf(
        "run",
        "unruly/well_behaved",
        "--module",
        "tests.support.misbehaving",
        "--archive",
        str(folder),
    )
    assert 0 == done.returncode, done.stderr
    return folder


def test_every_command_has_help_with_examples():
    """Help names the exit codes; each command's help ends with examples of that command."""
    overview = veperf("--help")
    assert 0 == overview.returncode
    assert "Exit codes: 0 ok" in overview.stdout

    for words, command in _leaves(commands, ()):
        with click.Context(command, info_name=words[-1]) as context:
            rendered = command.get_help(context)
        assert f"  veperf {' '.join(words)}" in rendered.partition("Examples:")[2], words


def _leaves(
    group: click.Group, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        words = (*above, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, words)
        else:
            yield words, command


def test_help_imports_nothing_heavy():
    """What takes long to import stays out of the commands' own modules."""
    script = (
        "import sys, veperf, veperf.cli\n"
        "heavy = {'pandas', 'scipy', 'numpy', 'matplotlib', 'seaborn', 'papermill', 'memray',\n"
        "         'duckdb', 'pyarrow', 'IPython', 'rich', 'nbformat', 'coincurve', 'google'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)

    assert "[]" == done.stdout.strip()


@pytest.mark.slow
def test_list_shows_benchmarks_and_runs(measured: Path):
    """Benchmarks with their targets; runs with their date, and an empty archive in words."""
    assert "transaction/hash_compute" in veperf("list").stdout
    assert "transaction/state_write[accounts" in veperf("list", "transaction/state_write").stdout

    (run,) = Archive(measured).ids()
    rendered = veperf("list", "--runs", "--archive", str(measured)).stdout
    assert run in rendered


@pytest.mark.slow
def test_a_baseline_is_recorded_and_used(measured: Path, tmp_path: Path):
    """record writes the file, show lists it, compare of a run with itself finds nothing slower."""
    done = veperf("baseline", "record", "--archive", str(measured), "--baselines", str(tmp_path))
    assert 0 == done.returncode, done.stderr
    (path,) = tmp_path.glob("*/unruly.json")
    rendered = veperf("baseline", "show", "--baselines", str(tmp_path))
    assert path.parent.name in rendered.stdout

    (run,) = Archive(measured).ids()
    same = veperf("compare", run, run, "--archive", str(measured))
    assert 0 == same.returncode, same.stderr
    assert "well_behaved" in same.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "transaction/hash"], 2, "did you mean transaction/hash_compute"),
        (["run", "--profile", "fast"], 2, "'fast' is not one of"),
        (["run", "--timeout", "0"], 2, "'--timeout': must be more than 0"),
        (["run", "--module", "no.such"], 2, "no.such can't be imported"),
        (["run", "--archive", "/proc/veperf"], 3, "can't write /proc/veperf"),
        (["report", "--archive", "{empty}"], 2, "no complete run yet"),
        (["report", "2020", "--archive", "{measured}"], 2, "no run '2020'"),
        (["report", "../../etc", "--archive", "{measured}"], 2, "no run '../../etc'"),
        (["run", "--resume", "--archive", "{empty}"], 2, "no unfinished run"),
        (["run", "transaction", "--resume"], 2, "no BENCHMARK"),
        (
            ["ci", "--run", "last", "--known-miss", "transaction/typo", "--archive", "{measured}"],
            2,
            "transaction/typo",
        ),
        (["compare", "a", "b", "--archive", "{measured}"], 2, "no run 'a'"),
        (
            ["memory", "hungry/begins", "--module", "tests.support.allocating"],
            2,
            "returns a generator",
        ),
        (
            ["profile", "hungry/begins", "--module", "tests.support.allocating"],
            2,
            "returns a generator",
        ),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_a_wrong_question_gets_one_line_and_exit_code(
    words: list[str], code: int, message: str, measured: Path, tmp_path: Path
):
    """What, where and what to do, on standard error, never a traceback."""
    filled = [w.format(measured=measured, empty=tmp_path) for w in words]

    done = veperf(*filled)

    assert (code, "") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 99}', "has format 99, this veperf reads up to"),
        ('{"format": 1, "suite": 3}', "is not a valid Baseline file"),
        ('{"format": 1, "sui', "is not a valid Baseline file"),
    ],
    ids=["newer", "wrong type", "cut off"],
)
def test_a_broken_baseline_is_named_before_anything_is_measured(
    content: str, message: str, tmp_path: Path
):
    """A corrupt or newer baseline ends the command at once with code 2 and leaves no run."""
    baseline = tmp_path / "baselines" / "box" / "transaction.json"
    baseline.parent.mkdir(parents=True)
    baseline.write_text(content)
    archive = tmp_path / "reports"

    done = veperf(
        "run", "transaction/hash_compute",
        "--baselines", str(tmp_path / "baselines"), "--archive", str(archive),
    )  # fmt: skip

    assert 2 == done.returncode
    assert str(baseline) in done.stderr
    assert message in done.stderr
    assert not archive.exists()


@pytest.mark.slow
def test_a_half_written_run_is_refused_and_finished(measured: Path, tmp_path: Path):
    """Without its completion file a run is not reported on; --resume completes it."""
    (run,) = Archive(measured).ids()
    shutil.copytree(measured / run, tmp_path / run)
    (tmp_path / run / "complete.json").unlink()

    refused = veperf("report", run, "--archive", str(tmp_path))
    assert 2 == refused.returncode
    assert f"continue it with `veperf run --resume {run} --archive {tmp_path}`" in refused.stderr

    done = veperf("run", "--resume", "--archive", str(tmp_path))
    assert 0 == done.returncode, done.stderr
    assert Archive(tmp_path).load(run).id == run


@pytest.mark.slow
def test_a_full_disk_loses_nothing(tmp_path: Path):
    """On a disk that fills up while measuring, the run ends with code 3 and can be gone on with."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        done = veperf(
            "run", "unruly/prints", "unruly/raises", "unruly/crashes",
            "--module", "tests.support.misbehaving", "--archive", str(disk),
        )  # fmt: skip
        archive = Archive(disk)
        (unfinished,) = archive.incomplete_ids()
        kept = archive.load_partial(unfinished)

        assert 3 == done.returncode
        assert "the disk is full" in done.stderr
        assert f"veperf run --resume {unfinished}" in done.stderr
        assert 0 < len(kept.passes) < 6

        subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
        again = veperf("run", "--resume", "--archive", str(disk))
        assert 0 == again.returncode, again.stderr
        assert 6 == len(archive.load(unfinished).passes)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_ci_gates_a_planted_slowdown_and_leaves_the_report(tmp_path: Path):
    """Three times the work is found, the page and the step summary are there; no change is not."""
    words = ["planted", "--module", "tests.support.planted", "--archive", str(tmp_path / "runs")]
    words += ["--baselines", str(tmp_path / "baselines")]
    (tmp_path / "baselines").mkdir()
    shutil.copy(ROOT / "data" / "baselines" / "targets.json", tmp_path / "baselines")
    assert 0 == veperf("run", *words).returncode
    recorded = veperf("baseline", "record", *words[3:])
    assert 0 == recorded.returncode, recorded.stderr

    summary = tmp_path / "summary.md"
    # What is planted is in the environment, where code side by side does not differ.
    words += ["--no-confirm"]
    slow = veperf("ci", *words, "--summary", str(summary), PLANTED_SIZE="3000")
    same = veperf("ci", *words)

    # Where the machine itself has changed meanwhile, "suspect" is as far as a screen may go.
    assert slow.returncode == 1 or "suspect" in slow.stdout, slow.stdout
    assert 0 == same.returncode, same.stdout
    assert "planted/work" in summary.read_text()
    for folder in (tmp_path / "runs").glob("[!.]*"):
        names = {path.name for path in folder.iterdir()}
        assert {"run.json", "samples.parquet", "complete.json"} <= names
    assert 2 == len(list((tmp_path / "runs").glob("*/index.ipynb")))


@pytest.mark.slow
def test_a_summary_that_can_t_be_written_is_named(measured: Path):
    """Before anything is judged; the code says that it is not the gate."""
    done = veperf("ci", "--run", "last", "--archive", str(measured), "--summary", "/proc/no/file")

    assert 3 == done.returncode
    assert "can't write /proc/no/file: No such file or directory" in done.stderr
    assert ("", False) == (done.stdout, "Traceback" in done.stderr)


@pytest.mark.slow
def test_a_run_that_could_not_measure_ends_with_3(tmp_path: Path):
    """A benchmark that fails in every pass is no pass: code 3, and the report says why."""
    done = veperf(
        "ci", "unruly/raises", "--module", "tests.support.misbehaving", "--archive", str(tmp_path)
    )  # fmt: skip

    assert 3 == done.returncode
    assert "planted <b>error</b>" in done.stdout
    (page,) = tmp_path.glob("*/index.html")
    assert "planted &lt;b&gt;error" in page.read_text()
    assert "<b>error" not in page.read_text()
