"""The load cases of a run, each summarised over its processes."""

from collections.abc import Iterable
from dataclasses import dataclass

from veperf.core import stages
from veperf.core.case import LATENCY_METRICS, Case, Level
from veperf.core.load import CpuContention, Shard
from veperf.core.run import CaseResult, Run
from veperf.core.sustained_rate import Confirmations, confirmations_of
from veperf.loadtest.histogram import Latencies, Percentiles
from veperf.report.case_summary import median_estimate
from veperf.stats.hodges_lehmann import Estimate

_SHED_REASON = "shed_"
_RATES = ("throughput", "offered", "achieved")


@dataclass(frozen=True, slots=True, eq=False)
class LoadSummary:
    """A load case, summarised over the processes that measured it."""

    case: Case
    processes: tuple[tuple[int, CaseResult], ...]
    """The results, each with the number of its process, from 1."""
    counted: tuple[CaseResult, ...]
    """The valid results; where there is none the invalid ones, to have something to show."""
    latencies: Latencies
    """The latencies of ``counted`` together: counters added, percentiles never averaged."""
    percentiles: Percentiles | None
    """The percentiles of ``latencies``, in ms."""
    unreadable: int
    """The number of ``counted`` whose latencies can't be read."""

    @property
    def kinds(self) -> dict[str, Percentiles]:
        """The percentiles of each kind of item in ms; empty where items have no kinds."""
        return {
            kind: percentiles
            for kind, latencies in self.latencies_by_kind.items()
            if (percentiles := latencies.percentiles()) is not None
        }

    @property
    def latencies_by_kind(self) -> dict[str, Latencies]:
        """``latencies`` of each kind of item, as far as they can be read."""
        texts: dict[str, list[str]] = {}
        for result in self.counted:
            for kind, encoded in result.latencies_by_kind.items():
                texts.setdefault(kind, []).append(encoded)
        return {kind: Latencies.merged(filter(_is_readable, own)) for kind, own in texts.items()}

    @property
    def shed_reasons(self) -> dict[str, Estimate]:
        """The share that was shed in %, by reason; a reason that never came up is left out."""
        names = dict.fromkeys(
            name
            for result in self.counted
            for name in result.figures
            if name.startswith(_SHED_REASON) and name != "shed_rate"
        )
        shares = {name.removeprefix(_SHED_REASON): self.figure(name) for name in names}
        return {reason: share for reason, share in shares.items() if share and share.value}

    @property
    def valid(self) -> int:
        """The number of processes that offered the load as planned."""
        return sum(result.failure is None for _, result in self.processes)

    @property
    def invalid(self) -> list[tuple[int, CaseResult]]:
        """The results of processes that did not, each with its number."""
        return [(n, r) for n, r in self.processes if _is_invalid(r)]

    @property
    def rate(self) -> float | None:
        """The requested rate; None where it is no parameter, as in a search."""
        rate = self.case.params.get("rate")
        return float(rate) if isinstance(rate, int | float) else None

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The shards that offered the load, where the system was in another process."""
        return tuple(shard for _, result in self.processes for shard in result.shards)

    @property
    def contention(self) -> CpuContention | None:
        """The contention of that one of ``counted`` that lost most to others; None if unknown."""
        known = [result.contention for result in self.counted if result.contention is not None]
        return max(known, key=lambda contention: contention.taken_ratio, default=None)

    @property
    def is_search(self) -> bool:
        """Return whether the case searched for the sustained rate."""
        return any(result.trials for _, result in self.processes)

    @property
    def confirmations(self) -> Confirmations | None:
        """Confirmations of its search; None of other loads, and of earlier runs."""
        return confirmations_of([result.trials for _, result in self.processes])

    @property
    def rate_unit(self) -> str:
        """The unit of its rates."""
        return next((m.unit for m in self.case.metrics if m.name in _RATES), "1/s")

    def unit(self, metric: str) -> str:
        """Return the unit of a figure, whether the case declares it or not."""
        declared = {
            metric_.name: metric_.unit for metric_ in (*LATENCY_METRICS, *self.case.metrics)
        }
        if metric.startswith(_SHED_REASON):
            return "%"
        if metric.startswith(stages.PREFIX):
            return declared.get(metric, stages.UNIT)
        return declared.get(metric, self.rate_unit)

    def figure(self, name: str) -> Estimate | None:
        """Return the median of a figure over ``counted``, in the unit of the case's metric."""
        return median_estimate([r.figures[name] for r in self.counted if name in r.figures])

    def stages(self) -> dict[str, float]:
        """Return the CPU time of an item by stage, in µs and in the order of the work."""
        return stages.stage_times(self.counted, self.unit)


def load_summaries(run: Run) -> tuple[LoadSummary, ...]:
    """Return a summary of every load case of ``run``, in its order."""
    return tuple(_summarise_load(run, case) for case in run.cases if case.level is Level.LOAD)


def default_cases(loads: Iterable[LoadSummary]) -> list[LoadSummary]:
    """Return a case for each benchmark: that of its default parameters, or else its first."""
    chosen: dict[str, LoadSummary] = {}
    for load in loads:
        if load.case.id == load.case.benchmark:
            chosen[load.case.benchmark] = load
        chosen.setdefault(load.case.benchmark, load)
    return list(chosen.values())


def _summarise_load(run: Run, case: Case) -> LoadSummary:
    processes = tuple(
        (pass_.index + 1, result)
        for pass_ in run.passes
        for result in pass_.results
        if result.case == case.id
    )
    valid = tuple(r for _, r in processes if r.failure is None)
    counted = valid or tuple(r for _, r in processes if _is_invalid(r))
    texts = [r.latencies for r in counted if r.latencies]
    readable = list(filter(_is_readable, texts))
    latencies = Latencies.merged(readable)
    return LoadSummary(
        case,
        processes,
        counted,
        latencies,
        latencies.percentiles(),
        unreadable=len(texts) - len(readable),
    )


def _is_invalid(result: CaseResult) -> bool:
    return result.failure is not None and result.failure.is_void


def _is_readable(encoded: str) -> bool:
    try:
        Latencies.merged([encoded])
    except Exception:  # noqa: BLE001  hdrh has errors of its own, which share no other base
        return False
    return True
