"""An A/B comparison as a table, one row a benchmark, and which comparison it is."""

from collections.abc import Iterable, Sequence

from veperf.judge.words import plural
from veperf.model import ABChange, ABRun, ABSide, ChangeStatus, Severity
from veperf.report import identity, status, strips, words
from veperf.report.status import Mark
from veperf.report.summary import measured_name
from veperf.report.tables import Cell, Table

_SLIGHTLY_SLOWER = Mark("slower", "warn", 2)


def mark_of(change: ABChange) -> Mark:
    """How a status is shown: a slowdown within the threshold only warns."""
    if change.status is ChangeStatus.SLOWER and change.severity is not Severity.FAIL:
        return _SLIGHTLY_SLOWER
    return status.of_change(change.status)


def by_urgency(found: Iterable[ABChange]) -> list[ABChange]:
    """The most urgent first, among those alike the worst."""
    return sorted(found, key=lambda c: (mark_of(c).urgency, -(c.ratio or 0)))


def changes(found: Sequence[ABChange], caption: str) -> Table:
    """One row a benchmark, with an interval drawn on a common axis."""
    axis = reach(found)
    return Table(
        caption,
        (
            ("Status", "left"),
            ("Benchmark", "left"),
            ("Base", "right"),
            ("New", "right"),
            ("Change", "left"),
            ("Pairs", "right"),
            ("Why", "left"),
        ),
        tuple(_row(change, axis) for change in by_urgency(found)),
    )


def facts(found: ABRun) -> list[tuple[str, str]]:
    """What was compared with what, where, when and how."""
    asked = found.config
    seconds = sum(one.seconds for one in found.rounds)
    return [
        ("Comparison", found.id),
        ("Measured", words.moment(found.created)),
        ("Base", side(found.base)),
        ("New", side(found.new)),
        ("Machine", identity.machine(found.machine)),
        ("Python", found.machine.python),
        ("Pairs", f"{len(found.rounds)} of at most {asked.max_pairs}, {words.seconds(seconds)}"),
        ("Samples", f"{plural(asked.samples, 'sample')} of each side in a pair, in turn"),
        ("While measuring", _conditions(found)),
    ]


def side(found: ABSide) -> str:
    """A side: its name, its commit, its environment."""
    commit = identity.revision(found.revision) if found.revision.commit else ""
    environment = f"packages {found.environment}" if found.environment else ""
    return ", ".join(filter(None, (found.name, commit, environment)))


def reach(found: Iterable[ABChange]) -> float:
    """How far the common axis goes to either side: 5 % at least, 50 % at most."""
    ends = [abs(end - 1) for c in found for end in (c.low, c.high) if end is not None]
    return min(0.5, max(0.05, *ends, 0.0))


def _row(c: ABChange, axis: float) -> tuple[Cell, ...]:
    between = words.change_interval(c.low, c.high)
    picture = ""
    if c.ratio is not None and c.low is not None and c.high is not None:
        picture = strips.forest(c.low - 1, c.ratio - 1, c.high - 1, reach=axis)
    return (
        Cell("", mark=mark_of(c)),
        Cell(measured_name(c.case, c.metric.name)),
        Cell(words.quantity(c.base, c.metric.unit)),
        Cell(words.quantity(c.new, c.metric.unit)),
        Cell(
            words.effect(c.ratio, c.metric.name),
            note="" if c.low is None else between,
            picture=picture,
        ),
        Cell(str(len(c.pairs))),
        Cell(words.sentence(c.reason)),
    )


def _conditions(found: ABRun) -> str:
    if not found.rounds:
        return "unknown"
    load = max(one.load for one in found.rounds)
    steals = [one.steal_ratio for one in found.rounds if one.steal_ratio is not None]
    stolen = f", {words.share(max(steals))} of CPU time given to others at most" if steals else ""
    return f"load {words.number(load)} at most{stolen}"
