"""A plausible run of the transaction suite, its baseline and its verdict, made by dice."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.archive.baselines import load_targets, save_baseline
from veperf.core.baseline import Baseline
from veperf.core.case import LATENCY_METRICS, Case, Level, Metric, Params
from veperf.core.load import Search, Trial
from veperf.core.policy import GatePolicy
from veperf.core.run import CaseResult, Config, Failure, Machine, Pass, Revision, Run, Sample
from veperf.core.verdict import Verdict
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.search import find_rate
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.verdict import run_verdict

TARGETS = Path(__file__).parents[2] / "data" / "baselines"
HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\x00\u202e$x$|`<img src=http://x.invalid/>"

# Name, level, what one operation is, ns it takes, operations a call, target, values by parameter.
_CASES: tuple[tuple[str, Level, str, float, int, bool, dict[str, dict[int, float]]], ...] = (
    ("hash_compute", Level.MICRO, "SHA-256 of an encoded transaction.", 495, 1, True, {}),
    ("encode", Level.MICRO, "Encode a signed transfer.", 8_860, 1, False, {}),
    ("decode", Level.MICRO, "Decode a transaction and check its form.", 22_700, 1, False, {}),
    ("sign", Level.MICRO, "Sign a transaction with secp256k1.", 23_100, 1, False, {}),
    ("validation", Level.MICRO, "Decode, check, verify the signature.", 57_900, 1, True, {}),
    ("validation_library", Level.MICRO, "Verify a signature, nothing else.", 24_800, 1, False, {}),
    ("validation_ed25519", Level.MICRO, "The same with Ed25519.", 69_900, 1, False, {}),
    (
        "state_write",
        Level.COMPONENT,
        "Write one account to the tree.",
        5_140,
        1_000,
        True,
        {"accounts": {10_000: 1.0, 1_000: 0.47, 100_000: 1.94}},
    ),
    ("state_read", Level.COMPONENT, "Read one account.", 726, 1_000, False, {}),
    ("execution", Level.COMPONENT, "Execute one transfer.", 18_200, 100, True, {}),
    (
        "block_processing",
        Level.COMPONENT,
        "Process a block: decode, verify, execute, commit.",
        122_000_000,
        1,
        False,
        {"transactions": {1_000: 1.0, 100: 0.1}},
    ),
)

_RATES = (5_000, 1_000, 2_000, 10_000, 20_000)
_CAPACITY = 11_500.0
_CONFIRMED = 8_800.0
_SEARCH = Search(100, 250, 0.1, start=2_500, highest=40_000)
_LOAD_S = 3.0
_STAGES_US = {
    "generator": 1.9,
    "hash": 0.6,
    "decode": 6.1,
    "verify": 27.4,
    "transport": 2.2,
    "execute": 9.3,
    "commit": 14.9,
}
BEHIND = Failure("invalid", "the generator fell behind: it offered 9,120 items a second")


def plausible_run(
    *,
    seed: int = 1,
    passes: int = 6,
    slower: dict[str, float] | None = None,
    failing: dict[str, Failure] | None = None,
    created: str = "2026-11-23T06:41:16+00:00",
) -> Run:
    """A whole run on a quiet machine; ``slower`` multiplies cases, ``failing`` fails them."""
    dice = np.random.default_rng(seed)
    cases = _cases()
    factors, failures = slower or {}, failing or {}
    return Run(
        id=f"{created[:10].replace('-', '')}-{seed:06}-abc1234",
        created=created,
        config=Config("quick", passes, 5, 1, 5_000_000, seed, 60.0),
        machine=Machine(
            "box-9000-4c",
            "Box 9000 @ 3.00GHz",
            4,
            16 << 30,
            "Linux 6.1",
            "CPython 3.11.7",
            {"numpy": "2.4.6", "coincurve": "21.0.0"},
        ),
        revision=Revision("5060b636f6aa0123456789abcdef0123456789ab", "main"),
        cases=tuple(case for case, _, _ in cases),
        passes=tuple(
            Pass(
                index=index,
                started=created,
                seconds=4.0,
                load_before=0.4,
                load_after=0.6,
                frequency_mhz=2_600.0,
                steal_ratio=0.0,
                yardstick_ns=float(368_000 * dice.normal(1, 0.01)),
                results=tuple(
                    CaseResult(case.id, failure=failures[case.id])
                    if case.id in failures
                    else _result(dice, case, time_ns * factors.get(case.id, 1.0), operations)
                    for case, time_ns, operations in cases
                ),
            )
            for index in range(passes)
        ),
    )


def with_load(run: Run, *, seed: int = 1, invalid: Iterable[tuple[int, int]] = ()) -> Run:
    """``run`` with load at several rates and a search for the highest, in its first 3 passes.

    ``invalid`` has the pass and the rate of those runs whose generator fell behind.
    """
    dice, bad = np.random.default_rng(seed), set(invalid)
    loads, search = _load_cases()
    passes = []
    for item in run.passes:
        new: tuple[CaseResult, ...] = ()
        if item.index < run.config.load.passes:
            new = tuple(
                replace(_load_result(dice, case, rate), failure=BEHIND)
                if (item.index, rate) in bad
                else _load_result(dice, case, rate)
                for case, rate in zip(loads, _RATES, strict=True)
            )
            new += (_search_result(dice, search, item.index),)
        passes.append(replace(item, results=item.results + new))
    return replace(run, cases=(*run.cases, *loads, search), passes=tuple(passes))


def plausible_baselines(*, passes: int = 12) -> tuple[Baseline, ...]:
    """What an earlier run on the same machine recorded."""
    return baselines_of(plausible_run(seed=7, passes=passes, created="2026-11-20T10:15:00+00:00"))


def baselines_in(folder: Path) -> Path:
    """A new folder in ``folder`` with the published targets and plausible baselines."""
    baselines = folder / "baselines"
    baselines.mkdir()
    shutil.copy(TARGETS / "targets.json", baselines)
    for baseline in plausible_baselines():
        save_baseline(baselines, baseline)
    return baselines


def judged(run: Run, baselines: tuple[Baseline, ...] = ()) -> Verdict:
    """The verdict on ``run`` by the published targets, of which it answers some.

    None of them is a known miss, so that there is something that is missed.
    """
    partial, published = GatePolicy(not_measured="note"), load_targets(TARGETS)
    limits = tuple(replace(t, known_miss=None) for t in published.targets)
    targets = replace(published, targets=limits)
    return run_verdict(run, targets, baselines, policy=partial)


def hostile_run() -> Run:
    """One case whose every text tries to break out of where it is shown, once as a failure."""
    name = f"evil/{HOSTILE}"
    case = Case(name, name, "evil", Level.MICRO, HOSTILE, metrics=(Metric("time", "ns"),))
    bad = Case(name + "2", name + "2", "evil", Level.MICRO, HOSTILE, {HOSTILE: HOSTILE})
    rate = Metric("throughput", HOSTILE)
    load = Case(name + "3", name + "3", "evil", Level.LOAD, HOSTILE, metrics=(rate,))
    dice = np.random.default_rng(3)
    base = plausible_run(passes=3)
    return Run(
        id=HOSTILE,
        created=HOSTILE,
        config=base.config,
        machine=Machine(HOSTILE, HOSTILE, 1, None, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}),
        revision=Revision(HOSTILE, HOSTILE, True),
        cases=(case, bad, load),
        passes=tuple(
            Pass(
                i, HOSTILE, 1.0, 0.0, 0.0, None, None, None,
                (
                    replace(_result(dice, case, 500.0, 1), figures={f"cpu_{HOSTILE}": 3.0}),
                    CaseResult(bad.id, failure=Failure("raised", HOSTILE, HOSTILE)),
                    CaseResult(
                        load.id,
                        figures={"latency_p99": 5.0, "throughput": 9.0, f"cpu_{HOSTILE}": 3.0},
                        latencies=HOSTILE,
                        trials=(Trial(9.0, 1.0, 9.0, None, None, 0.0, False, HOSTILE),),
                        failure=Failure("invalid", HOSTILE) if i else None,
                    ),
                ),
            )
            for i in range(3)
        ),
    )  # fmt: skip


def _cases() -> list[tuple[Case, float, int]]:
    actual: list[tuple[Case, float, int]] = []
    for name, level, what, time_ns, operations, target, grid in _CASES:
        id = f"transaction/{name}"
        targets = {"time": id} if target else {}
        default: Params = {parameter: next(iter(sizes)) for parameter, sizes in grid.items()}
        actual.append(
            (
                Case(
                    id,
                    id,
                    "transaction",
                    level,
                    what,
                    default,
                    targets=targets,
                    lower_bound=f"{id}_library" if name == "validation" else "",
                ),
                time_ns,
                operations,
            )
        )
        for parameter, sizes in grid.items():
            for size, factor in list(sizes.items())[1:]:
                other = Case(
                    f"{id}[{parameter}={size}]", id, "transaction", level, what, {parameter: size}
                )
                actual.append((other, time_ns * factor, operations))
    return actual


def _result(dice: np.random.Generator, case: Case, time_ns: float, operations: int) -> CaseResult:
    loops = max(1, int(5_000_000 / (time_ns * operations)))
    process = dice.lognormal(0, 0.02)
    whole = time_ns * loops * operations * process * (1 + dice.exponential(0.02, size=5))
    return CaseResult(
        case.id,
        loops=loops,
        operations=operations,
        samples=tuple(Sample(round(w), round(w * 0.995), 0) for w in whole.tolist()),
    )


def _load_cases() -> tuple[tuple[Case, ...], Case]:
    stages = tuple(Metric(f"cpu_{stage}", "us") for stage in _STAGES_US)
    rates = (Metric("offered", "tx/s", "higher"), Metric("achieved", "tx/s", "higher"))
    metrics = (*rates, *LATENCY_METRICS, *stages)
    id, what = "transaction/load", "Transactions arrive at a fixed rate, whatever happens to them."
    judged = ("latency_p95", "latency_p99", "error_rate")
    targets = {name: f"transaction/{name}" for name in judged}
    loads = tuple(
        Case(
            id if rate == _RATES[0] else f"{id}[rate={rate}]",
            id,
            "transaction",
            Level.LOAD,
            what,
            {"rate": rate},
            metrics,
            targets if rate == _RATES[0] else {},
        )
        for rate in _RATES
    )
    id = "transaction/throughput"
    throughput = Metric("throughput", "tx/s", "higher")
    search = Case(
        id,
        id,
        "transaction",
        Level.LOAD,
        "The highest rate at which latencies and errors stay within their limits.",
        metrics=(throughput, *metrics),
        targets={"throughput": id},
    )
    return loads, search


def latencies_ns(dice: np.random.Generator, rate: float) -> NDArray[np.int64]:
    """Latencies of a system that is full at some 11,500 transactions a second."""
    size, use = int(rate * _LOAD_S), rate / (_CAPACITY * dice.normal(1, 0.03))
    served = 6 + dice.gamma(2.0, 5.0 / max(0.05, 1 - use), size)
    queued = np.linspace(0, max(0.0, 1 - 1 / use) * _LOAD_S * 1e3, size)
    actual: NDArray[np.int64] = ((served + queued) * 1e6).astype(np.int64)
    return actual


def _load_result(dice: np.random.Generator, case: Case, rate: float) -> CaseResult:
    raw = latencies_ns(dice, rate)
    histogram = Latencies()
    histogram.record(raw)
    names = ("latency_p50", "latency_p95", "latency_p99", "latency_p999", "latency_max")
    actual = np.percentile(raw, [50, 95, 99, 99.9, 100]) / 1e6
    figures = dict(zip(names, actual.tolist(), strict=True))
    figures |= {
        "offered": rate * dice.normal(1, 0.002),
        "achieved": min(rate, _CAPACITY) * dice.normal(0.999, 0.002),
        "error_rate": 0.0 if rate < _CAPACITY else 3.2,
        "lag_p99": dice.uniform(0.8, 1.6),
    }
    figures |= {f"cpu_{stage}": us * dice.normal(1, 0.02) for stage, us in _STAGES_US.items()}
    return CaseResult(case.id, figures=figures, latencies=histogram.encode())


def _search_result(dice: np.random.Generator, case: Case, index: int) -> CaseResult:
    """A rate that held, missed, and held again, which decides."""
    rate = find_rate(lambda rate: _trial(dice, rate), _SEARCH) if index == 0 else None
    confirmed = replace(
        _trial(dice, _CONFIRMED), kind="confirmation", met=index != 1, gave_out="verify"
    )
    backlog = Trial(_CAPACITY, 2, _CAPACITY, None, None, 0, True, kind="backlog", gave_out="verify")
    disturbed = Trial(
        5_000, _LOAD_S, 4_100, 310.0, 420.0, 1.5, False, BEHIND.message, gave_out="generator"
    )
    result = _load_result(dice, case, _CONFIRMED)
    decided = {"throughput": _CONFIRMED} if index == 2 else {}
    return replace(
        result,
        figures=result.figures | {"capacity": _CAPACITY * dice.normal(1, 0.02)} | decided,
        trials=(backlog, disturbed, *(rate.trials if rate else ()), confirmed),
    )


def _trial(dice: np.random.Generator, rate: float) -> Trial:
    p95, p99 = np.percentile(latencies_ns(dice, rate), [95, 99]) / 1e6
    met = bool(p95 <= _SEARCH.latency_p95_ms and p99 <= _SEARCH.latency_p99_ms)
    return Trial(rate, _LOAD_S, min(rate, _CAPACITY), float(p95), float(p99), 0.0, met)
