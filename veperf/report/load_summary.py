"""What the load cases of a run found, over their processes."""

from collections.abc import Iterable
from dataclasses import dataclass

from veperf.core.case import LATENCY_METRICS, Case, Level
from veperf.core.load import Shard
from veperf.core.run import CaseResult, Run
from veperf.loadtest.histogram import Latencies, Percentiles
from veperf.report.case_summary import estimate
from veperf.report.charts import stages
from veperf.stats.hodges_lehmann import Estimate

INVALID = "invalid"
_RATES = ("throughput", "offered", "achieved")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A load case, over the processes that measured it."""

    case: Case
    processes: tuple[tuple[int, CaseResult], ...]
    """Each with its number, from 1."""
    believed: tuple[CaseResult, ...]
    """The valid ones; where there is none, those that are invalid, for the eye."""
    latencies: Latencies
    """Of the ``believed`` together: counters added, percentiles never averaged."""
    percentiles: Percentiles | None
    """Of these, in ms."""
    unreadable: int
    """How many of them have latencies that can't be read."""

    @property
    def valid(self) -> int:
        """Processes that offered the load as planned."""
        return sum(result.failure is None for _, result in self.processes)

    @property
    def invalid(self) -> list[tuple[int, CaseResult]]:
        """Processes that did not, each with its number."""
        return [(n, r) for n, r in self.processes if _is_invalid(r)]

    @property
    def rate(self) -> float | None:
        """The rate that was asked for; None where it is no parameter, as in a search."""
        found = self.case.params.get("rate")
        return float(found) if isinstance(found, int | float) else None

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The processes that put the load on, where the system was in another one."""
        return tuple(shard for _, result in self.processes for shard in result.shards)

    @property
    def is_search(self) -> bool:
        """Whether it looked for a rate."""
        return any(result.trials for _, result in self.processes)

    @property
    def rate_unit(self) -> str:
        """What its rates are given in."""
        return next((m.unit for m in self.case.metrics if m.name in _RATES), "1/s")

    def unit(self, metric: str) -> str:
        """What a figure is given in, whether the case declares it or not."""
        declared = {one.name: one.unit for one in (*LATENCY_METRICS, *self.case.metrics)}
        if metric.startswith(stages.PREFIX):
            return declared.get(metric, stages.UNIT)
        return declared.get(metric, self.rate_unit)

    def figure(self, name: str) -> Estimate | None:
        """The median over the ``believed`` processes, in the unit of the case's metric."""
        return estimate([r.figures[name] for r in self.believed if name in r.figures])

    def stages(self) -> dict[str, float]:
        """CPU time an item by stage, in µs and in the order of the work."""
        return stages.stage_times(self.believed, self.unit)


def loaded(run: Run) -> tuple[Loaded, ...]:
    """Every load case of ``run``, in its order."""
    return tuple(_loaded(run, case) for case in run.cases if case.level is Level.LOAD)


def defaults(found: Iterable[Loaded]) -> list[Loaded]:
    """One case for each benchmark: that of its default parameters, or else its first."""
    chosen: dict[str, Loaded] = {}
    for one in found:
        if one.case.id == one.case.benchmark:
            chosen[one.case.benchmark] = one
        chosen.setdefault(one.case.benchmark, one)
    return list(chosen.values())


def _loaded(run: Run, case: Case) -> Loaded:
    processes = tuple(
        (made.index + 1, result)
        for made in run.passes
        for result in made.results
        if result.case == case.id
    )
    valid = tuple(r for _, r in processes if r.failure is None)
    believed = valid or tuple(r for _, r in processes if _is_invalid(r))
    texts = [r.latencies for r in believed if r.latencies]
    readable = list(filter(_is_readable, texts))
    latencies = Latencies.merged(readable)
    return Loaded(
        case,
        processes,
        believed,
        latencies,
        latencies.percentiles(),
        unreadable=len(texts) - len(readable),
    )


def _is_invalid(result: CaseResult) -> bool:
    return result.failure is not None and result.failure.kind == INVALID


def _is_readable(encoded: str) -> bool:
    try:
        Latencies.merged([encoded])
    except Exception:  # noqa: BLE001  hdrh has errors of its own, which share no other base
        return False
    return True
