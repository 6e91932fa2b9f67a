"""``veperf load`` as a user types it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import children
from veperf.archive.store import Archive
from veperf.core.run import CaseResult

ROOT = Path(__file__).parents[2]
WORDS = [sys.executable, "-m", "veperf", "load"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def put_load(archive: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*WORDS, "--module", "tests.support.loads", "--archive", str(archive), *words]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False
    )


def only_result(archive: Path) -> CaseResult:
    (item,) = Archive(archive).load().passes
    (result,) = item.results
    return result


def is_valid(text: str) -> bool:
    """Whether the generator got the CPU in time: others may be busy on the machine."""
    return "✓" in text


@pytest.mark.alone
def test_a_load_is_shown_kept_and_reported_on(tmp_path: Path):
    """All figures at the given rate, the plan on record, and a report that says the same."""
    done = put_load(
        tmp_path, "loads/desk", "--rate", "150", "--seconds", "1.5", "--warmup", "0.5",
        "--arrivals", "constant",
    )  # fmt: skip

    assert (0 if is_valid(done.stdout) else 3) == done.returncode, done.stderr
    for name in ("Offered", "Achieved", "Latency p99.9", "Errors", "Generator lag"):
        assert name in done.stdout
    result = only_result(tmp_path)
    assert "loads/desk[rate=150]" == result.case
    assert 150 == pytest.approx(result.figures["offered"], rel=0.2)
    assert result.stopped_after_s is None
    plan = Archive(tmp_path).load().config.load
    assert (1, 1.5, 0.5, "constant") == (plan.passes, plan.seconds, plan.warmup_s, plan.arrivals)
    report = subprocess.run(
        [*WORDS[:3], "report", "--archive", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert 0 == report.returncode, report.stderr
    assert list(tmp_path.glob("*/index.html"))


@pytest.mark.alone
def test_ctrl_c_keeps_what_was_measured(tmp_path: Path):
    """Code 130, the figures so far in a complete run that says so, and no process left."""
    command = [*WORDS, "loads/desk", "--module", "tests.support.loads", "--archive", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--seconds", "600", "--warmup", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert "setting up" in process.stderr.readline()
    time.sleep(3)
    (worker,) = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert "was stopped by hand" in output
    assert not Path(f"/proc/{worker}").exists()
    result = only_result(tmp_path)
    assert result.stopped_after_s is not None
    assert 0 < result.stopped_after_s < 60
    assert result.figures["achieved"] > 0


@pytest.mark.alone
def test_a_load_that_hangs_is_given_up(tmp_path: Path):
    """It has as long as it likes, but not without a sign of life; and code 3."""
    done = put_load(tmp_path, "loads/hangs", "--timeout", "2", "--seconds", "600")

    assert 3 == done.returncode
    assert "no sign of life within 2 s" in done.stdout
    failure = only_result(tmp_path).failure
    assert failure is not None
    assert "timeout" == failure.kind


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["loads/no"], "no load benchmark 'loads/no'"),
        (["loads/no_task"], "is no load"),
        (["loads/busiest", "--rate", "5"], "no parameter 'rate'"),
        (["loads/desk", "--rate", "2000000"], "must be in (0, 1e+06]"),
        (["loads/desk", "--seconds", "nan"], "must be more than 0, not nan"),
        (["loads/desk", "--seconds", "-1"], "must be more than 0, not -1"),
        (["loads/desk", "--param", "rate"], "NAME=VALUE"),
        (["loads/desk", "--param", "rate=1", "--rate", "1"], "given twice"),
        (["loads/desk", "--arrivals", "bursts"], "'bursts' is not one of"),
    ],
)
def test_a_wrong_load_is_refused_before_anything_is_measured(
    words: list[str], message: str, tmp_path: Path
):
    """Code 2, one line, no run."""
    done = put_load(tmp_path, *words)

    assert 2 == done.returncode
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())
