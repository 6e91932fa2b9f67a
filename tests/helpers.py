"""A plausible run of the transaction suite, its baseline and its verdict, made by dice."""

from pathlib import Path

import numpy as np

from veperf.archive import load_targets
from veperf.judge import baselines_of, verdict
from veperf.model import (
    Baseline,
    Case,
    CaseResult,
    Config,
    Failure,
    Level,
    Machine,
    Metric,
    Params,
    Pass,
    Revision,
    Run,
    Sample,
    Verdict,
)

TARGETS = Path(__file__).parents[1] / "data" / "baselines"
HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\x00\u202e$x$|`<img src=http://x.invalid/>"

# Name, level, what one operation is, ns it takes, operations a call, target, values by parameter.
_CASES: tuple[tuple[str, Level, str, float, int, bool, dict[str, dict[int, float]]], ...] = (
    ("hash_compute", Level.MICRO, "SHA-256 of an encoded transaction.", 495, 1, True, {}),
    ("encode", Level.MICRO, "Encode a signed transfer.", 8_860, 1, False, {}),
    ("decode", Level.MICRO, "Decode a transaction and check its form.", 22_700, 1, False, {}),
    ("sign", Level.MICRO, "Sign a transaction with secp256k1.", 23_100, 1, False, {}),
    ("validation", Level.MICRO, "Decode, check, verify the signature.", 57_900, 1, True, {}),
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


def plausible_baselines(*, passes: int = 12) -> tuple[Baseline, ...]:
    """What an earlier run on the same machine recorded."""
    return baselines_of(plausible_run(seed=7, passes=passes, created="2026-11-20T10:15:00+00:00"))


def judged(run: Run, baselines: tuple[Baseline, ...] = ()) -> Verdict:
    """The verdict on ``run`` by the published targets."""
    return verdict(run, load_targets(TARGETS), baselines)


def hostile_run() -> Run:
    """One case whose every text tries to break out of where it is shown, once as a failure."""
    name = f"evil/{HOSTILE}"
    case = Case(name, name, "evil", Level.MICRO, HOSTILE, metrics=(Metric("time", "ns"),))
    bad = Case(name + "2", name + "2", "evil", Level.MICRO, HOSTILE, {HOSTILE: HOSTILE})
    dice = np.random.default_rng(3)
    base = plausible_run(passes=3)
    return Run(
        id=HOSTILE,
        created=HOSTILE,
        config=base.config,
        machine=Machine(HOSTILE, HOSTILE, 1, None, HOSTILE, HOSTILE, {HOSTILE: HOSTILE}),
        revision=Revision(HOSTILE, HOSTILE, True),
        cases=(case, bad),
        passes=tuple(
            Pass(
                i, HOSTILE, 1.0, 0.0, 0.0, None, None, None,
                (
                    _result(dice, case, 500.0, 1),
                    CaseResult(bad.id, failure=Failure("raised", HOSTILE, HOSTILE)),
                ),
            )
            for i in range(3)
        ),
    )  # fmt: skip


def _cases() -> list[tuple[Case, float, int]]:
    found: list[tuple[Case, float, int]] = []
    for name, level, what, time_ns, operations, target, grid in _CASES:
        id = f"transaction/{name}"
        targets = {"time": id} if target else {}
        default: Params = {parameter: next(iter(sizes)) for parameter, sizes in grid.items()}
        found.append(
            (
                Case(id, id, "transaction", level, what, default, targets=targets),
                time_ns,
                operations,
            )
        )
        for parameter, sizes in grid.items():
            for size, factor in list(sizes.items())[1:]:
                other = Case(
                    f"{id}[{parameter}={size}]", id, "transaction", level, what, {parameter: size}
                )
                found.append((other, time_ns * factor, operations))
    return found


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
