"""Two shell commands in pairs: times, printed numbers, and all that can go wrong with them."""

from pathlib import Path

import pytest

from veperf.abtest.ab_result import ABResult
from veperf.abtest.run import ab_commands, load_ab
from veperf.core.case import Better
from veperf.core.gate import Outcome
from veperf.core.verdict import ChangeStatus


def compared(
    archive: Path, a: str, b: str, *, better: Better = "lower", timeout_s: float = 20.0
) -> ABResult:
    """Printed numbers."""
    return ab_commands(
        a, b, value="printed", better=better, archive=archive, timeout_s=timeout_s, progress=False
    )


@pytest.mark.parametrize(
    ("a", "b", "better", "status"),
    [
        (100, 200, "lower", ChangeStatus.SLOWER),
        (100, 200, "higher", ChangeStatus.FASTER),
        (200, 100, "higher", ChangeStatus.SLOWER),
        (100, 100, "lower", ChangeStatus.OK),
        (100, 100.5, "lower", ChangeStatus.OK),
    ],
)
def test_printed_numbers_are_compared(
    tmp_path: Path, a: float, b: float, better: Better, status: ChangeStatus
):
    """The last line counts, the direction is the one asked for, a ratio over 1 is worse."""
    actual = compared(
        tmp_path, f"echo noise; echo {a}", f"echo noise; echo {b}; echo", better=better
    )

    (change,) = actual.ab.changes
    assert status is change.status
    assert (a, b) == (change.base, change.new)
    assert actual.ab == load_ab(archive=tmp_path).ab


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "exit code 3"),
        ("echo fine; kill -9 $$", "exit code -9"),
        ("no-such-program-anywhere", "exit code 127"),
        ("true", "must be a number, not nothing"),
        ("echo 12 ms", "not '12 ms'"),
        ("sleep 60 & sleep 60", "not done within 0.5 s"),
    ],
)
def test_a_command_that_fails_is_an_error(tmp_path: Path, command: str, said: str):
    """Whichever side it is on: an error that says why, at once, with what it had to say."""
    for a, b, side in ((command, "echo 1", "base"), ("echo 1", command, "new")):
        actual = compared(tmp_path, a, b, timeout_s=0.5)
        (change,) = actual.ab.changes
        assert ChangeStatus.ERROR is change.status
        assert side in change.reason
        assert said in change.reason
        assert (Outcome.ERROR, 3) == (actual.decision.outcome, actual.exit_code())


@pytest.mark.parametrize("bad", ["nan", "inf", "-1", "0"])
def test_a_number_that_has_no_ratio_never_passes(tmp_path: Path, bad: str):
    """Not a number, infinite, negative, zero."""
    actual = compared(tmp_path, "echo 1", f"echo {bad}")

    assert actual.ab == load_ab(archive=tmp_path).ab
    assert actual.decision.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)


@pytest.mark.alone
def test_time_is_measured_whole(tmp_path: Path):
    """A command that waits is timed by the wall, children and all."""
    actual = ab_commands("true", "sleep 0.2", max_pairs=8, archive=tmp_path, progress=False)

    (change,) = actual.ab.changes
    assert ("wall", ChangeStatus.SLOWER) == (change.clock, change.status)
    assert change.new is not None
    assert change.new >= 0.2e9


def test_cpu_time_does_not_count_waiting(tmp_path: Path):
    """That of the command and the children that it waited for."""
    busy = "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'"
    actual = ab_commands("sleep 0.05", busy, value="cpu", max_pairs=8, archive=tmp_path,
        progress=False)  # fmt: skip

    (change,) = actual.ab.changes
    assert ChangeStatus.SLOWER is change.status
    assert change.base is not None
    assert change.base < 0.05e9


def test_a_time_budget_ends_in_inconclusive(tmp_path: Path):
    """What was not decided by then is said to be so, and never passes, strict or not."""
    actual = ab_commands("sleep 0.1", "sleep 0.1", time_budget_s=0.5, archive=tmp_path,
        progress=False)  # fmt: skip

    assert "time" == actual.ab.stopped
    assert (Outcome.INCONCLUSIVE, 4, 4) == (
        actual.decision.outcome,
        actual.exit_code(),
        actual.exit_code(strict=True),
    )
    assert "time budget ran out" in repr(actual)
