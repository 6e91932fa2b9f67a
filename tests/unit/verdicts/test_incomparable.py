"""What two files measured is not compared where one measures something else, and it is said."""

import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus
from veperf.formats.readers import read_runs
from veperf.verdicts.baseline import baselines_of, pool_baselines
from veperf.verdicts.screen import compare_runs

NEAR = (1000, 1004, 998, 1001, 1007, 995, 1002, 1010, 999, 1003)


def read(text: str, by: str = "") -> list[Run]:
    return [imported.run for imported in read_runs(text.encode(), "f", by=by)]


def go(cpu: str, factor: float = 1, side: str = "") -> str:
    results = "".join(f"BenchmarkA-8 100 {t * factor} ns/op 2 allocs/op\n" for t in NEAR)
    return f"cpu: {cpu}\nside: {side}\n{results}"


def table(unit: str, factor: float = 1) -> str:
    return "name,value,unit\n" + "".join(f"a,{t * factor},{unit}\n" for t in NEAR)


def asv(version: str | None, seconds: float = 1.0, layout: int = 2, machine: str = "box") -> str:
    about = {"version": layout, "commit_hash": "a" * 40, "params": {"machine": machine}}
    samples = [t * seconds for t in NEAR]
    if layout == 1:
        entry = {"result": [seconds], "samples": [samples], "params": []}
        known = {"benchmark_version": {"b.time_f": version}} if version else {}
        return json.dumps(about | {"results": {"b.time_f": entry}} | known)
    columns = ["result", "params", "version", "samples"]
    row = [[seconds], [], version, [samples]]
    return json.dumps(about | {"result_columns": columns, "results": {"b.time_f": row}})


def pytest_file(node: str, factor: float = 1) -> str:
    stats = {"data": [t * factor for t in NEAR]}
    host = {"node": node, "cpu": {"brand_raw": "Box 9000"}}
    return json.dumps({"machine_info": host, "benchmarks": [{"name": "f", "stats": stats}]})


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((go("Old 1", side="x") + go("New 2", 0.1, "y"),), "CPU Old 1, now New 2"),
        ((go("Old 1"), go("Old 1") + go("New 2", 0.1)), "several: Old 1, New 2"),
        ((go("A") + go("B"), go("A", 0.1) + go("B", 0.1)), "several: A, B"),
        ((table("ms"), table("")), "with a unit, now without a unit"),
        ((table(""), table("us")), "without a unit, now with a unit"),
        ((asv("1a"), asv("2b", 0.1)), "version 1a, now version 2b"),
        ((asv("1a", layout=1), asv("2b", 0.1)), "version 1a, now version 2b"),
        ((asv("1a"), asv("1a", 0.1, machine="other")), "machine box, now other"),
        ((pytest_file("box"), pytest_file("other", 9)), "machine box, now other"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_neither_faster_nor_slower(texts: Sequence[str], said: str) -> None:
    """A CPU, a host, a unit that nobody wrote, another version of the benchmark."""
    base, new = (run for text in texts for run in read(text, "side" if len(texts) == 1 else ""))

    change = compare_runs(base, new)[0]

    assert ChangeStatus.OTHER_MACHINE is change.status
    assert said in change.reason


@pytest.mark.parametrize(
    ("base", "new"),
    [
        (table(""), table("", 1.5)),
        (asv("1a"), asv("1a", 1.5)),
        (asv(None), asv("1a", 1.5)),
        (go("Old 1"), go("Old 1", 1.5)),
        (pytest_file("box"), pytest_file("box", 1.5)),
        (pytest_file(""), pytest_file("box", 1.5)),
    ],
)
def test_what_is_the_same_or_unknown_is_compared(base: str, new: str) -> None:
    """What one side doesn't say is no difference, but for a unit."""
    assert ChangeStatus.SLOWER is compare_runs(read(base)[0], read(new)[0])[0].status


def test_hosts_that_are_named_anew_can_be_stated_to_be_one_machine() -> None:
    """Containers have other names each time; CPUs have not."""
    base, new = (read(pytest_file(node, f))[0] for node, f in (("pod-1", 1), ("pod-2", 1.5)))
    other = replace(new, machine=replace(new.machine, cpu_model="Box 1"))

    assert ChangeStatus.SLOWER is compare_runs(base, new, same_machine=True)[0].status
    assert ChangeStatus.OTHER_MACHINE is compare_runs(base, other, same_machine=True)[0].status


def test_a_baseline_of_two_versions_pools_neither() -> None:
    """Sessions of the older version are no noise of the newer one."""
    old, new = (baselines_of(read(asv(version))[0])[0] for version in ("1a", "2b"))

    assert [10, 10] == [len(series.wall) for series in pool_baselines([old, new]).series]
