"""Guardrails: secondary metrics of a benchmark, for changes that low values of its time can't show.

Each has a rule of its own and can only warn. Those that every pair yields are tests of their own,
at the looks of the time's test, with a share of its alpha.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from veperf.abtest.pair import PairResult
from veperf.core.ab_records import ABChange, ABGuardrail
from veperf.core.case import Clock
from veperf.core.run import CaseResult
from veperf.core.text import (
    describe_interval,
    describe_p_value,
    format_exact,
    format_percent,
    format_quantity,
    plural,
)
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.hodges_lehmann import from_log, pseudomedian
from veperf.stats.look_schedule import LookSchedule
from veperf.stats.paired import PairRule, decide_status
from veperf.stats.wilcoxon import wilcoxon

# Up to this p of "no higher at all", an early decision on the time waits for more pairs.
_HINT_P = 0.05
# The p99 of fewer samples is as noisy as their largest.
_LEAST_SAMPLES = {"mean": 3, "p99": 8}
# Differences that are the same but for the rounding of their values must tie.
_DECIMALS = 12
_LARGE_RATIO = 10.0


@dataclass(frozen=True, slots=True)
class GuardrailRule:
    """Rule of one guardrail: a change matters where it exceeds both ``effect`` and ``least``."""

    name: str
    unit: str
    noun: str
    """Words for it in a sentence."""
    effect: float
    """Smallest change that matters, as a share of the base."""
    least: float = 0.0
    """Smallest change that matters, in ``unit``."""

    def threshold(self, base: float) -> float:
        """Return the smallest change that matters to the value ``base``, in ``unit``."""
        return max(self.effect * base, self.least)


PAIR_RULES = (
    GuardrailRule("mean", "ns", "mean", 0.05),
    GuardrailRule("wall", "ns", "mean wall time", 0.10),
    GuardrailRule("p99", "ns", "p99", 0.20),
    GuardrailRule("setup", "ns", "set-up time", 0.10, least=5e6),
    GuardrailRule("waits", "a sample", "voluntary waits", 0.10, least=0.1),
)
"""Guardrails that every pair yields."""
LONG_RULE = GuardrailRule("long_run_mean", "ns", "long-run mean", 0.05)
"""Guardrail of the long pairs."""
MEMORY_RULES = (
    GuardrailRule("memory_total", "B", "bytes allocated", 0.01, least=64),
    GuardrailRule("memory_allocations", "allocations", "allocations", 0.01, least=1),
)
"""Guardrails of memory, which is measured in processes of its own."""
GUARDRAIL_RULES: Mapping[str, GuardrailRule] = MappingProxyType(
    {rule.name: rule for rule in (*PAIR_RULES, LONG_RULE, *MEMORY_RULES)}
)
# Of what changes together, one proven warning is enough.
_KINDS = (frozenset({"mean", "wall", "p99", "waits"}), frozenset({"setup"}))
# They move with the time itself.
_OF_TIME = {"mean", "wall", "p99", "long_run_mean"}


def guardrail_alpha(rule: PairRule) -> float:
    """Return the alpha of one guardrail of one benchmark: a fair share of that of ``rule``."""
    return rule.alpha / (rule.comparisons * (len(PAIR_RULES) + 1))


class CaseGuardrails:
    """Guardrails of one benchmark over the looks at its pairs.

    ``slower`` stands for worse and ``faster`` for better; either stays once it is decided.
    """

    def __init__(self, rule: PairRule, schedule: LookSchedule) -> None:
        self._rule = rule
        self._schedule = schedule
        self._results: dict[str, ABGuardrail] = {}
        self._hints: set[str] = set()

    @property
    def results(self) -> tuple[ABGuardrail, ...]:
        """Guardrails as of the last look."""
        return tuple(self._results.values())

    @property
    def hints_at_worse(self) -> bool:
        """True where more pairs may prove one worse, and nothing of its kind is proven yet."""
        worse = {name for name, g in self._results.items() if g.status is ChangeStatus.SLOWER}
        return any(not worse & kind and self._hints & kind for kind in _KINDS)

    def look(self, measured: Sequence[PairResult], clock: Clock) -> None:
        """Judge ``measured`` at a look of the schedule."""
        number = self._schedule.looks.index(len(measured))
        alpha_change = self._schedule.levels_change(guardrail_alpha(self._rule))[number]
        alpha_ok = self._schedule.levels_ok(self._rule.alpha)[number]
        self._hints.clear()
        for rule in PAIR_RULES:
            earlier = self._results.get(rule.name)
            if earlier is not None and has_changed(earlier):
                continue
            values = _pair_figures(rule, measured, clock)
            if values is None:
                self._results.pop(rule.name, None)
                continue
            evidence = evaluate_guardrail(rule, *values, self._rule.alpha)
            result = evidence.decide(alpha_change, alpha_ok)
            self._results[rule.name] = result
            if not has_changed(result) and evidence.hints_at_worse:
                self._hints.add(rule.name)

    def finish(self, measured: Sequence[PairResult], clock: Clock) -> None:
        """Take a last look at ``measured`` that spends all alpha left, if a look was due."""
        if len(measured) >= self._schedule.looks[0]:
            self._schedule = self._schedule.ending_at(len(measured))
            self.look(measured, clock)


def _pair_figures(
    rule: GuardrailRule, measured: Sequence[PairResult], clock: Clock
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return both sides' values, of shape (pairs,); None where they are unknown or no news."""
    if rule.name == "wall" and clock == "wall":
        return None  # as the mean
    figure = _FIGURES[rule.name]
    base = np.array([figure(pair.a, clock) for pair in measured], dtype=np.float64)
    new = np.array([figure(pair.b, clock) for pair in measured], dtype=np.float64)
    return (base, new) if can_be_judged(rule, base, new) else None


def can_be_judged(rule: GuardrailRule, base: NDArray[np.float64], new: NDArray[np.float64]) -> bool:
    """Return True where all values are finite, and positive where their ratio is judged."""
    values = np.concatenate([base, new])
    is_usable = np.isfinite(values) & ((values > 0) if _is_ratio(rule) else (values >= 0))
    return bool(is_usable.all())


def _is_ratio(rule: GuardrailRule) -> bool:
    """Return True for times, which differ by a factor; counts may be zero and differ by a sum."""
    return rule.unit == "ns"


def mean_time(result: CaseResult, clock: Clock) -> float:
    """Return the mean of the samples in ns an operation; NaN where there are too few."""
    times = _times(result, clock)
    return float(times.mean()) if times.size >= _LEAST_SAMPLES["mean"] else math.nan


def _wall(result: CaseResult, _: Clock) -> float:
    return mean_time(result, "wall")


def _p99(result: CaseResult, clock: Clock) -> float:
    times = _times(result, clock)
    return float(np.quantile(times, 0.99)) if times.size >= _LEAST_SAMPLES["p99"] else math.nan


def _setup(result: CaseResult, _: Clock) -> float:
    return result.figures.get("setup", math.nan)


def _waits(result: CaseResult, _: Clock) -> float:
    waits = [math.nan if sample.waits is None else sample.waits for sample in result.samples]
    return float(np.mean(waits)) if waits else math.nan


_FIGURES: Mapping[str, Callable[[CaseResult, Clock], float]] = MappingProxyType(
    {"mean": mean_time, "wall": _wall, "p99": _p99, "setup": _setup, "waits": _waits}
)


def _times(result: CaseResult, clock: Clock) -> NDArray[np.float64]:
    """Return the samples by ``clock`` in ns an operation; NaN where one lacks its CPU time."""
    times = [sample.cpu_ns if clock == "cpu" else sample.undelayed_ns for sample in result.samples]
    return np.array(times, dtype=np.float64) / (result.loops * result.operations)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailEvidence:
    """Estimate and tests of a guardrail from a number of pairs."""

    rule: GuardrailRule
    pairs: int
    base: float
    new: float
    """Medians over pairs."""
    ratio: float | None
    """None where the base is zero, as for the interval."""
    low: float | None
    high: float | None
    confidence: float
    p_worse: float
    p_better: float
    """p of "at most worse" and "at most better by the smallest change that matters"."""
    p_within: float
    """p of "worse by the smallest change that matters, or more"."""
    hints_at_worse: bool
    """True where it is higher, and the estimate is more than the smallest change that matters."""

    def decide(self, alpha_change: float, alpha_ok: float) -> ABGuardrail:
        """Return the guardrail as it is judged at these levels."""
        status = decide_status(
            self.p_worse,
            self.p_better,
            self.p_within,
            alpha_change=alpha_change,
            alpha_ok=alpha_ok,
        )
        return ABGuardrail(
            name=self.rule.name,
            unit=self.rule.unit,
            status=status,
            severity=Severity.WARN if status is ChangeStatus.SLOWER else Severity.NONE,
            reason=self._reason(status),
            base=self.base,
            new=self.new,
            ratio=self.ratio,
            low=self.low,
            high=self.high,
            pairs=self.pairs,
        )

    def _reason(self, status: ChangeStatus) -> str:
        opening, p = {
            ChangeStatus.SLOWER: ("", self.p_worse),
            ChangeStatus.FASTER: ("", self.p_better),
            ChangeStatus.OK: (f"not over {describe_threshold(self.rule)}: ", self.p_within),
        }.get(status, ("undecided: ", self.p_worse))
        facts = [describe_p_value(p), plural(self.pairs, "pair")]
        if self.low is not None and self.high is not None and not is_large(self.ratio):
            facts.insert(0, describe_interval(self.low, self.high, self.confidence))
        effect = describe_effect(self.base, self.new, self.ratio, self.rule.unit)
        return f"{opening}{self.rule.noun} {effect} ({', '.join(facts)})"


def evaluate_guardrail(
    rule: GuardrailRule, base: NDArray[np.float64], new: NDArray[np.float64], alpha: float
) -> GuardrailEvidence:
    """Return the estimate and the tests of pairs that ``can_be_judged``, each of shape (n,).

    Exact signed-rank tests, on log ratios of times and on differences of counts. Where nothing
    changed, it is chance which side of a pair is the higher one, however heavy the tails.
    """
    level = float(np.median(base))
    smallest = rule.threshold(level)
    if _is_ratio(rule):
        differences, smallest = np.log(new) - np.log(base), math.log1p(smallest / level)
    else:
        differences = new - base
    size = pseudomedian(differences, confidence=1 - alpha)

    def as_ratio(difference: float) -> float | None:
        if _is_ratio(rule):
            ratio = from_log(difference)
        else:
            ratio = 1 + difference / level if level else math.inf
        return ratio if math.isfinite(ratio) else None

    return GuardrailEvidence(
        rule=rule,
        pairs=differences.size,
        base=level,
        new=float(np.median(new)),
        ratio=as_ratio(size.value),
        low=as_ratio(size.low),
        high=as_ratio(size.high),
        confidence=size.confidence,
        p_worse=wilcoxon(np.round(differences - smallest, _DECIMALS)).p_greater,
        p_better=wilcoxon(np.round(differences + smallest, _DECIMALS)).p_less,
        p_within=wilcoxon(np.round(differences - smallest, _DECIMALS)).p_less,
        hints_at_worse=size.value > smallest and wilcoxon(differences).p_greater <= _HINT_P,
    )


def has_changed(guardrail: ABGuardrail) -> bool:
    """Return True where ``guardrail`` is proven to be worse or better."""
    return guardrail.status in (ChangeStatus.SLOWER, ChangeStatus.FASTER)


def notable_guardrails(change: ABChange) -> tuple[ABGuardrail, ...]:
    """Return the guardrails that changed, but for those that only follow the time itself."""
    return tuple(g for g in change.guardrails if has_changed(g) and not _follows(g, change))


def _follows(guardrail: ABGuardrail, change: ABChange) -> bool:
    """Return True where the time changed likewise, and by as much or more."""
    if guardrail.name not in _OF_TIME or guardrail.status is not change.status:
        return False
    low, high = guardrail.low or guardrail.ratio or 0.0, guardrail.high or guardrail.ratio or 0.0
    if change.status is ChangeStatus.SLOWER:
        return low <= (change.high or change.ratio or 0.0)
    return high >= (change.low or change.ratio or 0.0)


def guardrail_warnings(change: ABChange) -> tuple[ABGuardrail, ...]:
    """Return the guardrails of ``change`` that warn."""
    return tuple(g for g in notable_guardrails(change) if g.severity is Severity.WARN)


def describe_guardrail(guardrail: ABGuardrail, case: str = "") -> str:
    """Describe a guardrail in a few words: mean of mine/tail 18 % higher."""
    rule = GUARDRAIL_RULES.get(guardrail.name)
    noun = guardrail.name if rule is None else rule.noun
    effect = describe_effect(guardrail.base, guardrail.new, guardrail.ratio, guardrail.unit)
    return f"{noun} of {case} {effect}" if case else f"{noun} {effect}"


def describe_threshold(rule: GuardrailRule) -> str:
    """Describe the smallest change that matters: 10 % and 5 ms."""
    share = format_exact(100 * rule.effect, "%")
    unit = rule.unit.removesuffix("s") if rule.least == 1 else rule.unit
    return f"{share} and {format_exact(rule.least, unit)}" if rule.least else share


def describe_effect(base: float | None, new: float | None, ratio: float | None, unit: str) -> str:
    """Describe a change of a value: 18 % higher; from 1.20 KiB to 3.81 MiB."""
    if ratio is None or is_large(ratio):
        ends = format_quantity(base, unit), format_quantity(new, unit)
        return "unchanged" if ends[0] == ends[1] else f"from {ends[0]} to {ends[1]}"
    size = format_percent(abs(ratio - 1))
    return f"{size} {'higher' if ratio > 1 else 'lower'}" if ratio != 1 else "unchanged"


def is_large(ratio: float | None) -> bool:
    """Return True for a ratio of which both values say more than a percentage."""
    return ratio is not None and not 1 / _LARGE_RATIO < ratio < _LARGE_RATIO
