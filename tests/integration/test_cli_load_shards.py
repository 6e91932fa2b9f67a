"""``veperf load --shards`` as a user types it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clusters import until
from tests.support.processes import children, is_running
from veperf.archive.store import Archive
from veperf.core.run import CaseResult

ROOT = Path(__file__).parents[2]
WORDS = [
    sys.executable,
    "-m",
    "veperf",
    "load",
    "apart/load",
    "--module",
    "tests.support.remote_loads",
]


def put_load(archive: Path, *words: str, token: str = "") -> "subprocess.CompletedProcess[str]":
    environment = os.environ | ({"VEPERF_LOAD_TOKEN": token} if token else {})
    return subprocess.run(
        [*WORDS, "--archive", str(archive), *words],
        capture_output=True, text=True, cwd=ROOT, env=environment, check=False, timeout=120,
    )  # fmt: skip


def only_result(archive: Path) -> CaseResult:
    (item,) = Archive(archive).load().passes
    (result,) = item.results
    return result


@pytest.mark.alone
def test_a_load_is_shown_kept_and_reported_on(tmp_path: Path) -> None:
    """The figures of all, a row for each shard, and a report with both."""
    done = put_load(tmp_path, "--shards", "2", "--seconds", "2", "--warmup", "0.5", "--seed", "3")

    assert (0 if "✓ apart/load" in done.stdout else 3) == done.returncode, done.stderr
    for words in ("apart/load[shards=2]", "Offered", "Own lag p99", "Clock offset"):
        assert words in done.stdout
    result = only_result(tmp_path)
    assert "apart/load[shards=2]" == result.case
    assert 2 == len(result.shards)
    report = subprocess.run(
        [*WORDS[:3], "report", "--archive", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert 0 == report.returncode, report.stderr
    assert any("Where the load came from" in page.read_text() for page in tmp_path.glob("*/*.html"))


@pytest.mark.alone
def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    """Code 130, the figures of both shards so far, and no process left."""
    process = subprocess.Popen(
        [*WORDS, "--archive", str(tmp_path), "--shards", "2", "--seconds", "600", "--warmup", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "setting up" in process.stderr.readline()
    started = target_and_shards(process.pid)
    assert " of 10:00" in process.stderr.readline()  # the load has begun, and shows itself
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert "was stopped by hand" in output
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    result = only_result(tmp_path)
    assert result.stopped_after_s is not None
    assert 2 == len(result.shards)


@pytest.mark.alone
def test_killed_outright(tmp_path: Path) -> None:
    """It leaves no process behind, and `veperf run --resume` puts the load on from the start."""
    process = subprocess.Popen(
        [*WORDS, "--archive", str(tmp_path), "--shards", "2", "--seconds", "3", "--warmup", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stderr is not None
    assert "setting up" in process.stderr.readline()
    started = target_and_shards(process.pid)
    process.kill()
    process.communicate()
    until(lambda: not any(is_running(pid) for pid in started))
    subprocess.run(
        [*WORDS[:3], "run", "--resume", "--archive", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip

    assert 2 == len(only_result(tmp_path).shards)


@pytest.mark.alone
def test_on_a_target_that_runs_already(tmp_path: Path) -> None:
    """`veperf serve` says where it is and what its token is; that is all that is needed."""
    with subprocess.Popen(
        [*WORDS[:3], "serve", *WORDS[4:]], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as target:
        assert target.stdout is not None
        address = target.stdout.readline().strip()
        token = target.stdout.readline().strip().partition("=")[2]
        words = ("--target", address, "--seconds", "1", "--warmup", "0")
        done = put_load(tmp_path, "--shards", "2", *words, token=token)
        stranger = put_load(tmp_path / "no", "--shards", "2", *words, token="x" * 32)
        target.send_signal(signal.SIGINT)

    assert (0 if "✓ apart/load" in done.stdout else 3) == done.returncode, done.stderr
    assert 2 == len(only_result(tmp_path).shards)
    assert 3 == stranger.returncode
    assert "the token is not this target's" in stranger.stderr
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shards", "0", "--target", "unix:///tmp/x"], "say how many"),
        (["--shards", "-1"], "-1 is not in the range"),
        (["--scheduler", "tcp://127.0.0.1:1"], "say how many"),
        (["--shards", "2", "--target-class", "big"], "needs a scheduler"),
        (["--shards", "2", "--target", "tcp://127.0.0.1:7000"], "VEPERF_LOAD_TOKEN"),
        (["--shards", "2", "--target", "nowhere"], "'nowhere' is no address"),
    ],
)
def test_a_wrong_load_is_refused_before_anything_is_measured(
    words: list[str], message: str, tmp_path: Path
) -> None:
    """Code 2, one line, no run."""
    done = put_load(tmp_path, *words)

    assert 2 == done.returncode
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [
        ("transaction/throughput", "it searches for a rate"),
        ("transaction/throughput", "as in `veperf load transaction/load --rate RATE --shards 2`"),
        ("verification/throughput", "as in `veperf load verification/load --rate RATE"),
        ("loads/desk", "its system can't run in a process of its own"),
        ("loads/desk", "those that can: transaction/load, "),
    ],
)
def test_what_has_no_shards_is_refused_before_anything_is_looked_for(
    benchmark: str, message: str, tmp_path: Path
) -> None:
    """Code 2, and what can be done instead; that there is no scheduler is not even found out."""
    words = (
        *WORDS[:3],
        "load",
        benchmark,
        "--module",
        "tests.support.loads",
        "--archive",
        str(tmp_path),
    )
    done = subprocess.run(
        [*words, "--shards", "2", "--scheduler", "tcp://127.0.0.1:1"],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120,
    )  # fmt: skip

    assert 2 == done.returncode
    assert message in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert [] == list(tmp_path.iterdir())


def target_and_shards(pid: int) -> list[int]:
    """The three processes that ``veperf load --shards 2`` starts, once they are there."""
    actual: list[int] = []

    def are_there() -> bool:
        actual[:] = children(pid)
        return len(actual) == 3

    until(are_there)
    return actual
