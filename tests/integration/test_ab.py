"""``veperf ab`` on a repository with an old and a new version of a module of benchmarks."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veperf.abtest import discovery
from veperf.abtest.run import ab
from veperf.abtest.selfcheck import selfcheck
from veperf.archive.comparisons import read_ab
from veperf.core.ab_records import ABChange
from veperf.core.errors import MeasureError
from veperf.core.verdict import ChangeStatus
from veperf.stats.power import EFFECTS

ROOT = Path(__file__).parents[2]
WORDS = [sys.executable, "-m", "veperf", "ab"]

OLD = '''
"""Benchmarks of a project."""

from veperf.core.case import Level
from veperf.core.registry import LoadTask, Task, benchmark


@benchmark("mine/work", level=Level.MICRO)
def work() -> Task:
    """Adds up."""
    numbers = list(range(20_000))
    return Task(lambda: sum(numbers))


@benchmark("mine/same", level=Level.MICRO)
def same() -> Task:
    """Adds up."""
    numbers = list(range(20_000))
    return Task(lambda: sum(numbers))


@benchmark("mine/breaks", level=Level.MICRO)
def breaks() -> Task:
    """Adds up."""
    return Task(lambda: sum([1]))


@benchmark("mine/gone", level=Level.MICRO)
def gone() -> Task:
    """Adds up."""
    return Task(lambda: None)


@benchmark("mine/long", level=Level.MICRO, slow=("*",))
def long() -> Task:
    """Is not for every day."""
    return Task(lambda: None)


@benchmark("mine/load", level=Level.LOAD)
def load() -> LoadTask:
    """Is a load."""
    raise NotImplementedError
'''
NEW = (
    OLD.replace("range(20_000)", "range(40_000)", 1)
    .replace("sum([1])", "1 / 0")
    .replace("mine/gone", "mine/fresh")
)


def run_git(repository: Path, *words: str) -> None:
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
    subprocess.run(["git", "-C", str(repository), *who, *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Two commits; the working tree is as the second."""
    top: Path = tmp_path_factory.mktemp("project")
    run_git(top, "init", "-q")
    for content in (OLD, NEW):
        (top / "mine.py").write_text(content)
        run_git(top, "add", "-A")
        run_git(top, "commit", "-q", "-m", "a version")
    return top


def veperf_ab(cwd: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*WORDS, *words], capture_output=True, text=True, cwd=cwd, env=environment(), check=False
    )


def environment() -> dict[str, str]:
    named = {"PYTHONPATH": str(ROOT)}
    return {k: v for k, v in os.environ.items() if k != "GITHUB_STEP_SUMMARY"} | named


def found_in(archive: Path) -> dict[str, ABChange]:
    return {change.case: change for change in read_ab(archive).changes}


@pytest.mark.alone
def test_a_slowdown_is_found_and_the_rest_stays_apart(repository: Path, tmp_path: Path):
    """Slower, undisturbed, broken and one-sided benchmarks each get their own answer; code 3."""
    done = veperf_ab(
        repository, "HEAD~1", "--module", "mine", "mine", "--archive", str(tmp_path),
        "--max-pairs", "11", "--summary", str(tmp_path / "summary.md"),
    )  # fmt: skip

    assert 3 == done.returncode, done.stderr
    actual = found_in(tmp_path)
    assert {"mine/work", "mine/same", "mine/breaks", "mine/fresh", "mine/gone"} == actual.keys()
    work, same, breaks = (actual[f"mine/{name}"] for name in ("work", "same", "breaks"))
    assert ChangeStatus.SLOWER is work.status
    assert work.ratio == pytest.approx(2, rel=0.3)
    assert all(20 == len(pair.base_samples) == len(pair.new_samples) for pair in work.pairs)
    assert ChangeStatus.SLOWER is not same.status
    assert ChangeStatus.ERROR is breaks.status
    assert "new code could not be measured: ZeroDivisionError" in breaks.reason
    assert {ChangeStatus.ONE_SIDED} == {actual["mine/fresh"].status, actual["mine/gone"].status}
    assert "only in HEAD~1" == actual["mine/gone"].reason
    assert "mine/work slower" in done.stderr
    assert "Could not measure" in done.stdout
    assert "mine/work" in (tmp_path / "summary.md").read_text()
    assert "Traceback" not in done.stderr


@pytest.mark.alone
def test_two_commits_are_compared(repository: Path, tmp_path: Path):
    """The other way round the same change is a speed-up, and ends with 0."""
    done = veperf_ab(
        repository, "HEAD", "mine/work", "--head", "HEAD~1", "--module", "mine",
        "--archive", str(tmp_path), "--max-pairs", "8", "--seed", "1",
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    run = read_ab(tmp_path)
    assert ChangeStatus.FASTER is run.changes[0].status
    assert ("HEAD", "HEAD~1", False) == (run.base.name, run.new.name, run.new.revision.dirty)
    assert f"kept in {tmp_path}" in done.stdout


@pytest.mark.alone
def test_packages_of_another_version_get_their_own_environment(
    repository: Path, tmp_path: Path, monkeypatch
):
    """A side whose dependencies differ runs under another Python, and is compared all the same."""
    (repository / "requirements.txt").write_text("msgspec\n")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    try:
        actual = ab(
            "HEAD", "mine/same", modules=["mine"], max_pairs=6, archive=tmp_path, progress=False
        )
    finally:
        (repository / "requirements.txt").unlink()

    assert ("its own, as its dependencies differ", "") == (
        actual.ab.base.environment,
        actual.ab.new.environment,
    )
    assert 6 == len(actual.ab.changes[0].pairs)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "BASE is missing"),
        (["nonsense"], 2, "'nonsense' is no commit"),
        (["HEAD", "mine/typo"], 2, "no benchmark matches 'mine/typo'"),
        (["HEAD", "mine/load", "--module", "mine"], 2, "mine/load is a load"),
        (["HEAD", "--time-budget", "soon"], 2, "not a duration"),
        (["HEAD", "--time-budget", "0s"], 2, "not a duration"),
        (["HEAD", "--max-pairs", "5"], 2, "5 is not in the range"),
        (
            ["HEAD", "--fail-over", "0.5%"],
            2,
            "min_effect can't be more than fail_over: 1% is more than 0.5%",
        ),
        (["HEAD", "--head", "HEAD", "--working-tree"], 2, "either --head or --working-tree"),
        (["HEAD", "mine", "--archive", "/proc/veperf"], 3, "can't write /proc/veperf"),
        (["HEAD", "--timeout", "0"], 2, "'--timeout': must be more than 0"),
        (["HEAD", "--value", "printed"], 2, "are for two commands"),
        (["--command-a", "true"], 2, "both commands are needed"),
        (["HEAD", "--command-a", "true", "--command-b", "true"], 2, "no BASE"),
        (["--command-a", "true", "--command-b", "true", "--unit", "kg"], 2, "printed values"),
    ],
)
def test_a_wrong_question_is_refused(
    words: list[str], code: int, said: str, repository: Path, tmp_path: Path
):
    """Code 2 (3 for a place that can't be written), one line, and nothing is measured."""
    done = veperf_ab(repository, "--archive", str(tmp_path), *words)

    assert code == done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_base_that_speaks_another_protocol_is_named(repository: Path, tmp_path, monkeypatch):
    """An old version of veperf on one side is an error that says so, before any measuring."""
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(discovery, "PROTOCOL", 1)

    with pytest.raises(MeasureError, match=r"the veperf of HEAD .* protocol"):
        ab("HEAD", "mine/same", modules=["mine"], archive=tmp_path, progress=False)


def test_a_module_that_can_t_be_imported_names_its_side(tmp_path: Path, monkeypatch):
    """Broken code in one commit is told with the commit's name."""
    run_git(tmp_path, "init", "-q")
    (tmp_path / "mine.py").write_text("import no_such_package\n")
    run_git(tmp_path, "add", "-A")
    run_git(tmp_path, "commit", "-q", "-m", "broken")
    (tmp_path / "mine.py").write_text(OLD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    with pytest.raises(MeasureError, match=r"benchmarks of HEAD can't be read.*no_such_package"):
        ab("HEAD", modules=["mine"], archive=tmp_path, progress=False)


def test_ctrl_c_keeps_what_is_decided(tmp_path: Path):
    """Code 130, a comparison on disk that says so, nothing decided by the interruption."""
    process = subprocess.Popen(
        [*WORDS, "--command-a", "sleep 0.1", "--command-b", "sleep 0.1", "--archive",
         str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=tmp_path,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "undecided" in process.stderr.readline()
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    run = read_ab(tmp_path)
    assert "hand" == run.stopped
    assert ChangeStatus.INCONCLUSIVE is run.changes[0].status
    assert "stopped by hand" in output


@pytest.mark.alone
def test_the_same_code_is_checked_against_itself(monkeypatch):
    """selfcheck judges every case, and says what shows on this machine."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(ROOT)
    actual = selfcheck("planted", modules=["tests.support.planted"], max_pairs=6, progress=False)

    (case,) = actual.cases
    assert "planted/work" == case.case
    assert 6 == case.pairs
    assert case.minimum_detectable_effect is None or case.minimum_detectable_effect in EFFECTS
    assert (0, 1)[actual.false_alarms > 0] == actual.exit_code()
    for rendered in (repr(actual), actual._repr_html_()):
        assert "planted/work" in rendered
    assert ["planted/work"] == list(actual.frame().index)


def test_a_comparison_is_plain_json(repository: Path, tmp_path: Path):
    """What is kept can be read without veperf."""
    done = veperf_ab(
        tmp_path, "--command-a", "echo 1", "--command-b", "echo 1", "--value", "printed",
        "--archive", str(tmp_path), "--unit", "points",
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    (path,) = tmp_path.glob("ab-*/ab.json")
    content = json.loads(path.read_text())
    assert ("ok", "points") == (
        content["changes"][0]["status"],
        content["changes"][0]["metric"]["unit"],
    )
