"""Memory of the benchmarks of both sides, in processes of its own after the pairs.

Bytes and allocations of an operation hardly vary, so that one process a side shows a change, and
two more pairs of processes confirm it.
"""

import contextlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from veperf.abtest.guardrails import (
    MEMORY_RULES,
    GuardrailRule,
    describe_effect,
    describe_threshold,
    has_changed,
)
from veperf.abtest.pair import LETTERS, OUT_OF_TIME, SideLetter
from veperf.core.ab_records import ABConfig, ABGuardrail
from veperf.core.case import TIME, Case
from veperf.core.errors import MeasureError
from veperf.core.text import plural
from veperf.core.verdict import ChangeStatus, Severity
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    MeasureMemory,
    MemoryMeasured,
    OpenCase,
)
from veperf.measure.worker_client import (
    CodeSource,
    RequestFailedError,
    Worker,
    expect_reply,
    start_worker,
)

_REPEATS = 3
"""Processes a side that must agree before a change of memory is believed."""

_Figures = Mapping[str, float]


@dataclass(slots=True)
class MemoryPairs:
    """Measures memory on both sides, and judges it; a failure costs only its own benchmark."""

    sides: Mapping[SideLetter, CodeSource]
    modules: Mapping[SideLetter, tuple[str, ...]]
    """Modules to import on each side."""
    config: ABConfig
    until: float | None = None
    """End of the time budget, by ``time.monotonic``."""
    _figures: dict[str, list[Mapping[SideLetter, _Figures]]] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)

    def measure(self, cases: Sequence[Case]) -> dict[str, tuple[ABGuardrail, ...]]:
        """Return the guardrails of those of ``cases`` that have a time, by id."""
        timed = [case for case in cases if case.metrics[0] == TIME]
        remaining = timed
        for repeat in range(_REPEATS):
            if not remaining:
                break
            self._measure_once(repeat, remaining)
            remaining = [case for case in remaining if any(map(has_changed, self._judge(case)))]
        return {case.id: self._judge(case) for case in timed}

    def _measure_once(self, repeat: int, cases: Sequence[Case]) -> None:
        """Measure ``cases`` in one process a side; with the same hash seed, to be comparable."""
        generator = random.Random(f"{self.config.seed}/memory/{repeat}")  # noqa: S311 - no secret
        seed = generator.randrange(1 << 32)
        by_side = {letter: self._side(letter, seed, cases) for letter in LETTERS}
        for case in cases:
            if all(case.id in figures for figures in by_side.values()):
                pair = {letter: by_side[letter][case.id] for letter in LETTERS}
                self._figures.setdefault(case.id, []).append(pair)

    def _side(self, letter: SideLetter, seed: int, cases: Sequence[Case]) -> dict[str, _Figures]:
        figures: dict[str, _Figures] = {}
        worker: Worker | None = None
        try:
            for case in cases:
                if self.until is not None and time.monotonic() >= self.until:
                    self._failures.setdefault(case.id, OUT_OF_TIME)
                    continue
                side = {"a": "base", "b": "new"}[letter]
                try:
                    if worker is None:
                        worker, _ = start_worker(
                            self.modules[letter],
                            hash_seed=seed,
                            code=self.sides[letter],
                        )
                    deadline = time.monotonic() + self.config.timeout_s
                    figures[case.id] = _operation_memory(worker, case, deadline)
                except RequestFailedError as error:
                    self._failures.setdefault(case.id, f"{side} code: {error.failure.message}")
                except MeasureError as error:
                    self._failures.setdefault(case.id, f"{side} code: {error}")
                    if worker is not None:
                        worker.stop()
                    worker = None
        finally:
            if worker is not None:
                worker.stop()
        return figures

    def _judge(self, case: Case) -> tuple[ABGuardrail, ...]:
        pairs = self._figures.get(case.id, [])
        reason = self._failures.get(case.id, "unknown")
        return tuple(judge_memory(rule, pairs, reason) for rule in MEMORY_RULES)


def _operation_memory(worker: Worker, case: Case, deadline: float) -> _Figures:
    # One loop, so that nothing is calibrated: no time is measured.
    request = OpenCase(case.benchmark, case.params, 0, loops=1)
    expect_reply(worker.ask(request, deadline=deadline), CaseOpened)
    figures = expect_reply(worker.ask(MeasureMemory(), deadline=deadline), MemoryMeasured).figures
    with contextlib.suppress(RequestFailedError):
        expect_reply(worker.ask(CloseCase(), deadline=deadline), CaseClosed)
    return figures


def judge_memory(
    rule: GuardrailRule, pairs: Sequence[Mapping[SideLetter, _Figures]], missing: str = "unknown"
) -> ABGuardrail:
    """Judge a figure of both sides: changed where every pair of processes says so, likewise.

    ``missing`` is the reason where there are none.
    """
    values = [
        (pair["a"][rule.name], pair["b"][rule.name])
        for pair in pairs
        if rule.name in pair["a"] and rule.name in pair["b"]
    ]
    if not values:
        return ABGuardrail(
            name=rule.name,
            unit=rule.unit,
            status=ChangeStatus.INCONCLUSIVE,
            severity=Severity.NONE,
            reason=f"{rule.noun} not measured: {missing}",
        )
    # The smallest of the differences is the one that is sure.
    base, new = min(values, key=lambda pair: abs(pair[1] - pair[0]))
    directions = {_direction(rule, *pair) for pair in values}
    status = directions.pop() if len(directions) == 1 else ChangeStatus.OK
    ratio = new / base if base else (1.0 if new == base else None)
    opening = "" if status is not ChangeStatus.OK else f"not over {describe_threshold(rule)}: "
    processes = plural(len(values), "process", "processes")
    return ABGuardrail(
        name=rule.name,
        unit=rule.unit,
        status=status,
        severity=Severity.WARN if status is ChangeStatus.SLOWER else Severity.NONE,
        reason=(
            f"{opening}{rule.noun} {describe_effect(base, new, ratio, rule.unit)} "
            f"({processes} a side)"
        ),
        base=base,
        new=new,
        ratio=ratio,
        pairs=len(values),
    )


def _direction(rule: GuardrailRule, base: float, new: float) -> ChangeStatus:
    if abs(new - base) <= rule.threshold(base):
        return ChangeStatus.OK
    return ChangeStatus.SLOWER if new > base else ChangeStatus.FASTER
