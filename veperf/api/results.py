"""Results that show themselves in a terminal and a notebook: runs, verdicts, comparisons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.query import samples_table
from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import local_folder, path_or_url
from veperf.archive.store import Archive, open_archive
from veperf.core import paths
from veperf.core.baseline import Baseline
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.gate import GateDecision
from veperf.core.option_fields import as_names
from veperf.core.policy import GatePolicy, find_policy, resolve_policy
from veperf.core.run import Run
from veperf.core.verdict import Change, Verdict
from veperf.report.tables.status import change_mark
from veperf.verdicts.gate import decide
from veperf.verdicts.renamed import renamed_benchmarks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from veperf.verdicts.benchstat import UnitTable

Folder = str | Path | None
PolicyLike = GatePolicy | Mapping[str, Any] | str | Path | None
"""A policy of the gate, its table or its file; None is that of the project."""


def baselines_folder(folder: Folder) -> Path:
    """Return ``folder``, or the project's own folder of targets and baselines."""
    return Path(folder) if folder else paths.default_baselines_folder()


def load_recorded_baselines(run: Run, folder: Path) -> tuple[Baseline, ...]:
    """Load the baselines of the suites in ``run``."""
    return load_baselines(folder, sorted({case.suite for case in run.cases}))


def judge_against(
    run: Run,
    folder: Path,
    recorded: Sequence[Baseline],
    known_misses: Collection[str],
    policy: PolicyLike = None,
) -> Verdict:
    """Judge ``run`` against the targets in ``folder`` and the baselines ``recorded`` there.

    Raises:
        DataError: the file of targets is broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
    """
    from veperf.verdicts.verdict import run_verdict

    targets = load_targets(folder)
    return run_verdict(run, targets, recorded, as_names(known_misses), resolve_policy(policy))


@dataclass(frozen=True, slots=True, repr=False)
class RunResult:
    """A run, with its tables, figures and verdict."""

    run: Run
    kept: Storage | Path
    """Its folder."""

    @property
    def place(self) -> Location:
        """Its folder: a path, or a URL as text."""
        return path_or_url(self.kept)

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
        """Return a row a sample, times in ns of one operation."""
        from veperf.core.unit_frame import UnitFrame

        return UnitFrame(samples_table(self.run).to_pandas())

    def values(self) -> "pd.DataFrame":
        """Return a row a process and metric: the robust value by which the case is judged."""
        from veperf.core.unit_frame import UnitFrame
        from veperf.stats.process_values import series_of

        rows = [
            {"case": s.case, "metric": s.metric, "unit": s.unit, "process": i, "value": float(v)}
            for s in series_of(self.run).values()
            for i, v in enumerate(s.values)
        ]
        return UnitFrame(rows, columns=["case", "metric", "unit", "process", "value"])

    def summary(self) -> "pd.DataFrame":
        """Return a row a case and metric: median and spread of the process values, wall times."""
        import numpy as np

        from veperf.core.unit_frame import UnitFrame
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
        return UnitFrame(rows).set_index("case")

    def figure(self, case: str, metric: str = "time", ax: "Axes | None" = None) -> "Figure":
        """Draw the value of each process, and the interval of their median.

        Raises:
            UnknownBenchmarkError: the run has no such case, or none with such a metric.
        """
        from veperf.report.charts import figures
        from veperf.stats.process_values import series_of

        series = series_of(self.run)
        if (case, metric) not in series:
            raise UnknownBenchmarkError(f"run {self.run.id} has no {metric!r} of {case!r}")
        return figures.values_figure(series[case, metric], ax=ax)

    def verdict(
        self,
        baselines: Folder = None,
        known_misses: Collection[str] = (),
        policy: PolicyLike = None,
    ) -> "VerdictResult":
        """Judge the run against the published targets and the machine's recorded baseline.

        Args:
            baselines: folder of targets and baselines; the project's own when not given.
            known_misses: targets that are known to be missed, besides those of the policy.
            policy: the gate's, or its file or table; that of the project when not given.

        Raises:
            DataError: a file of targets or baselines is broken.
            UnknownTargetError: ``known_misses`` names one that does not exist.
        """
        folder = baselines_folder(baselines)
        recorded = load_recorded_baselines(self.run, folder)
        return VerdictResult(judge_against(self.run, folder, recorded, known_misses, policy))

    def __repr__(self) -> str:
        from veperf.report import rendering

        return rendering.run_text(self.run)

    def _repr_html_(self) -> str:
        from veperf.report import rendering

        return rendering.run_html(self.run)

    def _repr_markdown_(self) -> str:
        from veperf.report import rendering

        return rendering.run_markdown(self.run)


@dataclass(frozen=True, slots=True, repr=False)
class VerdictResult:
    """A verdict, with its tables."""

    verdict: Verdict

    @property
    def decision(self) -> GateDecision:
        """Decision of the gate: outcome, exit code, headline, and every question."""
        return self.verdict.decision

    def questions(self) -> "pd.DataFrame":
        """Return a row a question: its answer, what that does, by which rule, and the reason."""
        import pandas as pd

        return pd.DataFrame([_plain(item) for item in self.decision.items])

    def targets(self) -> "pd.DataFrame":
        """Return a row a target of the suites that were measured."""
        from veperf.core.unit_frame import UnitFrame

        rows = []
        for result in self.verdict.targets:
            row = _plain(result)
            target: Mapping[str, Any] = row.pop("target")
            rows.append({"target": target["id"], "limit": target["limit"]} | row)
            rows[-1]["unit"] = target["unit"]
        return UnitFrame(rows)

    def changes(self) -> "pd.DataFrame":
        """Return a row a case and metric that was compared with the baseline."""
        from veperf.core.unit_frame import UnitFrame

        return UnitFrame([_plain(change) for change in self.verdict.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """Draw how much of its limit each target uses."""
        from veperf.report.charts import figures

        return figures.targets_figure(self.verdict.targets, ax=ax)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of ``veperf ci``."""
        if not strict:
            return self.decision.exit_code
        return decide(self.decision.items, strict=True).exit_code

    def __repr__(self) -> str:
        from veperf.report import rendering

        return rendering.verdict_text(self.verdict)

    def _repr_html_(self) -> str:
        from veperf.report import rendering

        return rendering.verdict_html(self.verdict)

    def _repr_markdown_(self) -> str:
        from veperf.report import rendering

        return rendering.verdict_markdown(self.verdict)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two runs side by side."""

    base: Run
    new: Run
    changes: tuple[Change, ...]
    policy: GatePolicy = field(default_factory=find_policy)
    """Policy of its gate; that of the project when not given."""
    name: str = ""
    """Name of the old run, such as its file; its id when empty."""

    @property
    def decision(self) -> GateDecision:
        """Decision of the gate: outcome, exit code, headline, and every question."""
        from veperf.verdicts.verdict import decide_runs

        return decide_runs(self.base, self.new, self.changes, self.policy, self.name)

    @property
    def notes(self) -> tuple[str, ...]:
        """Hints on benchmarks that are gone and may stand under another name."""
        return tuple(renamed_benchmarks(self.base, self.new))

    def exit_code(self) -> int:
        """Return the exit code of ``veperf compare``."""
        return self.decision.exit_code

    def tables(self) -> "tuple[UnitTable, ...]":
        """Medians, intervals and tests by benchstat's rules, a table a suite and unit."""
        from veperf.verdicts.benchstat import benchstat_tables

        return benchstat_tables(self.base, self.new)

    def frame(self) -> "pd.DataFrame":
        """Return a row a case and metric."""
        from veperf.core.unit_frame import UnitFrame

        return UnitFrame([_plain(change) for change in self.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """Draw the size of each change with its interval, the worst on top."""
        from veperf.report.charts import figures

        return figures.changes_figure(self.changes, ax=ax)

    def figure_samples(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Draw both runs' values of ``case``, by default the one that most needs attention.

        Raises:
            UnknownBenchmarkError: it is not in both runs.
        """
        from veperf.report.charts import figures
        from veperf.stats.process_values import series_of

        old, new = series_of(self.base), series_of(self.new)
        for change in sorted(self.changes, key=lambda c: change_mark(c).urgency):
            key = change.case, change.metric
            if case in ("", change.case) and key in old and key in new:
                return figures.values_figure(new[key], old[key], ax=ax)
        raise UnknownBenchmarkError(f"the two runs have no {case or 'benchmark'!r} in common")

    def __repr__(self) -> str:
        from veperf.report import rendering

        changes = rendering.changes_text(self.changes)
        notes = rendering.notes_text(self.notes)
        return "\n\n".join([rendering.decision_text(self.decision), changes, *notes])

    def _repr_html_(self) -> str:
        from veperf.report import rendering

        return rendering.decided_changes_html(self.decision, self.changes, self.notes)

    def _repr_markdown_(self) -> str:
        from veperf.report import rendering

        return rendering.decided_changes_markdown(self.decision, self.changes, self.notes)


RunLike = RunResult | Run | str | Path


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(struct)
    return plain
