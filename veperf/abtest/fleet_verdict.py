"""Verdict on a fleet comparison: where it is slower, never an average over the places."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from veperf.abtest import verdict
from veperf.core.ab_records import ABChange, ABPlace, ABSide
from veperf.core.text import join_words, plural
from veperf.core.verdict import ChangeStatus, Outcome

_WORST_FIRST = (Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)
_UNDECIDED = (ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH)
_NAMED = 3


def fleet_outcome(places: Sequence[ABPlace]) -> Outcome:
    """Return the outcome of the worst place; ``error`` where there is none."""
    outcomes = [place_outcome(place) for place in places] or [Outcome.ERROR]
    return min(outcomes, key=_WORST_FIRST.index)


def place_outcome(place: ABPlace) -> Outcome:
    """Return the outcome of the comparison on ``place``; ``error`` where it is missing."""
    return (
        Outcome.ERROR if place.comparison is None else verdict.comparison_outcome(place.comparison)
    )


def fleet_sentence(places: Sequence[ABPlace]) -> str:
    """Return the summary sentence, worst first: where it is slower, then the other results."""
    clauses = [
        *_each(places, "slower", (ChangeStatus.SLOWER,), _sized),
        *_each(places, "could not be measured", (ChangeStatus.ERROR,), _case),
        *_missing(places),
        *_undecided(places),
        *_each(places, "faster", (ChangeStatus.FASTER,), _sized),
    ]
    passed = [place.name for place in places if _has_passed(place)]
    if passed:
        clauses.append(f"no slower on {join_words(passed)}")
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
        if count := sum(change.status in _UNDECIDED for change in _changes(place)):
            yield f"inconclusive on {place.name}: {plural(count, 'benchmark')}"
        elif place.comparison is not None and not _compared(place):
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
    """Place with the outcome of its comparison."""

    place: ABPlace
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Fleet:
    """Fleet comparison with its outcome, sentence and notes."""

    sweep: str
    base: ABSide
    new: ABSide
    outcome: Outcome
    sentence: str
    notes: tuple[str, ...]
    places: tuple[JudgedPlace, ...]
