"""Result of a sham-edit battery: false alarms, planted slowdowns found, between-version noise."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.abtest.gate import decide_comparison
from veperf.core.ab_records import ABChange, ABPair, ABRun
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, OK
from veperf.core.gate import Outcome
from veperf.core.text import (
    MISSING,
    format_change,
    format_interval,
    format_number,
    format_percent,
    plural,
)
from veperf.core.verdict import UNDECIDED, ChangeStatus
from veperf.core.version_noise import KindNoise, VersionNoise
from veperf.report.html import markup
from veperf.report.html.fragment import standalone
from veperf.report.sections import identity
from veperf.report.tables.table import Cell, Table, text_table
from veperf.stats.look_schedule import LOOKS
from veperf.stats.version_noise import estimate_version_noise

if TYPE_CHECKING:
    import pandas as pd


class ShamComparison(Struct, frozen=True):
    """Comparison of a version with its base."""

    edit: str
    """The edit in words."""
    effect: float
    """Share of more work that was planted; 0 where nothing that runs has changed."""
    run: ABRun


@dataclass(frozen=True, slots=True)
class KindCheck:
    """Verdicts on one kind of work."""

    case: str
    shams: int
    """Comparisons in which nothing that runs had changed."""
    slower: int
    """False alarms among them, and likewise ``faster``."""
    faster: int
    inconclusive: int
    planted: int
    """Comparisons with a planted slowdown."""
    detected: int
    """Those of them that were called slower."""
    pairs: float
    """Pairs that a sham took, on average."""


def check_kinds(comparisons: Iterable[ShamComparison]) -> tuple[KindCheck, ...]:
    """Count the verdicts on each kind of work."""
    shams: dict[str, list[ABChange]] = {}
    planted: dict[str, list[ABChange]] = {}
    for comparison in comparisons:
        group = planted if comparison.effect else shams
        for change in comparison.run.changes:
            group.setdefault(change.case, []).append(change)
    return tuple(
        _check(case, shams.get(case, []), planted.get(case, []))
        for case in dict.fromkeys([*shams, *planted])
    )


def battery_noise(comparisons: Sequence[ShamComparison]) -> VersionNoise | None:
    """Return the between-version noise of each kind and of all; None where there are no pairs.

    From the pairs of the first look, which every comparison has: how many followed depended on
    their values.
    """
    ratios: dict[str, list[NDArray[np.float64]]] = {}
    for comparison in comparisons:
        for change in comparison.run.changes:
            if not comparison.effect and len(change.pairs) >= LOOKS[0]:
                ratios.setdefault(change.case, []).append(_log_ratios(change.pairs[: LOOKS[0]]))
    overall = _noise("", list(ratios.values()))
    if overall is None:
        return None
    kinds = (_noise(case, [groups]) for case, groups in ratios.items())
    return VersionNoise(
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=comparisons[0].run.machine,
        overall=overall,
        kinds=tuple(kind for kind in kinds if kind is not None),
    )


@dataclass(frozen=True, slots=True, repr=False)
class ShamResult:
    """Result of a sham-edit battery: verdicts by kind of work, and the between-version noise."""

    comparisons: tuple[ShamComparison, ...]
    kinds: tuple[KindCheck, ...]
    noise: VersionNoise | None
    """None where nothing could be measured."""
    place: str = ""
    """File in the archive that keeps the noise; empty where it is not kept."""

    @property
    def false_alarms(self) -> int:
        """Number of times that unchanged work was called slower or faster."""
        return sum(kind.slower + kind.faster for kind in self.kinds)

    @property
    def was_stopped(self) -> bool:
        """True where it was stopped by hand."""
        return self.comparisons[-1].run.stopped == "hand"

    def exit_code(self) -> int:
        """Return 3 where something could not be measured, 1 after a false alarm, else 0."""
        if any(decide_comparison(c.run).outcome is Outcome.ERROR for c in self.comparisons):
            return COULD_NOT_MEASURE
        return FAILED if self.false_alarms else OK

    def frame(self) -> "pd.DataFrame":
        """Return a row a kind of work: counts of verdicts, and the noise with its interval."""
        import pandas as pd

        noises = {} if self.noise is None else {each.kind: each for each in self.noise.kinds}
        rows = []
        for kind in self.kinds:
            noise = noises.get(kind.case)
            rows.append(
                asdict(kind)
                | {
                    "deviation": noise and noise.deviation,
                    "low": noise and noise.low,
                    "high": noise and noise.high,
                }
            )
        return pd.DataFrame(rows).set_index("case")

    def __repr__(self) -> str:
        parts = [*_summary(self), text_table(sham_table(self))]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        summary = "".join(map(markup.paragraph, _summary(self)))
        return standalone(summary + markup.html_table(sham_table(self)))


def sham_table(result: ShamResult) -> Table:
    """Return a table with a row a kind of work, and one for all of them."""
    planted = max((c.effect for c in result.comparisons), default=0.0)
    noises = {} if result.noise is None else {each.kind: each for each in result.noise.kinds}
    rows = [_row(kind, noises.get(kind.case)) for kind in result.kinds]
    overall = None if result.noise is None else result.noise.overall
    rows.append(_row(_total(result.kinds), overall))
    return Table(
        "Versions that do the same work",
        (
            ("Kind of work", "left"),
            ("Called slower", "right"),
            ("Called faster", "right"),
            ("Inconclusive", "right"),
            ("Pairs", "right"),
            (f"{format_change(1 + planted)} found" if planted else "Planted found", "right"),
            ("Between versions", "right"),
        ),
        tuple(rows),
        row_header=0,
    )


def describe_noise(noise: KindNoise) -> str:
    """Return a deviation with its interval: 0.40 % (95 % interval 0-0.91 %)."""
    interval = format_interval(100 * noise.low, 100 * noise.high, "%", digits=2)
    confidence = format_percent(noise.confidence)
    return f"{format_percent(noise.deviation)} ({confidence} interval {interval})"


def _summary(result: ShamResult) -> list[str]:
    shams = sum(kind.shams for kind in result.kinds)
    slower, faster = (sum(getattr(k, name) for k in result.kinds) for name in ("slower", "faster"))
    undecided = sum(kind.inconclusive for kind in result.kinds)
    edits = sum(not c.effect for c in result.comparisons)
    stopped = ", the last stopped by hand" if result.was_stopped else ""
    machine = identity.machine_text(result.comparisons[0].run.machine)
    parts = [
        f"{plural(edits, 'edit')} that changed nothing that runs{stopped}, on {machine}: "
        f"{slower} of {plural(shams, 'comparison')} called slower, {faster} faster, {undecided} "
        "inconclusive."
    ]
    if planted := sum(kind.planted for kind in result.kinds):
        effect = max(c.effect for c in result.comparisons)
        detected = sum(kind.detected for kind in result.kinds)
        parts.append(f"{format_percent(effect)} more work: found in {detected} of {planted}.")
    if result.noise is not None:
        parts.append(_noise_sentence(result, result.noise.overall))
    return parts


def _noise_sentence(result: ShamResult, overall: KindNoise) -> str:
    text = (
        "Between versions that do the same work, times differ by a standard deviation of "
        f"{describe_noise(overall)}, beyond what pairs explain"
    )
    if not overall.added:
        return f"{text}: it may be none, and nothing is added to verdicts."
    if not result.place:
        return f"{text}. It was not kept: an earlier battery of more comparisons is."
    return (
        f"{text}. Kept in {result.place}: `veperf ab` with this archive on this machine class adds "
        "it to what a verdict must overcome."
    )


def _check(case: str, shams: Sequence[ABChange], planted: Sequence[ABChange]) -> KindCheck:
    statuses = [change.status for change in shams]
    return KindCheck(
        case=case,
        shams=len(shams),
        slower=statuses.count(ChangeStatus.SLOWER),
        faster=statuses.count(ChangeStatus.FASTER),
        inconclusive=sum(status in UNDECIDED for status in statuses),
        planted=len(planted),
        detected=sum(change.status is ChangeStatus.SLOWER for change in planted),
        pairs=fmean(len(change.pairs) for change in shams) if shams else 0.0,
    )


def _total(kinds: Sequence[KindCheck]) -> KindCheck:
    shams = sum(kind.shams for kind in kinds)
    return KindCheck(
        case="all",
        shams=shams,
        slower=sum(kind.slower for kind in kinds),
        faster=sum(kind.faster for kind in kinds),
        inconclusive=sum(kind.inconclusive for kind in kinds),
        planted=sum(kind.planted for kind in kinds),
        detected=sum(kind.detected for kind in kinds),
        pairs=sum(kind.pairs * kind.shams for kind in kinds) / max(1, shams),
    )


def _row(kind: KindCheck, noise: KindNoise | None) -> tuple[Cell, ...]:
    return (
        Cell(kind.case),
        Cell(f"{kind.slower} of {kind.shams}"),
        Cell(f"{kind.faster} of {kind.shams}"),
        Cell(f"{kind.inconclusive} of {kind.shams}"),
        Cell(format_number(kind.pairs)),
        Cell(f"{kind.detected} of {kind.planted}" if kind.planted else MISSING),
        Cell(MISSING if noise is None else _short(noise)),
    )


def _short(noise: KindNoise) -> str:
    interval = format_interval(100 * noise.low, 100 * noise.high, "%", digits=2)
    return f"{format_percent(noise.deviation)} ({interval})"


def _noise(kind: str, groups: Sequence[Sequence[NDArray[np.float64]]]) -> KindNoise | None:
    estimate = estimate_version_noise(groups)
    if estimate is None:
        return None
    return KindNoise(
        kind=kind,
        deviation=estimate.value,
        low=min(estimate.low, estimate.value),
        high=max(estimate.high, estimate.value),
        confidence=estimate.confidence,
        comparisons=sum(map(len, groups)),
    )


def _log_ratios(pairs: Iterable[ABPair]) -> NDArray[np.float64]:
    values = np.array([(pair.base, pair.new) for pair in pairs])
    ratios: NDArray[np.float64] = np.log(values[:, 1] / values[:, 0])
    return ratios
