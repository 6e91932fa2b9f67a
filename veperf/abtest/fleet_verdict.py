"""What a comparison on several places comes to: where it is slower, never an average over them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from veperf.abtest import verdict
from veperf.core.ab import ABChange, ABPlace, ABSide
from veperf.core.verdict import ChangeStatus, Outcome
from veperf.core.words import plural
from veperf.verdicts.verdict import exit_code_of

_WORST_FIRST = (Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN, Outcome.PASS)
_UNDECIDED = (ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH)
_NAMED = 3


def outcome(places: Sequence[ABPlace]) -> Outcome:
    """That of the worst place; ``error`` where there is none."""
    found = [outcome_at(place) for place in places] or [Outcome.ERROR]
    return min(found, key=_WORST_FIRST.index)


def outcome_at(place: ABPlace) -> Outcome:
    """That of the comparison there; ``error`` where it is missing."""
    return Outcome.ERROR if place.found is None else verdict.outcome(place.found)


def exit_code(places: Sequence[ABPlace], *, strict: bool = False) -> int:
    """What a command ends with, as for a single comparison of that outcome."""
    return exit_code_of(outcome(places), strict=strict)


def sentence(places: Sequence[ABPlace]) -> str:
    """Where it is slower, then what else there is to say of each place, the worst first."""
    said = [
        *_each(places, "slower", (ChangeStatus.SLOWER,), _sized),
        *_each(places, "could not be measured", (ChangeStatus.ERROR,), _case),
        *_missing(places),
        *_undecided(places),
        *_each(places, "faster", (ChangeStatus.FASTER,), _sized),
    ]
    well = [place.name for place in places if _is_well(place)]
    return "; ".join([*said, *([f"no slower on {listed(well)}"] if well else [])])


def notes(places: Sequence[ABPlace]) -> list[str]:
    """In what they differ: what got slower here and faster there, or is not on all of them."""
    by_case: dict[str, dict[str, ChangeStatus]] = {}
    measured = [place for place in places if place.found is not None]
    for place in measured:
        for change in _changes(place):
            by_case.setdefault(change.case, {})[place.name] = change.status
    found: dict[str, list[str]] = {}
    for case, statuses in by_case.items():
        for note in _differences(statuses, [place.name for place in measured]):
            found.setdefault(note, []).append(case)
    return [f"{note}: {_first(cases)}" for note, cases in found.items()]


def _differences(statuses: Mapping[str, ChangeStatus], measured: Sequence[str]) -> Iterator[str]:
    slower, faster = (
        [name for name, found in statuses.items() if found is status]
        for status in (ChangeStatus.SLOWER, ChangeStatus.FASTER)
    )
    if slower and faster:
        yield f"slower on {listed(slower)}, but faster on {listed(faster)}"
    if lacking := [name for name in measured if name not in statuses]:
        yield f"not there on {listed(lacking)}, only on {listed(list(statuses))}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: a; a and b; a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _each(
    places: Sequence[ABPlace],
    what: str,
    statuses: tuple[ChangeStatus, ...],
    word: Callable[[ABChange], str],
) -> Iterator[str]:
    """A clause for each place that has changes of ``statuses``, the largest changes named."""
    for place in places:
        chosen = [change for change in _changes(place) if change.status in statuses]
        chosen.sort(key=lambda change: -abs((change.ratio or 1) - 1))
        if chosen:
            yield f"{what} on {place.name}: {_first([word(change) for change in chosen])}"


def _missing(places: Sequence[ABPlace]) -> Iterator[str]:
    """A clause for each reason why there is no result."""
    names: dict[str, list[str]] = {}
    for place in places:
        if place.found is None:
            names.setdefault(place.missing, []).append(place.name)
    for why, there in names.items():
        yield f"not measured on {listed(there)}: {why}"


def _undecided(places: Sequence[ABPlace]) -> Iterator[str]:
    for place in places:
        if count := sum(change.status in _UNDECIDED for change in _changes(place)):
            yield f"inconclusive on {place.name}: {plural(count, 'benchmark')}"
        elif place.found is not None and not _compared(place):
            yield f"nothing to compare on {place.name}"


def _is_well(place: ABPlace) -> bool:
    good = {ChangeStatus.OK, ChangeStatus.FASTER}
    return bool(_compared(place)) and {change.status for change in _compared(place)} <= good


def _compared(place: ABPlace) -> list[ABChange]:
    return [c for c in _changes(place) if c.status is not ChangeStatus.ONE_SIDED]


def _changes(place: ABPlace) -> tuple[ABChange, ...]:
    return () if place.found is None else place.found.changes


def _first(named: Sequence[str]) -> str:
    more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
    return ", ".join([*named[:_NAMED], *more])


def _case(change: ABChange) -> str:
    return change.case


def _sized(change: ABChange) -> str:
    if change.ratio is None:
        return change.case
    said = f"{change.case} {_signed(change.ratio)} %"
    if change.low is None or change.high is None:
        return said
    return f"{said} ({_signed(change.low)} to {_signed(change.high)})"


def _signed(ratio: float) -> str:
    percent = 100 * (ratio - 1)
    return f"{percent:+.1f}" if abs(percent) < 99.95 else f"{percent:+,.0f}"


@dataclass(frozen=True, slots=True)
class At:
    """One place, and what its comparison comes to."""

    place: ABPlace
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of them, and what they come to together."""

    sweep: str
    base: ABSide
    new: ABSide
    outcome: Outcome
    sentence: str
    notes: tuple[str, ...]
    places: tuple[At, ...]
