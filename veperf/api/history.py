"""How benchmarks went over the runs in the archive: results that show themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from veperf.archive.open import open_archive
from veperf.archive.summary import Progress, Summary, summarise
from veperf.archive.trend import Shift, Trend, by_shift, trend
from veperf.archive.trend import trends as all_trends
from veperf.core.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Folder = str | Path | None


def history(
    benchmark: str,
    *,
    metric: str = "",
    machine: str = "",
    last: int | None = None,
    archive: Folder = None,
    progress: Progress | None = None,
) -> "History":
    """The values of ``benchmark`` over the runs in the archive, and where they moved.

    Args:
        benchmark: a case, or a benchmark with its default parameters.
        metric: time where it has one, else its first, when not given.
        machine: the machine class; that of the last run that has it, when not given.
        last: only so many runs, the latest ones.
        archive: its folder or URL; the project's ``reports`` when not given.
        progress: called while runs are read that the archive's summary does not have yet.

    Raises:
        UnknownBenchmarkError: no run has that.
        UsageError: ``last`` is below 1.
    """
    summary = _summary(archive, progress)
    found = trend(summary, benchmark, metric=metric, machine=machine, last=last)
    return History(found, summary.left_out, archive)


def trends(
    *,
    metric: str = "",
    machine: str = "",
    last: int | None = None,
    archive: Folder = None,
    progress: Progress | None = None,
) -> "Trends":
    """All benchmarks that one machine class has, those with the largest recent shift first.

    Arguments are those of ``history``; the machine class is that of the last run when not given.

    Raises:
        UnknownBenchmarkError, UsageError: as ``history``.
    """
    summary = _summary(archive, progress)
    found = all_trends(summary, metric=metric, machine=machine, last=last)
    return Trends(found, summary.left_out, archive)


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """One metric of one benchmark over the runs of one machine class."""

    trend: Trend
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Runs that can't be read, by id, and why."""
    archive: Folder = None
    """Where the runs are."""

    @property
    def change_points(self) -> tuple[Shift, ...]:
        """Where the level moved, with the runs on either side, oldest first."""
        return self.trend.shifts

    def frame(self) -> "pd.DataFrame":
        """One row a run, oldest first; ``change`` is the ratio to the run before."""
        import pandas as pd

        made = pd.Series([run.made for run in self.trend.runs], dtype="object")
        return pd.DataFrame(self.rows()).assign(created=pd.to_datetime(made, utc=True))

    def rows(self) -> list[dict[str, Any]]:
        """The same as plain values, the dates as the runs give them."""
        found = self.trend
        stepped = {shift.point.index for shift in found.shifts}
        values = found.values.tolist()
        return [
            {
                "run": run.id,
                "created": run.created,
                "commit": run.commit,
                "dirty": run.dirty,
                "value": values[i],
                "low": float(found.low[i]),
                "high": float(found.high[i]),
                "processes": int(found.processes[i]),
                "change": values[i] / values[i - 1] if i and values[i - 1] > 0 else None,
                "change_point": i in stepped,
            }
            for i, run in enumerate(found.runs)
        ]

    def plain(self) -> dict[str, Any]:
        """Everything as JSON can say it."""
        found = self.trend
        return {
            "case": found.case,
            "metric": found.metric,
            "unit": found.unit,
            "better": found.better,
            "clock": found.clock,
            "machine": found.machine,
            "runs": self.rows(),
            "change_points": [_plain(shift) for shift in found.shifts],
        }

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """Draw it on ``ax``, or on new axes."""
        from veperf.report.charts import trend_figures

        return trend_figures.trend(self.trend, ax)

    def __repr__(self) -> str:
        from veperf.report import trends

        return trends.as_text(self.trend, self.left_out, self.archive)

    def _repr_html_(self) -> str:
        from veperf.report import trends

        return trends.as_page_part(self.trend, self.left_out, self.archive)

    def _repr_markdown_(self) -> str:
        from veperf.report import trends

        return trends.as_markdown_text(self.trend, self.left_out, self.archive)


@dataclass(frozen=True, slots=True, repr=False)
class Trends:
    """All benchmarks of one machine class, in an order that is chosen."""

    trends: tuple[Trend, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    archive: Folder = None

    def sorted(self, by: str) -> "Trends":
        """The same by ``shift``, the largest recent one first, or by ``name``.

        Raises:
            UsageError: ``by`` is neither.
        """
        match by:
            case "shift":
                return Trends(by_shift(self.trends), self.left_out, self.archive)
            case "name":
                ordered = sorted(self.trends, key=lambda one: (one.case, one.metric))
                return Trends(tuple(ordered), self.left_out, self.archive)
        raise UsageError(f"trends are sorted by shift or name, not by {by!r}")

    def frame(self) -> "pd.DataFrame":
        """One row a benchmark, in this order, with its latest change point."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The same as plain values."""
        return [
            {
                "case": one.case,
                "metric": one.metric,
                "unit": one.unit,
                "machine": one.machine,
                "runs": len(one.runs),
                "last": float(one.values[-1]),
                "change_points": len(one.shifts),
                "worse": one.last_shift.worse if one.last_shift else None,
                "since": one.last_shift.bad.id if one.last_shift else None,
                "blame": one.last_shift.blame if one.last_shift else None,
            }
            for one in self.trends
        ]

    def plain(self) -> list[dict[str, Any]]:
        """Everything as JSON can say it: one object a benchmark."""
        return self.rows()

    def figure(self) -> "Figure":
        """A small picture for each, in this order."""
        from veperf.report.charts import trend_figures

        return trend_figures.small_multiples(self.trends)

    def __repr__(self) -> str:
        from veperf.report import trends

        return trends.overview_as_text(self.trends, self.left_out, self.archive)

    def _repr_html_(self) -> str:
        from veperf.report import trends

        return trends.overview_as_page_part(self.trends, self.left_out, self.archive)


def _summary(folder: Folder, progress: Progress | None) -> Summary:
    return summarise(open_archive(folder), progress)


def _plain(shift: Shift) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(shift.point),
        "worse": shift.worse,
        "good": {"run": shift.good.id, "commit": shift.good.commit},
        "bad": {"run": shift.bad.id, "commit": shift.bad.commit},
        "blame": shift.blame,
        "beside": list(shift.surroundings),
    }
