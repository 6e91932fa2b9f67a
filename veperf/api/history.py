"""Benchmarks over the runs in the archive: results that show themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from veperf.api.results import Folder
from veperf.archive.acknowledgements import Acknowledgements, read_acknowledgements
from veperf.archive.manifest import LEFT_OUT
from veperf.archive.missing_runs import Progress
from veperf.archive.run_filter import filter_of
from veperf.archive.store import open_archive
from veperf.archive.summary import ArchiveSummary, load_summary
from veperf.archive.trend import Trend, TrendChange, case_trend, machine_trends, sort_by_change
from veperf.core.errors import UsageError
from veperf.core.option_fields import keyword_options
from veperf.core.options import HistoryOptions, RunFilterOptions
from veperf.progress.output import print_status
from veperf.report.trends import trend_html, trend_markdown, trend_text, trends_html, trends_text
from veperf.stats.drift import Drift

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


@keyword_options
def history(
    benchmark: str,
    *,
    options: HistoryOptions,
    archive: Folder = None,
    progress: Progress | None = None,
) -> "History":
    """Follow ``benchmark`` over the runs in the archive, and find where it moved.

    >>> trend = veperf.history("transaction/hash_compute", since="90d")
    >>> trend.change_points
    >>> trend.figure()

    Args:
        benchmark: a case, or a benchmark with its default parameters.
        options: which runs and which metric; each field is a keyword as well.
        archive: its folder or URL; the project's ``reports`` when not given.
        progress: called while runs are read that the archive's summary does not have yet.

    Raises:
        UnknownBenchmarkError: no run has that.
        UnknownRunError: there is no archive, or no run of that branch or commit.
        UsageError: an option is out of bounds.
    """
    summary = _selected(options, archive, progress)
    trend = case_trend(
        summary, benchmark, metric=options.metric, machine=options.machine, last=options.last
    )
    (trend,) = _acknowledgements(archive).apply([trend])
    return History(trend, summary.left_out, archive)


@keyword_options
def trends(
    *, options: HistoryOptions, archive: Folder = None, progress: Progress | None = None
) -> "Trends":
    """Follow all benchmarks of one machine class, those with the largest recent change first.

    >>> veperf.trends().sorted("name").frame()

    Arguments are those of ``history``.

    Raises:
        UnknownBenchmarkError, UsageError: as ``history``.
    """
    summary = _selected(options, archive, progress)
    followed = machine_trends(
        summary, metric=options.metric, machine=options.machine, last=options.last
    )
    return Trends(_acknowledgements(archive).apply(followed), summary.left_out, archive)


@keyword_options
def runs(archive: Folder = None, *, options: RunFilterOptions) -> "DataFrame":
    """List the complete runs in the archive, a row each, in the order of their completion.

    >>> veperf.runs()
    >>> veperf.runs(since="30d", limit=10)

    Args:
        archive: as in ``run``.
        options: which runs; each field is a keyword as well.

    Raises:
        UnknownRunError: there is no archive, or no run of that branch, commit or machine class.
        DataError: none of its runs can be read.
        UsageError: an option can't be read.
    """
    summary = load_summary(open_archive(archive))
    for reason in summary.left_out.values():
        print_status(f"{LEFT_OUT}{reason}")
    return summary.select(filter_of(options)).frame()


def _acknowledgements(archive: Folder) -> Acknowledgements:
    acknowledgements = read_acknowledgements(open_archive(archive).storage)
    for reason in acknowledgements.left_out:
        print_status(f"{LEFT_OUT}{reason}")
    return acknowledgements


def _selected(
    options: HistoryOptions, archive: Folder, progress: Progress | None
) -> ArchiveSummary:
    # A machine class that no run has is an error that names those there are.
    chosen = replace(filter_of(options), machine="")
    return load_summary(open_archive(archive), progress).select(chosen)


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """A metric of a benchmark over the runs of a machine class."""

    trend: Trend
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Runs that can't be read, by id, and why."""
    archive: Folder = None
    """Where the runs are."""

    @property
    def change_points(self) -> tuple[TrendChange, ...]:
        """The moves of the level, with the runs on either side, oldest first."""
        return self.trend.change_points

    @property
    def drift(self) -> Drift | None:
        """The slow movement since the latest change point; None where the level stands still."""
        return self.trend.drift

    def frame(self) -> "DataFrame":
        """Return a row a run, oldest first; ``change`` is the ratio to the run before."""
        import pandas as pd

        created = pd.Series([run.created_at for run in self.trend.runs], dtype="object")
        return pd.DataFrame(self.rows()).assign(created=pd.to_datetime(created, utc=True))

    def rows(self) -> list[dict[str, Any]]:
        """Return the same as plain values, the dates as the runs give them."""
        trend = self.trend
        change_points = {change.point.index for change in trend.change_points}
        values = trend.values.tolist()
        return [
            {
                "run": run.id,
                "created": run.created,
                "commit": run.commit,
                "dirty": run.dirty,
                "value": values[i],
                "low": float(trend.low[i]),
                "high": float(trend.high[i]),
                "processes": int(trend.processes[i]),
                "change": values[i] / values[i - 1] if i and values[i - 1] > 0 else None,
                "change_point": i in change_points,
            }
            for i, run in enumerate(trend.runs)
        ]

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        trend = self.trend
        return {
            "case": trend.case,
            "metric": trend.metric,
            "unit": trend.unit,
            "better": trend.better,
            "clock": trend.clock,
            "machine": trend.machine,
            "runs": self.rows(),
            "change_points": [_plain(change) for change in trend.change_points],
            "drift": msgspec.to_builtins(trend.drift),
            "drift_acknowledged": trend.drift_acknowledged,
        }

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """Draw it on ``ax``, or on new axes."""
        from veperf.report.charts import trend_figures

        return trend_figures.trend_figure(self.trend, ax)

    def __repr__(self) -> str:
        return trend_text(self.trend, self.left_out, self.archive)

    def _repr_html_(self) -> str:
        return trend_html(self.trend, self.left_out, self.archive)

    def _repr_markdown_(self) -> str:
        return trend_markdown(self.trend, self.left_out, self.archive)


@dataclass(frozen=True, slots=True, repr=False)
class Trends:
    """All benchmarks of a machine class, in an order that is chosen."""

    trends: tuple[Trend, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    archive: Folder = None

    def sorted(self, by: str) -> "Trends":
        """Return the same by ``shift``, the largest recent one first, or by ``name``.

        Raises:
            UsageError: ``by`` is neither.
        """
        match by:
            case "shift":
                return Trends(sort_by_change(self.trends), self.left_out, self.archive)
            case "name":
                ordered = sorted(self.trends, key=lambda trend: (trend.case, trend.metric))
                return Trends(tuple(ordered), self.left_out, self.archive)
        raise UsageError(f"trends are sorted by shift or name, not by {by!r}")

    def frame(self) -> "DataFrame":
        """Return a row a benchmark, in this order, with its latest change point and its drift."""
        from veperf.core.unit_frame import UnitFrame

        return UnitFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return the same as plain values."""
        return [
            {
                "case": trend.case,
                "metric": trend.metric,
                "unit": trend.unit,
                "machine": trend.machine,
                "runs": len(trend.runs),
                "last": float(trend.values[-1]),
                "change_points": len(trend.change_points),
                "worse": trend.last_change.worse if trend.last_change else None,
                "since": trend.last_change.bad.id if trend.last_change else None,
                "blame": trend.last_change.commit_range if trend.last_change else None,
                "drift": trend.drift.ratio if trend.drift else None,
            }
            for trend in self.trends
        ]

    def plain(self) -> list[dict[str, Any]]:
        """Return everything as plain values, for JSON: an object a benchmark."""
        return self.rows()

    def figure(self) -> "Figure":
        """Draw a small figure of each, in this order."""
        from veperf.report.charts import trend_figures

        return trend_figures.trend_small_multiples(self.trends)

    def __repr__(self) -> str:
        return trends_text(self.trends, self.left_out, self.archive)

    def _repr_html_(self) -> str:
        return trends_html(self.trends, self.left_out, self.archive)


def _plain(change: TrendChange) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(change.point),
        "worse": change.worse,
        "good": {"run": change.good.id, "commit": change.good.commit},
        "bad": {"run": change.bad.id, "commit": change.bad.commit},
        "blame": change.commit_range,
        "beside": list(change.other_changes),
        "acknowledged": change.acknowledged,
    }
