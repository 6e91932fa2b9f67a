"""A whole verdict never passes what it does not know, and says in a sentence what it does."""

from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.runs import CRASH, MACHINE, timed_run
from veperf.core.baseline import Baseline
from veperf.core.errors import COULD_NOT_MEASURE, OK
from veperf.core.gate import KnownMiss
from veperf.core.policy import GatePolicy
from veperf.core.run import Failure, Run
from veperf.core.target import Target, TargetSet
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.verdict import run_verdict

TARGETS = TargetSet(
    "1.0.0",
    "PERF-001",
    10,
    20,
    tuple(Target(f"demo/{name}", 1000, "ns", "lower", "Works.") for name in "ab"),
)
STEADY = [99.0, 99.5, 99.8, 100.0, 100.2, 100.5]


def run(
    a: Sequence[float | Failure],
    b: Sequence[float | Failure] = (500.0,) * 6,
    *,
    asked: int | None = None,
    load: float = 0.5,
    steal: float = 0.0,
    yardstick_ns: float = 1e6,
) -> Run:
    """Two cases, each with a target of 1,000 ns."""
    return timed_run(
        {"demo/a": a, "demo/b": b[: len(a)]},
        targets={"demo/a": "demo/a", "demo/b": "demo/b"},
        asked=asked,
        load=load,
        steal=steal,
        yardstick_ns=yardstick_ns,
    )


def scaled(factor: float) -> list[float]:
    return [factor * t for t in STEADY]


ELSEWHERE = timed_run({"demo/a": STEADY}, machine=msgspec.structs.replace(MACHINE, cpu_model="X"))
NOISY = [60.0, 80.0, 100.0, 120.0, 140.0, 160.0]


@pytest.mark.parametrize(
    ("measured", "baselines", "known", "outcome", "lenient", "strict"),
    [
        (run(STEADY), (), (), "pass", 0, 0),
        (run(STEADY), baselines_of(run(STEADY)), (), "pass", 0, 0),
        (run(scaled(0.5)), baselines_of(run(STEADY)), (), "pass", 0, 0),
        (run(scaled(11.5)), (), (), "warn", 0, 0),
        (run(scaled(30)), (), ["demo/a"], "warn", 0, 0),
        (run(scaled(1.1)), baselines_of(run(STEADY)), (), "warn", 0, 4),
        (run(STEADY), baselines_of(ELSEWHERE), (), "warn", 0, 4),
        (run(NOISY), baselines_of(run(NOISY)), (), "inconclusive", 0, 4),
        (run(STEADY[:3]), baselines_of(run(STEADY[:3])), (), "inconclusive", 0, 4),
        (run(STEADY[:2]), (), (), "error", 3, 3),
        (run([CRASH, *STEADY[1:]]), (), (), "error", 3, 3),
        (timed_run({"demo/x": STEADY}), (), (), "error", 3, 3),
        (timed_run({"other/x": STEADY}), (), (), "error", 3, 3),
        (timed_run({}), (), (), "error", 3, 3),
        (run(scaled(30)), (), (), "fail", 1, 1),
        (run(scaled(30)), (), ["demo/b"], "fail", 1, 1),
        (run(scaled(2)), baselines_of(run(STEADY)), (), "fail", 1, 1),
        (run(scaled(2)), baselines_of(run(STEADY)), ["demo/a"], "fail", 1, 1),
        (run([CRASH] * 6), (), (), "error", 3, 3),
        (run([CRASH] * 6), (), ["demo/a"], "error", 3, 3),
        (run([0.0] * 6), (), (), "error", 3, 3),
        (run([CRASH] * 6, scaled(30)), (), (), "error", 3, 3),
        (run([]), (), (), "error", 3, 3),
        (timed_run({"demo/x": []}), (), (), "error", 3, 3),
    ],
)
def test_the_worst_thing_found_decides(
    measured: Run,
    baselines: Sequence[Baseline],
    known: Sequence[str],
    outcome: str,
    lenient: int,
    strict: int,
) -> None:
    """Error, fail, inconclusive, warn, pass, in that order; the exit code follows from it."""
    actual = run_verdict(measured, TARGETS, baselines, known)

    strictly = run_verdict(measured, TARGETS, baselines, known, GatePolicy(strict=True))

    assert outcome == actual.decision.outcome
    assert (lenient, strict) == (actual.decision.exit_code, strictly.decision.exit_code)


@pytest.mark.parametrize(
    ("measured", "baselines", "known", "sentence"),
    [
        (
            run(scaled(34)),
            baselines_of(run(scaled(34))),
            (),
            "1 of 2 targets met, 1 missed (a, 3.4 times its limit); "
            "2 within 3\u202f% against the baseline of 2026-11-20",
        ),
        (
            run(scaled(34)),
            (),
            ["demo/a"],
            "1 of 2 targets met, 1 known miss (a, 3.4 times its limit), "
            "no baseline to compare with",
        ),
        (
            run(scaled(2)),
            baselines_of(run(STEADY)),
            (),
            "1 slower (a, by 100\u202f%); "
            "2 of 2 targets met, 1 within 3\u202f% against the baseline of 2026-11-20",
        ),
        (
            run([CRASH] * 6),
            baselines_of(run(STEADY)),
            (),
            "1 of 2 targets met, 1 failed (a); "
            "1 within 3\u202f% against the baseline of 2026-11-20",
        ),
        (
            run(STEADY),
            baselines_of(ELSEWHERE),
            (),
            "1 not comparable (a) against the baseline of 2026-11-20; 2 of 2 targets met, 1 new",
        ),
        (
            run([]),
            (),
            (),
            "nothing was measured, 0 of 2 targets met, 2 failed (a; b); "
            "no baseline to compare with",
        ),
        (timed_run({}), (), (), "nothing was measured"),
    ],
)
def test_the_sentence_counts(
    measured: Run, baselines: Sequence[Baseline], known: Sequence[str], sentence: str
) -> None:
    """What is wrong comes with its name and size, in plain words."""
    assert sentence == run_verdict(measured, TARGETS, baselines, known).decision.headline


@pytest.mark.parametrize(
    ("measured", "baselines", "sentence"),
    [
        (
            run(STEADY[:1]),
            (),
            "nothing was judged: no target has an answer, and nothing is in a baseline; "
            "0 of 2 targets met, 2 not measured (b; a), no baseline to compare with",
        ),
        (
            timed_run({"demo/a": STEADY}),
            baselines_of(ELSEWHERE),
            f"nothing was judged: the machines differ (CPU X, now {MACHINE.cpu_model}), "
            "1 not comparable (a) against the baseline of 2026-11-20",
        ),
    ],
)
def test_why_nothing_was_judged(
    measured: Run, baselines: Sequence[Baseline], sentence: str
) -> None:
    """With targets that have no answer there is a target; and values of both are there."""
    policy = GatePolicy(not_measured="note")
    targets = TARGETS if len(measured.cases) > 1 else replace(TARGETS, targets=())

    assert sentence == run_verdict(measured, targets, baselines, (), policy).decision.headline


def test_a_floor_that_is_no_benchmark_is_told() -> None:
    """A distance to it will never be shown."""
    misses = {
        "demo/a": KnownMiss("it is so", floor="demo/none"),
        "demo/b": KnownMiss("it is so", floor="demo/a"),
    }
    actual = run_verdict(run(STEADY), TARGETS, (), (), GatePolicy(known_misses=misses)).decision

    assert ("the floor demo/none of demo/a is no benchmark of this run",) == actual.notes


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (run(STEADY, asked=12), "6 of 12 passes"),
        (run(STEADY, load=7.0), "busy: load 7.0 on 4 cores"),
        (run(STEADY, steal=0.25), "25\u202f%"),
        (
            run(STEADY, yardstick_ns=1.3e6),
            "30.0\u202f% slower than for the demo baseline of 2026-11-20",
        ),
    ],
)
def test_the_notes_tell_what_to_know_first(measured: Run, told: str) -> None:
    """Incomplete runs, busy machines and drift are each named; a quiet whole run has no note."""
    recorded = baselines_of(run(STEADY))

    assert () == run_verdict(run(STEADY), TARGETS, recorded).notes
    (note,) = run_verdict(measured, TARGETS, recorded).notes
    assert told in note


def test_notes_on_baselines_and_known_misses() -> None:
    """Another CPU, cases that are gone and misses that are none any more are told as well."""
    gone = timed_run({"demo/a": STEADY, "demo/gone": STEADY})

    (other,) = run_verdict(run(STEADY), TARGETS, baselines_of(ELSEWHERE)).notes
    missing, renamed = run_verdict(run(STEADY), TARGETS, baselines_of(gone)).notes
    (stale,) = run_verdict(run(STEADY), TARGETS, known_misses=["demo/a"]).notes

    assert "CPU X, now Box 9000" in other
    assert "not in this run: gone" in missing
    assert "Gone: demo/gone; new: demo/b; same metrics: perhaps renamed." == renamed
    assert "Met now, although listed as a known miss: a" in stale


def test_a_machine_that_changes_its_speed_is_told() -> None:
    """A calibration run that differs by more than a fifth between passes is noted."""
    calm = run(STEADY)
    slow = msgspec.structs.replace(calm.passes[0], yardstick_ns=1.25e6)
    (note,) = run_verdict(
        msgspec.structs.replace(calm, passes=(slow, *calm.passes[1:])), TARGETS
    ).notes

    assert "The machine was up to 25\u202f% slower in pass 1 than in the fastest" in note


def test_the_first_failure_of_each_case_is_kept() -> None:
    """Also of a case that later passes measured; the note says that it was judged by those."""
    later = Failure("timeout", "not done within 60 s")
    actual = run_verdict(run([CRASH, later, *STEADY[2:]]), TARGETS)

    assert {"demo/a": CRASH} == actual.failures
    assert [
        "Failed in some passes, which is a failure; the values shown are those of the others: a."
    ] == list(actual.notes)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_void_pass_hides_no_crash(order: tuple[int, int]) -> None:
    """Whichever came first; what is void in some passes only is no failure, which a note says."""
    void = Failure("invalid", "the machine was too busy")
    both = [(void, CRASH)[i] for i in order]
    crashed = run_verdict(run([*both, *STEADY[2:]]), TARGETS)
    calm = run_verdict(run([void, *STEADY[1:]]), TARGETS)

    assert {"demo/a": CRASH} == crashed.failures
    assert COULD_NOT_MEASURE == crashed.decision.exit_code
    assert OK == calm.decision.exit_code
    assert [
        "Void in some passes, which counts neither way; the values shown are those of the "
        "others: a."
    ] == list(calm.notes)


def test_what_was_compared_with_is_named() -> None:
    """Baselines that were not used are not."""
    recorded = baselines_of(run(STEADY))

    assert "the baseline of 2026-11-20" == run_verdict(run(STEADY), TARGETS, recorded).against
    assert "" == run_verdict(run(STEADY), TARGETS).against
