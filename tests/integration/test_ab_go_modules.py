"""``veperf ab --go`` with a real toolchain, on small modules with planted changes.

Whatever is planted is no matter of noise: counts, failures, benchmarks that are gone, and work that
is half as much again. How often smaller slowdowns are found, and equal code is called slower, is
counted by ``python -m benchmarks.ab_go``.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import go_modules
from tests.support.go_modules import GoRepository, two_versions
from veperf.abtest.run import load_ab
from veperf.core.ab_records import ABChange, ABRun
from veperf.core.verdict import ChangeStatus

pytestmark = pytest.mark.slow

COMMITS = ("HEAD~1", "--head", "HEAD")
# Six pairs decide counts; at this alpha they call no time slower, however busy the machine is.
QUICK = ("--max-pairs", "6", "--go-layouts", "1", "--alpha", "0.1%")
# Enough to find work that takes several times as long, also on a busy machine.
TIMED = ("--max-pairs", "14", "--go-layouts", "2", "--alpha", "0.1%", "--go-cpu", "1")
TIMES = 4
SLOW = TIMES * go_modules.ROUNDS
BETTER = (ChangeStatus.FASTER, ChangeStatus.OK, ChangeStatus.INCONCLUSIVE)


@dataclass(frozen=True)
class Compared:
    """What the command ended with, printed, and kept."""

    code: int
    output: str
    errors: str
    ab: ABRun | None

    @property
    def changes(self) -> Mapping[tuple[str, str], ABChange]:
        """Changes by benchmark, without its package, and metric."""
        assert self.ab is not None, self.errors
        return {
            (change.case.partition("/Benchmark")[2], change.metric.name): change
            for change in self.ab.changes
        }

    def status(self, name: str, metric: str = "time") -> ChangeStatus:
        """Return the status of a metric of a benchmark."""
        return self.changes[name, metric].status


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One cache of test binaries for all tests: what they build differs by its code."""
    return go_modules.go_environment(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def compare(tmp_path: Path, environment: dict[str, str]):
    """A function that runs the command in a folder of a repository."""

    def run(repository: GoRepository, *words: str, folder: str = "") -> Compared:
        archive = tmp_path / "archive"
        command = [sys.executable, "-m", "veperf", "ab", *words, "--archive", str(archive)]
        done = subprocess.run(
            command,
            cwd=repository.folder / folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        ab = load_ab(archive=archive).ab if any(archive.glob("ab-*")) else None
        return Compared(done.returncode, done.stdout, done.stderr, ab)

    return run


def test_a_slowdown_and_nothing_else_is_slower(tmp_path: Path, compare) -> None:
    """Of two packages, the one that was slowed fails the gate by name."""
    base = go_modules.two_packages()
    new = base | {
        "orders/mix_test.go": base["orders/mix_test.go"].replace(str(go_modules.ROUNDS), str(SLOW))
    }
    repository = two_versions(tmp_path / "module", base, new)

    result = compare(repository, "--go", "./...", *COMMITS, *TIMED)

    assert ChangeStatus.SLOWER is result.status("Match")
    assert result.status("Sign") in BETTER
    assert 1 == result.code, result.output
    assert "market-orders/BenchmarkMatch" in result.output


def test_equal_code_is_not_slower(tmp_path: Path, compare) -> None:
    """Counts are equal exactly, and the working tree is what is new where nobody says."""
    repository = two_versions(tmp_path / "module", go_modules.mixing(), go_modules.mixing())

    result = compare(repository, "--go", "./...", "HEAD", *QUICK)

    assert result.status(_name("Mix")) in BETTER
    for metric in ("B/op", "allocs/op"):
        assert ChangeStatus.OK is result.status(_name("Mix"), metric)
    assert 0 == result.code, result.output


def test_one_more_allocation_fails_exactly(tmp_path: Path, compare) -> None:
    """Of three; the bytes, too. One less is faster, and neither needs a test."""
    repository = two_versions(
        tmp_path / "module", go_modules.allocating(3), go_modules.allocating(4)
    )

    result = compare(repository, "--go", "./...", *COMMITS, *QUICK)
    back = compare(repository, "--go", "./...", "HEAD", "--head", "HEAD~1", *QUICK)

    for metric, base, new in (("allocs/op", 3, 4), ("B/op", 192, 256)):
        change = result.changes[_name("Mix"), metric]
        assert (base, new, ChangeStatus.SLOWER) == (change.base, change.new, change.status)
        assert "exact" in change.reason
        assert ChangeStatus.FASTER is back.status(_name("Mix"), metric)
    assert (1, 0) == (result.code, back.code), result.output


@pytest.mark.parametrize("kind", ["panic", "index", "fatal", "error", "exit"])
def test_a_benchmark_that_fails_on_a_side_is_failed_there(
    tmp_path: Path, compare, kind: str
) -> None:
    """With what it said; the other benchmark of the same binary is compared all the same."""
    works = go_modules.with_benchmarks("Mix", "Order")
    repository = two_versions(tmp_path / "module", works, go_modules.failing(kind))

    for words, side in ((COMMITS, "new"), (("HEAD", "--head", "HEAD~1"), "base")):
        result = compare(repository, "--go", "./...", *words, *QUICK)

        failed = [change for (name, _), change in result.changes.items() if "Order" in name]
        assert [ChangeStatus.ERROR] == [change.status for change in failed]
        (change,) = failed
        assert change.reason.startswith(side)
        assert change.failure is not None
        said = f"{change.reason}{change.failure.message}{change.failure.traceback}"
        assert ("out of range" if kind == "index" else "no such order") in said
        assert result.status(_name("Mix")) in BETTER
        assert 3 == result.code, result.output


def test_a_benchmark_that_hangs_runs_into_the_time_limit(tmp_path: Path, compare) -> None:
    """It is an error with the limit in it, and nothing is left running."""
    works = go_modules.with_benchmarks("Mix", "Order")
    repository = two_versions(tmp_path / "module", works, go_modules.failing("hang"))

    result = compare(repository, "--go", "./...", *COMMITS, *QUICK, "--timeout", "5")

    (change,) = [change for (name, _), change in result.changes.items() if "Order" in name]
    assert ChangeStatus.ERROR is change.status
    assert "5 s" in change.reason or "deadlock" in change.reason
    assert 3 == result.code


def test_benchmarks_of_one_side_are_said(tmp_path: Path, compare) -> None:
    """What is gone by name, what is new by name; what both have is compared."""
    repository = two_versions(
        tmp_path / "module",
        go_modules.with_benchmarks("Mix", "Old"),
        go_modules.with_benchmarks("Mix", "New"),
    )

    result = compare(repository, "--go", "./...", *COMMITS, *QUICK)

    sides = {
        name.partition("-")[0]: change.only_in
        for (name, _), change in result.changes.items()
        if change.status is ChangeStatus.ONE_SIDED
    }
    assert {"Old": "base", "New": "new"} == sides
    assert result.status(_name("Mix")) in BETTER
    for name in ("BenchmarkOld", "BenchmarkNew"):
        assert name in result.output


def test_a_package_that_does_not_build_is_an_error_of_its_own(tmp_path: Path, compare) -> None:
    """With the compiler's line; packages that build are compared."""
    repository = two_versions(
        tmp_path / "module", go_modules.two_packages(), go_modules.not_building()
    )

    result = compare(repository, "--go", "./...", *COMMITS, *QUICK)

    assert result.ab is not None
    (broken,) = [c for c in result.ab.changes if c.status is ChangeStatus.ERROR]
    assert "market-orders" in broken.case
    assert broken.failure is not None
    assert "undefined: noSuchName" in f"{broken.failure.message}{broken.failure.traceback}"
    assert "noSuchName" in result.output
    assert result.status(_name("Sign")) in BETTER
    assert 3 == result.code


@pytest.mark.parametrize("inside", [True, False])
def test_a_module_in_a_folder_below(tmp_path: Path, compare, inside: bool) -> None:
    """Found from its own folder, and by a pattern from the root of the repository."""
    below = "services/market"
    repository = two_versions(
        tmp_path / "module",
        go_modules.below(below, go_modules.allocating(1)),
        go_modules.below(below, go_modules.allocating(2)),
    )

    pattern, folder = ("./...", below) if inside else (f"./{below}/...", "")
    result = compare(repository, "--go", pattern, *COMMITS, *QUICK, folder=folder)

    assert ChangeStatus.SLOWER is result.status(_name("Mix"), "allocs/op")
    assert 1 == result.code, result.output


def test_build_tags(tmp_path: Path, compare) -> None:
    """What they build is compared with them, and without them there is no such benchmark."""
    repository = two_versions(tmp_path / "module", go_modules.tagged(), go_modules.tagged())

    tagged = compare(repository, "--go", "./...", *COMMITS, *QUICK, "--go-tags", "ledger")
    plain = compare(repository, "--go", "./...", *COMMITS, *QUICK, "--bench", "Ledger")

    assert (_name("Ledger"), "time") in tagged.changes
    assert 2 == plain.code
    assert "Ledger" in plain.errors


def test_a_workspace(tmp_path: Path, compare) -> None:
    """Packages of both modules, of which one imports the other by go.work alone."""
    repository = two_versions(
        tmp_path / "module", go_modules.workspace(), go_modules.workspace(SLOW)
    )

    packages = ("--go", "./chain/...", "--go", "./daemon/...")
    result = compare(repository, *packages, *COMMITS, *TIMED)

    assert ChangeStatus.SLOWER is result.status("Daemon")
    assert result.status("Mix") in BETTER
    assert 1 == result.code, result.output


def test_custom_metrics_have_their_directions(tmp_path: Path, compare) -> None:
    """Fewer operations a second are slower, more time too; of widgets nobody knows."""
    repository = two_versions(
        tmp_path / "module",
        go_modules.measuring(rate=1_000, wait_ms=3),
        go_modules.measuring(rate=800, wait_ms=4),
    )

    result = compare(repository, "--go", "./...", *COMMITS, *TIMED)
    back = compare(repository, "--go", "./...", "HEAD", "--head", "HEAD~1", *TIMED)

    for metric in ("ops/s", "ms/wait"):
        assert ChangeStatus.SLOWER is result.status("Store", metric)
        assert ChangeStatus.FASTER is back.status("Store", metric)
    for compared in (result, back):
        assert ChangeStatus.CHANGED is compared.status("Store", "widgets")
    assert 1 == result.code


def test_sub_benchmarks_are_kept_apart(tmp_path: Path, compare) -> None:
    """One size of three takes longer; --bench selects among them as -bench does."""
    sizes = (1_000, 2_000, 4_000)
    repository = two_versions(
        tmp_path / "module",
        go_modules.with_sizes(*sizes),
        go_modules.with_sizes(*sizes, slow={2_000: TIMES}),
    )

    result = compare(repository, "--go", "./...", *COMMITS, *TIMED)
    selected = compare(repository, "--go", "./...", *COMMITS, *QUICK, "--bench", "Tree/size=4000")

    times = {name: change for (name, metric), change in result.changes.items() if metric == "time"}
    assert {f"Tree/size={size}" for size in sizes} == times.keys()
    assert ["Tree/size=2000"] == [
        name for name, change in times.items() if change.status is ChangeStatus.SLOWER
    ]
    assert {_name("Tree/size=4000")} == {name for name, _ in selected.changes}


def test_numbers_of_processors_are_kept_apart(tmp_path: Path, compare) -> None:
    """Slower on two processors alone, as Go prints their number."""
    repository = two_versions(
        tmp_path / "module", go_modules.by_processors(), go_modules.by_processors(slow_on=2)
    )

    result = compare(repository, "--go", "./...", *COMMITS, *TIMED, "--go-cpu", "1,2")

    assert ChangeStatus.SLOWER is result.status("Pool-2")
    assert result.status("Pool") in BETTER


def test_files_are_those_of_the_side_and_its_package(tmp_path: Path, compare) -> None:
    """Each side reads the testdata of its own commit, from the folder of its package."""
    repository = two_versions(tmp_path / "module", go_modules.reading(), go_modules.reading(SLOW))

    result = compare(repository, "--go", "./...", *COMMITS, *TIMED)

    assert ChangeStatus.SLOWER is result.status("File"), result.output


def test_what_a_program_prints_beside_results_is_no_result(tmp_path: Path, compare) -> None:
    """Banners, logs, standard error and lines that look like names; tests are not run."""
    repository = two_versions(tmp_path / "module", go_modules.chatty(), go_modules.chatty())

    result = compare(repository, "--go", "./...", *COMMITS, *QUICK)

    names = {name.partition("-")[0] for name, _ in result.changes}
    assert "Mix" in names
    assert "Nothing" not in names
    assert result.status(_name("Mix")) in BETTER
    assert 0 == result.code, result.output


def test_uncommitted_changes_are_the_new_side(tmp_path: Path, compare) -> None:
    """New files and changed ones; the commit stays what it is, and so does the working tree."""
    repository = GoRepository(tmp_path / "module")
    repository.commit(go_modules.allocating(1))
    repository.write(go_modules.allocating(2) | {"notes.txt": "not added"})
    before = repository.git("status", "--porcelain")

    result = compare(repository, "--go", "./...", "HEAD", *QUICK)

    assert ChangeStatus.SLOWER is result.status(_name("Mix"), "allocs/op")
    assert before == repository.git("status", "--porcelain")
    assert 1 == len(repository.git("worktree", "list").splitlines())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--go", "./...", "no-such-commit"), "no-such-commit"),
        (("--go", "./...", "HEAD", "--bench", "["), "["),
        (("--go", "./...", "HEAD", "--bench", "NoSuch"), "NoSuch"),
        (("--go", "./nowhere/...", "HEAD"), "nowhere"),
    ],
)
def test_a_question_that_makes_no_sense_is_wrong_usage(
    tmp_path: Path, compare, words: tuple[str, ...], reason: str
) -> None:
    """One line that says what is wrong, and 2."""
    repository = GoRepository(tmp_path / "module")
    repository.commit(go_modules.mixing())

    result = compare(repository, *words)

    assert 2 == result.code, result.output + result.errors
    assert reason in result.errors
    assert "Traceback" not in result.errors


@pytest.mark.alone
def test_ten_percent_more_work_is_slower(tmp_path: Path, compare) -> None:
    """And by about what was planted: one interval in twenty misses it by a little."""
    repository = two_versions(tmp_path / "module", go_modules.mixing(), go_modules.slowed(1.10))

    result = compare(repository, "--go", "./...", *COMMITS, "--go-cpu", "1")

    change = result.changes["Mix", "time"]
    assert ChangeStatus.SLOWER is change.status, result.output
    assert change.low is not None
    assert change.high is not None
    assert 1 < change.low < 1.15
    assert 1.05 < change.high


def _cpus() -> int:
    from veperf.programs.go_sides import default_processors

    return default_processors()


def _name(function: str) -> str:
    """Return the name that Go prints for a benchmark on this machine."""
    return function if _cpus() == 1 else f"{function}-{_cpus()}"
