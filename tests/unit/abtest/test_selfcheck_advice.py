"""What is said about a machine follows from what was seen of it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import change
from veperf.abtest.selfcheck import machine_advice
from veperf.core.ab_records import ABChange, ABRound
from veperf.core.run import Machine
from veperf.core.verdict import ChangeStatus
from veperf.measure.machine import MachineTuning

MACHINE = Machine("box", "Box 9000", 4, 16 << 30, "Linux 6.1", "CPython 3.11.7")
CALM = ABRound(1.0, 0.5, 0.0, 3_000.0)
STEADY = MachineTuning(("performance",), None)
CPU_BOUND = change("mine/work", ChangeStatus.OK)
WAITING = replace(CPU_BOUND, clock="wall")


@pytest.mark.parametrize(
    ("machine", "tuning", "rounds", "changes", "said"),
    [
        (MACHINE, STEADY, [CALM] * 3, [CPU_BOUND], ""),
        (MACHINE, STEADY, [], [], ""),
        (MACHINE, STEADY, [replace(CALM, load=9.0)] * 3, [], "load 9.0 on 4 cores"),
        (MACHINE, STEADY, [replace(CALM, steal_ratio=0.1)] * 3, [], "10\u202f% of the CPU time"),
        (MACHINE, STEADY, [replace(CALM, steal_ratio=None, frequency_mhz=None)], [], ""),
        (MACHINE, MachineTuning((), 0.5), [CALM], [], "may use 0.5 cores"),
        (MACHINE, MachineTuning(("powersave",), None), [CALM], [], "governor is powersave"),
        (replace(MACHINE, cores=1), STEADY, [CALM], [], "There is one core"),
        (
            MACHINE,
            STEADY,
            [CALM, replace(CALM, frequency_mhz=2_000.0)],
            [],
            "2,000 and 3,000\u202fMHz",
        ),
        (MACHINE, STEADY, [CALM], [WAITING], "Judged by wall time"),
    ],
)
def test_each_fault_has_its_sentence(
    machine: Machine,
    tuning: MachineTuning,
    rounds: list[ABRound],
    changes: list[ABChange],
    said: str,
) -> None:
    """One for each, and none where there is nothing to complain of."""
    actual = list(machine_advice(machine, tuning, rounds, changes))

    assert (1 if said else 0) == len(actual)
    assert said in "".join(actual)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", None), ("150000 100000", 1.5), ("", None), ("x y", None), ("1 0", None)],
)
def test_settings_are_read_from_sysfs(tmp_path: Path, quota: str, cores: float | None) -> None:
    """Governors of all cores, each once, and the container's share; nonsense is unknown."""
    for core, governor in enumerate(("powersave", "powersave", "performance")):
        folder = tmp_path / "devices" / "system" / "cpu" / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(f"{governor}\n")
    (tmp_path / "fs" / "cgroup").mkdir(parents=True)
    (tmp_path / "fs" / "cgroup" / "cpu.max").write_text(quota)

    assert MachineTuning(("performance", "powersave"), cores) == MachineTuning.now(tmp_path)
    assert MachineTuning((), None) == MachineTuning.now(tmp_path / "elsewhere")
