"""Verdicts by counts of an operation, and what they say beside a verdict by time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from veperf.abtest.pair import LETTERS, SideLetter
from veperf.core.ab_records import ABChange, ABConfig, ABCount, ABRun, Witness
from veperf.core.case import Metric
from veperf.core.run import Failure
from veperf.core.text import MINUS, THIN, describe_margin, format_count, format_effect
from veperf.core.verdict import ChangeStatus, Severity

INSTRUCTIONS = Metric("instructions", "")
"""Metric of a change that is decided by instructions alone."""

_TIMES = frozenset({"time", "cpu"})
# Of the cases that were not counted.
_LISTED = 3
_PASSES = frozenset({ChangeStatus.OK, ChangeStatus.FASTER})
# Least share by which a count may differ between processes of code that does the same. Callgrind's
# mostly differ by 0.02 % at most; addresses as hashes, and the clock, can make it more.
_REPEATABILITY: dict[Witness, float] = {"instructions": 0.001, "bytecodes": 0.0}
SIDE_NAMES: dict[SideLetter, str] = {"a": "base", "b": "new"}
"""Names of the sides in sentences."""


@dataclass(slots=True)
class CountedCase:
    """Counts of an operation on both sides: repeated ones, all after a warm-up."""

    values: dict[SideLetter, tuple[float, ...]] = field(default_factory=dict)
    failure: Failure | None = None
    """Failure of a side."""
    missing: str = ""
    """Reason why something was not counted."""

    def fail(self, letter: SideLetter, failure: Failure) -> None:
        """Note that a side failed."""
        self.failure = failure
        self.missing = f"{SIDE_NAMES[letter]} code: {failure.message}"


def judge_count(witness: Witness, counted: CountedCase, config: ABConfig) -> ABCount:
    """Judge the counts of both sides by the smallest effect that matters and by the margin.

    A change is what both sides' repeats don't explain. It is ``slower`` or ``faster`` where it is
    surely over the smallest effect that matters, and ``ok`` where a slowdown is surely below the
    margin.
    """
    if any(not counted.values.get(letter) for letter in LETTERS):
        reason = f"{witness} not counted: {counted.missing or 'unknown'}"
        return ABCount(witness, None, None, ChangeStatus.INCONCLUSIVE, reason)
    base, new = (_mean(counted.values[letter]) for letter in LETTERS)
    sizes = f"{format_count(base)} to {format_count(new)} an operation"
    if not base:
        status = ChangeStatus.OK if not new else ChangeStatus.INCONCLUSIVE
        return ABCount(witness, base, new, status, f"{witness}: {sizes}")
    change, noise = new / base - 1, _noise(witness, counted.values)
    status = ChangeStatus.INCONCLUSIVE
    if change - noise > config.min_effect:
        status = ChangeStatus.SLOWER
    elif change + noise < -config.min_effect:
        status = ChangeStatus.FASTER
    elif change + noise < config.margin:
        status = ChangeStatus.OK
    effect = format_count_change(base, new)
    words = {
        ChangeStatus.OK: f"{witness} {describe_margin(config.margin)}: {effect}",
        ChangeStatus.INCONCLUSIVE: f"{witness} {effect}, but repeats differ by {100 * noise:.2g} %",
    }
    return ABCount(
        witness, base, new, status, f"{words.get(status, f'{witness} {effect}')} ({sizes})"
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _noise(witness: Witness, values: Mapping[SideLetter, Sequence[float]]) -> float:
    """Return the share by which counts of the same code may differ."""
    spreads = [(max(v) - min(v)) / max(_mean(v), 1.0) for v in values.values()]
    return max(_REPEATABILITY[witness], *spreads)


def format_count_change(base: float, new: float) -> str:
    """Return a change of an exact count, to two decimals: +5.07 %, or equal."""
    if base == new:
        return "equal"
    if not base:
        return f"{format_count(base)} to {format_count(new)}"
    percent = f"{100 * (new / base - 1):+.2f}".replace("-", MINUS)
    return f"{'±0.00' if float(percent.replace(MINUS, '-')) == 0 else percent}{THIN}%"


def describe_counts(change: ABChange) -> str:
    """Return the counts beside what decided, in short: instructions +5.07 %, bytecodes equal."""
    return ", ".join(
        f"{count.witness} not counted"
        if count.base is None or count.new is None
        else f"{count.witness} {format_count_change(count.base, count.new)}"
        for count in change.counts
        if count.witness != change.metric.name
    )


def count_notes(run: ABRun) -> list[str]:
    """Return the sentences by which the counts of a comparison are to be read."""
    if run.config.decide_by == "instructions":
        return ["Instructions alone decided. They show nothing of caches and of waiting."]
    if not any(change.counts for change in run.changes):
        return []
    missing = [
        f"{change.case}: {count.reason}."
        for change in run.changes
        for count in change.counts
        if count.base is None
    ]
    meaning = "Counts are of one operation, and repeat. They show nothing of caches and waiting."
    return [meaning, *missing[:_LISTED]]


def decide_by_count(
    case: str, counted: CountedCase, others: Sequence[ABCount], config: ABConfig
) -> ABChange:
    """Return the change of a case that instructions alone decide."""
    count = judge_count("instructions", counted, config)
    status, severity, reason = count.status, Severity.NONE, count.reason
    if counted.failure is not None:
        status = ChangeStatus.ERROR
    elif count.base is None:
        status = ChangeStatus.NOT_MEASURED
    elif count.status is ChangeStatus.SLOWER and count.ratio is not None:
        sure = count.ratio - 1 - _noise("instructions", counted.values)
        severity = Severity.FAIL if sure > config.fail_over else Severity.WARN
    return ABChange(
        case=case,
        metric=INSTRUCTIONS,
        status=status,
        severity=severity,
        reason=reason,
        margin=config.margin,
        base=count.base,
        new=count.new,
        ratio=count.ratio,
        failure=counted.failure,
        counts=(count, *others),
    )


def reconcile_counts(change: ABChange) -> ABChange:
    """Return ``change`` as it stands beside its count of instructions.

    They disagree where the count's change lies outside the time's interval, by more than the margin
    from the time's estimate, and has another direction: one says slower, or faster, and the other
    doesn't. A pass is inconclusive then, as either may be wrong: the time by its memory layout, the
    count by all that it can't see. Anything else keeps its status, and says so. Bytecodes decide
    nothing, as work in C is not in them.
    """
    for count in change.counts:
        if count.witness == "instructions" and _disagrees(change, count):
            sentence = (
                f"time says {_in_words(change)}, instructions say "
                f"{format_effect(count.ratio, 'more', 'fewer')}"
            )
            if change.status in _PASSES:
                return replace(
                    change,
                    status=ChangeStatus.INCONCLUSIVE,
                    severity=Severity.NONE,
                    reason=f"{sentence}; by time alone: {change.reason}",
                )
            return replace(change, reason=f"{change.reason}; but {sentence}")
    return change


def _disagrees(change: ABChange, count: ABCount) -> bool:
    is_decided = change.status in _PASSES or change.status is ChangeStatus.SLOWER
    if not is_decided or change.metric.name not in _TIMES:
        return False
    if change.ratio is None or count.ratio is None or not change.ratio > 0:
        return False
    if count.status in (change.status, ChangeStatus.INCONCLUSIVE):
        return False
    low, high = change.low or change.ratio, change.high or change.ratio
    return not low <= count.ratio <= high and abs(count.ratio / change.ratio - 1) > change.margin


def _in_words(change: ABChange) -> str:
    within = f", {describe_margin(change.margin)}" if change.status is ChangeStatus.OK else ""
    return format_effect(change.ratio) + within
