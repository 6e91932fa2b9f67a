"""TODO."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from veperf.api.context import Folder, baselines_folder, judge_run, recorded_baselines
from veperf.archive.open import open_archive
from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import local_folder, place_of
from veperf.archive.store import Archive
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.run import Run
from veperf.core.verdict import Change, Verdict

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from veperf.verdicts.benchstat import UnitTable


@dataclass(frozen=True, slots=True, repr=False)
class RunResult:
    """A run, with what people do to one."""

    run: Run
    kept: Storage | Path
    """Its folder."""

    @property
    def place(self) -> Location:
        """Its folder: a path, or a URL as text."""
        return place_of(self.kept)

    @property
    def folder(self) -> Path:
        """The same of an archive on this machine.

        Raises:
            UsageError: it is elsewhere.
        """
        return local_folder(self.kept)

    @property
    def archive(self) -> Archive | None:
        """The archive that holds it; None where it is from elsewhere."""
        place = self.place
        if isinstance(place, Path):
            above, name = str(place.parent), place.name
        else:
            above, _, name = place.rpartition("/")
        store = open_archive(above) if name == self.run.id else None
        return store if store and store.is_complete(name) else None

    def samples(self) -> "pd.DataFrame":
        """One row a sample, times in ns of one operation."""
        from veperf.archive.query import samples_table

        frame: pd.DataFrame = samples_table(self.run).to_pandas()
        return frame

    def values(self) -> "pd.DataFrame":
        """One row a process and metric: the robust value by which the case is judged."""
        import pandas as pd

        from veperf.stats.process_values import series_of

        rows = [
            {"case": s.case, "metric": s.metric, "unit": s.unit, "process": i, "value": float(v)}
            for s in series_of(self.run).values()
            for i, v in enumerate(s.values)
        ]
        return pd.DataFrame(rows, columns=["case", "metric", "unit", "process", "value"])

    def summary(self) -> "pd.DataFrame":
        """One row a case and metric: median and spread of the per-process values, wall times."""
        import numpy as np
        import pandas as pd

        from veperf.stats.process_values import series_of

        rows = [
            {
                "case": s.case,
                "metric": s.metric,
                "unit": s.unit,
                "value": float(np.median(s.values)) if s.n else None,
                "low": float(s.values.min()) if s.n else None,
                "high": float(s.values.max()) if s.n else None,
                "processes": s.n,
                "clock": s.clock,
                "loops": s.loops,
                "wall_median": s.wall_median,
                "wall_p99": s.wall_p99,
                "failed": s.failed,
            }
            for s in series_of(self.run).values()
        ]
        return pd.DataFrame(rows).set_index("case")

    def figure(self, case: str, metric: str = "time", ax: "Axes | None" = None) -> "Figure":
        """The value of each process, and the interval of their median.

        Raises:
            UnknownBenchmarkError: the run has no such case, or none with such a metric.
        """
        from veperf.report.charts import figures
        from veperf.stats.process_values import series_of

        found = series_of(self.run)
        if (case, metric) not in found:
            raise UnknownBenchmarkError(f"run {self.run.id} has no {metric!r} of {case!r}")
        return figures.values(found[case, metric], ax=ax)

    def verdict(
        self, baselines: Folder = None, known_misses: Collection[str] = ()
    ) -> "VerdictResult":
        """Judge the run against the published targets and the machine's recorded baseline.

        Raises:
            DataError: a file of targets or baselines is broken.
            UnknownTargetError: ``known_misses`` names one that does not exist.
        """
        folder = baselines_folder(baselines)
        recorded = recorded_baselines(self.run, folder)
        return VerdictResult(judge_run(self.run, folder, recorded, known_misses))

    def __repr__(self) -> str:
        from veperf.report import text

        return text.run(self.run)

    def _repr_html_(self) -> str:
        from veperf.report import html_repr

        return html_repr.run(self.run)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.run(self.run)


@dataclass(frozen=True, slots=True, repr=False)
class VerdictResult:
    """A verdict, with its tables."""

    verdict: Verdict

    def targets(self) -> "pd.DataFrame":
        """One row a target of the suites that were measured."""
        import pandas as pd

        rows = []
        for one in self.verdict.targets:
            row = _plain(one)
            target: Mapping[str, Any] = row.pop("target")
            rows.append({"target": target["id"], "limit": target["limit"]} | row)
            rows[-1]["unit"] = target["unit"]
        return pd.DataFrame(rows)

    def changes(self) -> "pd.DataFrame":
        """One row a case and metric that was compared with the baseline."""
        import pandas as pd

        return pd.DataFrame([_plain(change) for change in self.verdict.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """How much of its limit each target uses."""
        from veperf.report.charts import figures

        return figures.targets(self.verdict.targets, ax=ax)

    def exit_code(self, *, strict: bool = False) -> int:
        """What ``veperf ci`` ends with."""
        from veperf.verdicts.verdict import exit_code

        return exit_code(self.verdict, strict=strict)

    def __repr__(self) -> str:
        from veperf.report import text

        return text.verdict(self.verdict)

    def _repr_html_(self) -> str:
        from veperf.report import html_repr

        return html_repr.verdict(self.verdict)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.verdict(self.verdict)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two runs side by side."""

    base: Run
    new: Run
    changes: tuple[Change, ...]

    def tables(self) -> "tuple[UnitTable, ...]":
        """Medians, intervals and tests by benchstat's rules, a table a suite and unit."""
        from veperf.verdicts.benchstat import side_by_side

        return side_by_side(self.base, self.new)

    def frame(self) -> "pd.DataFrame":
        """One row a case and metric."""
        import pandas as pd

        return pd.DataFrame([_plain(change) for change in self.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """The size of each change with its interval, the worst on top."""
        from veperf.report.charts import figures

        return figures.changes(self.changes, ax=ax)

    def figure_samples(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Both runs' values of ``case``, by default the one that most needs attention.

        Raises:
            UnknownBenchmarkError: it is not in both runs.
        """
        from veperf.report.charts import figures
        from veperf.report.tables import result_tables
        from veperf.stats.process_values import series_of

        old, new = series_of(self.base), series_of(self.new)
        for change in sorted(self.changes, key=lambda c: result_tables.change_mark(c).urgency):
            key = change.case, change.metric
            if case in ("", change.case) and key in old and key in new:
                return figures.values(new[key], old[key], ax=ax)
        raise UnknownBenchmarkError(f"the two runs have no {case or 'benchmark'!r} in common")

    def __repr__(self) -> str:
        from veperf.report import text

        return text.changes(self.changes)

    def _repr_html_(self) -> str:
        from veperf.report import html_repr

        return html_repr.changes(self.changes)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.changes(self.changes)


RunLike = RunResult | Run | str | Path


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(struct)
    return found
