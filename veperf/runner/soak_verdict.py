"""The verdict of a soak: leaks, limits, and whether its load was the one that was asked for."""

import math

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from veperf.core.case import Case
from veperf.core.escape import as_html
from veperf.core.text import format_bytes, format_count, format_percent, format_quantity
from veperf.loadtest.schedule import CHUNK
from veperf.profiling.memory import charts
from veperf.profiling.memory.budget import LimitUse, MemoryBudget, check_budget, check_growth
from veperf.profiling.memory.leak_rule import LeakStatus, LeakVerdict, judge_leak
from veperf.runner.soak_readings import Points, SoakReadings

RESIDENT, OBJECTS, CHILDREN = "resident memory", "Python objects", "child processes"

# Records of the items of a chunk, which the generator keeps until it works through them.
_GENERATOR_BYTES = 256 * CHUNK
_GENERATOR_BLOCKS = 6 * CHUNK

_LIKELY_GROWTH = 0.02
"""Change of the last part that is recorded too, though the readings don't prove a leak."""
_LEAST_OFFERED = 0.9
"""Share of the load that must have been offered, and done: a leak of 10 % shows by 9 %."""
_BACKLOG_S = 1.0
"""A system that keeps up has no backlog; so many seconds of load are one."""
_MANY_MORE = 10
"""Fewer more threads, tasks or processes are not named: some come and go."""
_NO_PAUSES = (
    "pauses were not measured: Python began no collection by itself, since those of the readings "
    "came first; a higher rate shows some"
)
_GENERATIONS = "youngest", "middle", "oldest"
_RATE_NEXT = 0.8
"""Of what was done, as a share: a rate that the machine can carry."""


class SoakResult(Struct, frozen=True):
    """A long load, and the verdicts on its memory.

    A soak asks about memory alone: that latency could not be judged changes neither ``passed`` nor
    the exit code.
    """

    case: Case
    soaked: SoakReadings
    leaks: dict[str, LeakVerdict]
    """Verdicts on ``resident memory`` and ``Python objects``, and on ``child processes``, the
    resident memory of those that the system has started, if there are any. All inconclusive where
    memory is not judged."""
    violations: tuple[LimitUse, ...]
    """Limits that were exceeded; none are judged where memory is not."""
    not_measured: tuple[LimitUse, ...] = ()
    """Limits of which nothing is known, for want of readings."""
    not_judged: str = ""
    """Reason why memory is not judged: the load was another one. Empty where it is judged."""

    @property
    def leak(self) -> LeakVerdict:
        """The worst of ``leaks``: one that is suspected, else one that is inconclusive."""
        order = (LeakStatus.SUSPECTED, LeakStatus.INCONCLUSIVE, LeakStatus.CLEAN)
        return min(self.leaks.values(), key=lambda leak: order.index(leak.status))

    @property
    def failed(self) -> bool:
        """True where a leak is suspected, or a limit was passed."""
        return self.leak.status is LeakStatus.SUSPECTED or bool(self.violations)

    @property
    def answered(self) -> bool:
        """True where memory was judged, and each limit measured."""
        return not (self.not_judged or self.not_measured)

    @property
    def passed(self) -> bool:
        """True where all was answered, no leak is suspected and no limit was passed."""
        return self.answered and not self.failed

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode() + "\n"

    def __repr__(self) -> str:
        evidence = self.soaked.evidence
        return "\n".join([*_lines(self), *([] if evidence is None else [repr(evidence)])])

    def _repr_html_(self) -> str:
        verdict = self.leaks[RESIDENT]
        line = tuple(zip(verdict.trough_times, verdict.line_bytes, strict=True))
        alt = "Resident memory over time, and the line through its troughs"
        head, *others = _lines(self)
        paragraphs = (f"<p>{as_html(text)}</p>" for text in others)
        evidence = self.soaked.evidence
        return charts.html_card(
            head,
            charts.memory_curve(self.soaked.rss, alt, line=line),
            *paragraphs,
            "" if evidence is None else evidence._repr_html_(),
        )


def judge_soak(
    case: Case, readings: SoakReadings, budget: MemoryBudget, *, asks_pauses: bool = False
) -> SoakResult:
    """Judge the ``readings`` of a soak of ``case``.

    Where Python began no collection by itself, no pause was measured. That is said, and leaves a
    question open where ``asks_pauses``.

    A load that is invalid says nothing of latency. Memory is judged all the same where the system
    had the load that was asked for: nine tenths of it were offered and done, and it kept up.
    """
    if reason := _reason_not_judged(readings):
        unknown = LeakVerdict(LeakStatus.INCONCLUSIVE, f"not judged: {reason}")
        leaks = dict.fromkeys(_series(readings), unknown)
        return SoakResult(case, readings, leaks, violations=(), not_judged=reason)
    leaks = _judge_readings(readings, budget.growth_margin)
    uses = check_budget(readings.stats, budget, leaks[RESIDENT])
    if children := leaks.get(CHILDREN):
        uses += check_growth(children, budget, "memory of child processes")
    if asks_pauses and budget.gc_pause_ns < math.inf and not any(readings.stats.gc_cycles):
        uses += (LimitUse("gc_pause_ns", None, budget.gc_pause_ns, _NO_PAUSES),)
    return SoakResult(
        case=case,
        soaked=readings,
        leaks=leaks,
        violations=tuple(use for use in uses if use.exceeded),
        not_measured=tuple(use for use in uses if not use.exceeded),
    )


def is_worth_recording(readings: SoakReadings, margin: float) -> bool:
    """Return whether it is worth a look which lines leak: memory grows in the process itself."""
    if _reason_not_judged(readings):
        return False
    leaks = _judge_readings(readings, margin)
    return any(_is_growing(leak) for what, leak in leaks.items() if what != CHILDREN)


def _judge_readings(readings: SoakReadings, margin: float) -> dict[str, LeakVerdict]:
    """Return the verdict on each series of ``readings``, by its name."""
    return {
        what: _judge_growth(points, own_growth, margin)
        for what, (points, own_growth) in _series(readings).items()
    }


def _is_growing(leak: LeakVerdict) -> bool:
    """Return whether a leak is suspected, or likely."""
    likely = leak.status is LeakStatus.INCONCLUSIVE and (leak.change or 0.0) >= _LIKELY_GROWTH
    return leak.status is LeakStatus.SUSPECTED or likely


def _series(readings: SoakReadings) -> dict[str, tuple[Points, int]]:
    """Return what is judged, each with the growth that the load generator may explain."""
    series = {
        RESIDENT: (readings.rss, _GENERATOR_BYTES),
        OBJECTS: (readings.blocks, _GENERATOR_BLOCKS),
    }
    return series | {CHILDREN: (readings.children, 0)} if readings.children else series


def _judge_growth(points: Points, own_growth: int, margin: float) -> LeakVerdict:
    """Judge ``points``; what the load generator's ``own_growth`` may explain is no proof."""
    verdict = judge_leak([time for time, _ in points], [value for _, value in points], margin)
    if (
        verdict.status is not LeakStatus.SUSPECTED
        or verdict.line_bytes[-1] - verdict.line_bytes[0] > own_growth
    ):
        return verdict
    reason = "it grows by no more than the load generator's own records may; run longer"
    return replace(verdict, status=LeakStatus.INCONCLUSIVE, reason=reason)


def _reason_not_judged(readings: SoakReadings) -> str:
    """Return the reason why memory is not judged; empty where it is."""
    invalid = readings.load.failure
    other = "" if invalid is None else _describe_other_load(readings)
    return f"{invalid.message}; {other}" if invalid is not None and other else ""


def _describe_other_load(readings: SoakReadings) -> str:
    """Describe how the system had another load than was asked for; empty where it had that one."""
    planned = readings.planned_rate
    if planned is None:
        return "a search offers many loads"
    offered = readings.load.figures.get("offered", 0.0)
    if offered < _LEAST_OFFERED * planned:
        return (
            f"{format_count(offered)} items a second were offered in place of "
            f"{format_count(planned)}, and memory under another load says nothing of this one"
        )
    overload = _describe_overload(readings)
    return f"{overload}, and its memory under another load says nothing" if overload else ""


def _describe_overload(readings: SoakReadings) -> str:
    """Describe that the system could not carry the load; empty where it could, or a search."""
    planned, errors = readings.planned_rate, readings.load.figures.get("error_rate", 0.0) / 100
    if planned is not None and readings.backlog > _BACKLOG_S * planned:
        return f"the system fell behind: {format_count(readings.backlog)} more items wait in it"
    if planned is not None and errors > 1 - _LEAST_OFFERED:
        return f"{format_percent(errors)} of the items were refused, failed or lost"
    return ""


def _lines(result: SoakResult) -> list[str]:
    return [
        _head(result),
        *([_not_judged(result)] if result.not_judged else _judged(result)),
    ]


def _head(result: SoakResult) -> str:
    stats, figures = result.soaked.stats, result.soaked.load.figures
    rate = f"{format_count(figures['achieved'])} a second" if "achieved" in figures else "nothing"
    return (
        f"{result.case.id}: {rate} done in {stats.duration_s / 60:.3g} minutes, "
        f"{format_bytes(stats.rss.last)} resident, {format_bytes(stats.peak_rss_bytes)} at most"
    )


def _not_judged(result: SoakResult) -> str:
    done = result.soaked.load.figures.get("achieved", 0.0)
    next_rate = int(float(f"{_RATE_NEXT * done:.2g}"))
    slower = f"with --rate {next_rate}, or " if next_rate else ""
    return f"not judged: {result.not_judged}; run it again {slower}when CPUs are free"


def _judged(result: SoakResult) -> list[str]:
    readings = result.soaked
    limits = [
        *(f"over its limit: {use.description}" for use in result.violations),
        *(use.description for use in result.not_measured),
    ]
    return [
        *(f"{what}: {verdict!r}" for what, verdict in result.leaks.items()),
        *(limits or [_within(readings)]),
        _describe_pauses(readings),
        *_describe_numbers(readings),
        *map(repr, readings.grown_children if _has_growing_children(result) else ()),
        *_describe_load(readings),
    ]


def _within(readings: SoakReadings) -> str:
    return "within all limits" + ("" if any(readings.stats.gc_cycles) else f", but {_NO_PAUSES}")


def _describe_pauses(readings: SoakReadings) -> str:
    stats = readings.stats
    forced = stats.forced_collections and f"; {stats.forced_collections}"
    own_ns = format_quantity(stats.gc_own_longest_cpu_ns, "ns")
    longest = f"no collection that Python began by itself{forced}"
    if any(stats.gc_cycles):
        cpu_ns = max(stats.gc_longest_cpu_ns)
        by_clock = format_quantity(max(stats.gc_longest_ns), "ns")
        youngest, middle, oldest = map(format_count, stats.gc_cycles)
        longest = (
            f"longest collection {format_quantity(cpu_ns, 'ns')} of CPU time ({by_clock} by the "
            f"clock), one of the {_GENERATIONS[stats.gc_longest_cpu_ns.index(cpu_ns)]} generation, "
            f"of {youngest} of the youngest, {middle} of the middle and {oldest} of the oldest one"
            f"{forced}"
        )
    return f"{longest}; a full one, for a reading, took {own_ns} at most"


def _describe_numbers(readings: SoakReadings) -> list[str]:
    """Describe threads, tasks and processes that became more after the warm-up."""
    if readings.at_rest is None:
        return []
    warm, last = readings.at_rest
    numbers = {
        "threads": (warm.threads, last.threads),
        "asyncio tasks": (warm.tasks, last.tasks),
        "processes": (warm.processes, last.processes),
    }
    return [
        f"{what} became more: {format_count(before)} after the warm-up, {format_count(after)} in "
        "the end"
        for what, (before, after) in numbers.items()
        if after >= before + _MANY_MORE
    ]


def _has_growing_children(result: SoakResult) -> bool:
    return CHILDREN in result.leaks and _is_growing(result.leaks[CHILDREN])


def _describe_load(readings: SoakReadings) -> list[str]:
    """Describe what is to be known of the load: overload, and that latency is not judged."""
    invalid, overload = readings.load.failure, _describe_overload(readings)
    return [
        *([f"{overload}: memory is that of an overloaded system"] if overload else []),
        *(
            [
                f"latency is not judged, memory is: {invalid.message}; `veperf load` measures "
                "latency when CPUs are free"
            ]
            if invalid is not None
            else []
        ),
    ]
