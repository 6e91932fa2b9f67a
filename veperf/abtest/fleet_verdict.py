"""Verdict on a fleet comparison: where it is slower, never an average over the places."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import structs

from veperf.abtest.gate import place_items, unmatched_rules, with_severities
from veperf.abtest.guardrails import describe_guardrail, guardrail_warnings
from veperf.core.ab_records import ABChange, ABPlace, ABSide
from veperf.core.gate import GateDecision
from veperf.core.policy import DEFAULT_POLICY, GatePolicy
from veperf.core.text import describe_margin, join_words, plural
from veperf.core.verdict import UNDECIDED, ChangeStatus
from veperf.verdicts.gate import decide

_NAMED = 3


def decide_fleet(places: Sequence[ABPlace], policy: GatePolicy = DEFAULT_POLICY) -> GateDecision:
    """Return the decision on all places: that of the worst, and an error where there is none."""
    judged = [_with_severities(place, policy) for place in places]
    return decide(
        place_items(places, policy),
        strict=policy.strict,
        headline=fleet_sentence(judged),
        nothing="there is no place to compare on",
        notes=unmatched_rules(
            [place.comparison for place in places if place.comparison is not None],
            policy,
            [place.name for place in places],
        ),
    )


def judge_places(
    places: Sequence[ABPlace], policy: GatePolicy = DEFAULT_POLICY
) -> tuple["JudgedPlace", ...]:
    """Return each place with the decision on its comparison."""
    return tuple(
        JudgedPlace(
            _with_severities(place, policy),
            decide(place_items([place], policy), strict=policy.strict),
        )
        for place in places
    )


def _with_severities(place: ABPlace, policy: GatePolicy) -> ABPlace:
    run = place.comparison
    return place if run is None else structs.replace(place, comparison=with_severities(run, policy))


def fleet_sentence(places: Sequence[ABPlace]) -> str:
    """Return the summary sentence, worst first: where it is slower, then the other results."""
    clauses = [
        *_each(places, "slower", (ChangeStatus.SLOWER,), _sized),
        *_warnings(places),
        *_each(places, "could not be measured", (ChangeStatus.ERROR,), _case),
        *_missing(places),
        *_undecided(places),
        *_each(places, "faster", (ChangeStatus.FASTER,), _sized),
    ]
    passed: dict[str, list[str]] = {}
    for place in places:
        if place.comparison is not None and _has_passed(place):
            within = describe_margin(place.comparison.config.margin)
            passed.setdefault(within, []).append(place.name)
    clauses += [f"{within} on {join_words(names)}" for within, names in passed.items()]
    return "; ".join(clauses)


def fleet_notes(places: Sequence[ABPlace]) -> list[str]:
    """Return in what the places differ: benchmarks slower here and faster there, or missing."""
    by_case: dict[str, dict[str, ChangeStatus]] = {}
    measured = [place for place in places if place.comparison is not None]
    for place in measured:
        for change in _changes(place):
            by_case.setdefault(change.case, {})[place.name] = change.status
    cases_by_note: dict[str, list[str]] = {}
    for case, statuses in by_case.items():
        for note in _differences(statuses, [place.name for place in measured]):
            cases_by_note.setdefault(note, []).append(case)
    return [f"{note}: {_first(cases)}" for note, cases in cases_by_note.items()]


def _differences(statuses: Mapping[str, ChangeStatus], measured: Sequence[str]) -> Iterator[str]:
    slower, faster = (
        [name for name, status in statuses.items() if status is direction]
        for direction in (ChangeStatus.SLOWER, ChangeStatus.FASTER)
    )
    if slower and faster:
        yield f"slower on {join_words(slower)}, but faster on {join_words(faster)}"
    if lacking := [name for name in measured if name not in statuses]:
        yield f"missing on {join_words(lacking)}, only on {join_words(statuses)}"


def _each(
    places: Sequence[ABPlace],
    opening: str,
    statuses: tuple[ChangeStatus, ...],
    describe: Callable[[ABChange], str],
) -> Iterator[str]:
    """Yield a clause for each place with changes of ``statuses``, naming the largest."""
    for place in places:
        chosen = [change for change in _changes(place) if change.status in statuses]
        chosen.sort(key=lambda change: -abs((change.ratio or 1) - 1))
        if chosen:
            yield f"{opening} on {place.name}: {_first([*map(describe, chosen)])}"


def _warnings(places: Sequence[ABPlace]) -> Iterator[str]:
    """Yield a clause for each place with guardrails that warn."""
    for place in places:
        warnings = [
            describe_guardrail(guardrail, change.case)
            for change in _changes(place)
            for guardrail in guardrail_warnings(change)
        ]
        if warnings:
            count = plural(len(warnings), "warning")
            yield f"{count} on {place.name}: {_first(warnings)}"


def _missing(places: Sequence[ABPlace]) -> Iterator[str]:
    """Yield a clause for each reason why there is no result."""
    names: dict[str, list[str]] = {}
    for place in places:
        if place.comparison is None:
            names.setdefault(place.missing, []).append(place.name)
    for reason, missing in names.items():
        yield f"not measured on {join_words(missing)}: {reason}"


def _undecided(places: Sequence[ABPlace]) -> Iterator[str]:
    for place in places:
        statuses = [change.status for change in _changes(place)]
        unmeasured = statuses.count(ChangeStatus.NOT_MEASURED)
        if count := sum(status in UNDECIDED for status in statuses) - unmeasured:
            yield f"inconclusive on {place.name}: {plural(count, 'benchmark')}"
        if unmeasured:
            yield f"out of time on {place.name}: {plural(unmeasured, 'benchmark')} not measured"
        if place.comparison is not None and not _compared(place):
            yield f"nothing to compare on {place.name}"


def _has_passed(place: ABPlace) -> bool:
    good = {ChangeStatus.OK, ChangeStatus.FASTER}
    return bool(_compared(place)) and {change.status for change in _compared(place)} <= good


def _compared(place: ABPlace) -> list[ABChange]:
    return [c for c in _changes(place) if c.status is not ChangeStatus.ONE_SIDED]


def _changes(place: ABPlace) -> tuple[ABChange, ...]:
    return () if place.comparison is None else place.comparison.changes


def _first(named: Sequence[str]) -> str:
    more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return ", ".join([*named[:_NAMED], *more])


def _case(change: ABChange) -> str:
    return change.case


def _sized(change: ABChange) -> str:
    if change.ratio is None:
        return change.case
    change_text = f"{change.case} {_signed(change.ratio)} %"
    if change.low is None or change.high is None:
        return change_text
    return f"{change_text} ({_signed(change.low)} to {_signed(change.high)})"


def _signed(ratio: float) -> str:
    percent = 100 * (ratio - 1)
    return f"{percent:+.1f}" if abs(percent) < 99.95 else f"{percent:+,.0f}"


@dataclass(frozen=True, slots=True)
class JudgedPlace:
    """Place with the decision on its comparison."""

    place: ABPlace
    decision: GateDecision


@dataclass(frozen=True, slots=True)
class Fleet:
    """Fleet comparison with its decision and notes."""

    sweep: str
    base: ABSide
    new: ABSide
    decision: GateDecision
    notes: tuple[str, ...]
    places: tuple[JudgedPlace, ...]
