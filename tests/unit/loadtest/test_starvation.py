"""A load that others on the machine starved says nothing; a system that is overloaded says so."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.json import decode, encode
from msgspec.structs import replace

from tests.support.runs import CRASH, one_pass, whole_run
from tests.support.simulated import MS, Server, simulate
from veperf.core.case import LATENCY_METRICS, Case, Level, Metric
from veperf.core.load import CpuContention
from veperf.core.run import CaseResult, Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.loadtest.merge import merge_results
from veperf.loadtest.remote.clock_offset import ClockOffset
from veperf.loadtest.remote.messages import HostConditions
from veperf.loadtest.result import LoadResult, case_result, describe_starvation
from veperf.loadtest.schedule import Schedule, SchedulePart
from veperf.loadtest.sharded.shard import ShardReport, without_each_other
from veperf.report import rendering
from veperf.verdicts.targets import judge_targets

# Two CPUs for 10 s. One thread beside two endless loops gets half a CPU.
STARVED = CpuContention(10, 2, ran_s=5, waited_s=5, others_s=15, stolen_s=0)
# Eight own threads that want to run all the time, alone on the machine: each waits 3/4 of the time.
OVERLOADED = CpuContention(10, 2, ran_s=19.8, waited_s=60, others_s=0.2, stolen_s=0)
REASON = "the machine was too busy: the system's threads waited 50\u202f% of the time"

CASE = Case(
    "loads/desk",
    "loads/desk",
    "loads",
    Level.LOAD,
    "Serves.",
    metrics=(Metric("achieved", "tx/s", "higher"), *LATENCY_METRICS),
    targets={"error_rate": "loads/error_rate"},
)
TARGETS = TargetSet(
    "1", "tests", 10, 20, (Target("loads/error_rate", 0.1, "%", "lower", "errors"),)
)
_SECONDS = st.floats(0, 1e6, allow_subnormal=False)


def overload(contention: CpuContention | None) -> LoadResult:
    """600 items a second on a system that can do 500 and queues 50 at most: many are refused."""
    return simulate(
        lambda clock: Server(clock, 2 * MS, capacity=50),
        Schedule(600, 2, seed=1),
        contention=contention,
    )


def run_of(*results: LoadResult) -> Run:
    loads = [case_result(CASE.id, result) for result in results]
    return whole_run([CASE], [one_pass([load], index) for index, load in enumerate(loads)])


def verdict_on(*results: LoadResult) -> TargetVerdict:
    (verdict,) = judge_targets(run_of(*results), TARGETS)
    return verdict


@example(2.2250738585072014e-308, 0.0, 0.0, 4.0)
@given(_SECONDS, _SECONDS, _SECONDS, _SECONDS)
def test_nobody_takes_more_than_was_taken(
    ran_s: float, waited_s: float, others_s: float, stolen_s: float
) -> None:
    """Never more than others and the hypervisor had, and never more than all."""
    contention = CpuContention(10, 2, ran_s, waited_s, others_s, stolen_s)

    assert 0 <= contention.taken_s <= (others_s + stolen_s) * (1 + 1e-9)
    assert 0 <= contention.taken_ratio <= 1


@given(_SECONDS, _SECONDS)
def test_threads_that_wait_for_each_other_lose_nothing(ran_s: float, waited_s: float) -> None:
    """Alone on the machine, whatever its threads wait is the system's own affair."""
    contention = CpuContention(10, 2, ran_s, waited_s, others_s=0, stolen_s=0)

    assert 0 == contention.taken_s
    assert "" == describe_starvation(contention)


@given(own=st.integers(1, 40), others=st.integers(0, 40), cpus=st.integers(1, 16))
def test_the_share_is_what_a_fair_scheduler_would_give_back(
    own: int, others: int, cpus: int
) -> None:
    """Of threads that always want to run: what they ran with others, and would have run without."""
    each = min(1.0, cpus / (own + others))
    alone = own * min(1.0, cpus / own)
    contention = CpuContention(
        10, cpus, 10 * own * each, 10 * own * (1 - each), 10 * others * each, stolen_s=0
    )

    assert 1 - own * each / alone == pytest.approx(contention.taken_ratio, abs=1e-9)


@pytest.mark.parametrize(
    ("contention", "ratio"),
    [
        (STARVED, 0.5),
        (CpuContention(10, 2, ran_s=10, waited_s=0.1, others_s=9, stolen_s=0), 0.1 / 10.1),
        # Four own threads and one of others on two CPUs: a fifth of them is the other's.
        (CpuContention(10, 2, ran_s=16, waited_s=24, others_s=4, stolen_s=0), 0.2),
        # A hypervisor that takes every other tick of a thread that never waits.
        (CpuContention(10, 1, ran_s=5, waited_s=0, others_s=0, stolen_s=5), 0.5),
    ],
)
def test_the_share_is_what_others_had_of_the_time_that_was_wanted(
    contention: CpuContention, ratio: float
) -> None:
    """Worked out by hand for a scheduler that divides CPUs evenly."""
    assert ratio == pytest.approx(contention.taken_ratio)


@pytest.mark.parametrize(
    "contention",
    [
        None,
        OVERLOADED,
        replace(STARVED, seconds=0.5),
        # Next to nothing to do: it waits as long as it runs, 4 ms of each second.
        CpuContention(10, 2, ran_s=0.04, waited_s=0.04, others_s=19, stolen_s=0),
        # A quiet machine, where a system with little to do waits for its own threads.
        CpuContention(10, 2, ran_s=0.4, waited_s=0.4, others_s=0.6, stolen_s=0),
        # One neighbour on two CPUs: the system has the other.
        CpuContention(10, 2, ran_s=9, waited_s=0.5, others_s=10, stolen_s=0),
    ],
)
def test_what_is_not_the_machine_s_fault(contention: CpuContention | None) -> None:
    """Overload on a quiet machine is the system's result, and counts as a miss."""
    result = overload(contention)

    assert "" == result.invalid
    assert TargetStatus.FAIL is verdict_on(result, result, result).status


def test_a_starved_load_is_void_and_keeps_its_figures() -> None:
    """Neither met nor missed, with the reason; the figures stay, for information only."""
    result = overload(STARVED)
    (load,) = run_of(result).passes[0].results

    assert REASON in result.invalid
    assert load.failure is not None
    assert ("invalid", STARVED) == (load.failure.kind, load.contention)
    assert load.figures["error_rate"] > 1
    verdict = verdict_on(result, result, result)
    assert TargetStatus.NOT_MEASURED is verdict.status
    assert REASON in verdict.reason
    assert verdict.over is None


def test_a_miss_by_the_few_that_were_not_starved_counts_neither_way() -> None:
    """Two of three processes decide nothing, and the reason has the distance and the third."""
    bad = overload(None)
    verdict = verdict_on(bad, bad, overload(STARVED))

    assert TargetStatus.NOT_MEASURED is verdict.status
    assert verdict.over is not None
    assert verdict.over > 1
    assert "2 processes, and 3 are the minimum" in verdict.reason
    assert REASON in verdict.reason


def test_a_broken_system_is_no_starved_one() -> None:
    """Where one process crashed and the others were starved, the case is in error."""
    crashed = CaseResult(CASE.id, failure=CRASH)
    run = whole_run([CASE], [*run_of(overload(STARVED)).passes, one_pass([crashed], 1)])
    (verdict,) = judge_targets(run, TARGETS)

    assert TargetStatus.ERROR is verdict.status


def test_text_shows_what_others_had() -> None:
    """The reason, and the two shares, beside the figures."""
    text = rendering.load_text(run_of(overload(STARVED)))

    assert f"void: {REASON}" in text
    for name, value in (("Waited for a CPU that others had", "50"), ("CPU time of others", "75")):
        (row,) = [line for line in text.splitlines() if line.startswith(name)]
        assert row.endswith(f"{value}\u202f%")


def test_a_stored_result_from_before_has_no_contention() -> None:
    """Old files load; new ones keep it."""
    assert decode(b'{"case":"a"}', type=CaseResult).contention is None
    result = CaseResult("a", contention=STARVED)
    assert result == decode(encode(result), type=CaseResult)


# ---------------------------------------------------------------- shards


def report(shard: int, contention: CpuContention | None, boot_id: str) -> ShardReport:
    clock = ClockOffset(offset_ns=0, wall_offset_ns=0, uncertainty_ns=1, measured_ns=1)
    schedule = Schedule(400, 2, 0.5, part=SchedulePart(shard, 2))
    result = simulate(lambda c: Server(c, MS // 10), schedule, contention=contention)
    target = CpuContention(10, 2, ran_s=8, waited_s=10, others_s=12, stolen_s=0)
    conditions = HostConditions(0, 0, None, None, 1, target, "first")
    return ShardReport("host", result, 0, clock, None, conditions, boot_id)


def test_members_of_a_load_are_no_others_to_each_other() -> None:
    """On one host, only what is neither the target nor a shard counts."""
    of_shard = CpuContention(10, 2, ran_s=5, waited_s=9, others_s=15, stolen_s=0)
    reports = {0: report(0, of_shard, "first"), 1: report(1, of_shard, "second")}
    settled, target = without_each_other(reports)
    first, second = (settled[shard].result.contention for shard in (0, 1))

    assert target is not None
    assert first is not None
    assert 7 == target.others_s
    assert 7 == first.others_s
    assert second == of_shard


def test_a_starved_shard_says_so_of_itself() -> None:
    """It is the generator that waited, not the system."""
    assert "too busy: its threads waited 50" in report(0, STARVED, "").invalid


def test_the_whole_load_has_the_system_s_contention() -> None:
    """Of the target, not of a shard."""
    results = [report(shard, None, "").result for shard in (0, 1)]

    assert STARVED == merge_results(results, contention=STARVED).contention
    assert REASON in merge_results(results, contention=STARVED).invalid


def test_conditions_of_an_earlier_target_are_read() -> None:
    """Without contention, which is unknown then."""
    earlier = b'{"load_before":1,"load_after":1,"frequency_mhz":null,"steal_ratio":null,'
    conditions = decode(earlier + b'"calibration_ns":1}', type=HostConditions)

    assert (None, "") == (conditions.contention, conditions.boot_id)
