"""Result of a comparison, with its displays: text, HTML, Markdown, DataFrame and figures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from veperf.abtest.comparison_report import (
    comparison_html,
    comparison_markdown,
    comparison_text,
    sort_by_urgency,
)
from veperf.abtest.gate import decide_comparison, with_severities
from veperf.abtest.guardrail_report import guardrail_rows
from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import local_folder, path_or_url
from veperf.core.ab_records import ABChange, ABRun, Witness
from veperf.core.case import TIME
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.gate import GateDecision
from veperf.core.policy import GatePolicy, find_policy
from veperf.verdicts.gate import decide

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, repr=False)
class ABResult:
    """A/B comparison with its verdict, displays and figures."""

    ab: ABRun
    storage: Storage | Path
    """Storage of its folder in the archive."""
    policy: GatePolicy = field(default_factory=find_policy)
    """Policy of its gate; that of the project when not given."""

    @property
    def place(self) -> Location:
        """Location of its folder: a path, or a URL as text."""
        return path_or_url(self.storage)

    @property
    def folder(self) -> Path:
        """Folder of the comparison in an archive on this machine.

        Raises:
            UsageError: the archive is on an object store.
        """
        return local_folder(self.storage)

    @property
    def judged(self) -> ABRun:
        """Comparison with severities by the policy's thresholds."""
        return with_severities(self.ab, self.policy)

    @property
    def decision(self) -> GateDecision:
        """Decision of the gate: outcome, exit code, headline, and every question."""
        return decide_comparison(self.ab, self.policy)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of ``veperf ab``; 4 where it was cut short, strict or not."""
        return decide(self.decision.items, strict=strict or self.policy.strict).exit_code

    def frame(self) -> "pd.DataFrame":
        """Return a row a benchmark: status, base and new, ratio with interval, p, pairs.

        ``base`` is the median over pairs, and ``new`` that by the ratio, so that a row agrees with
        itself; ``new_median`` is the median of the new values.
        """
        from veperf.core.unit_frame import UnitFrame

        rows = change_rows(self.ab)
        return UnitFrame(rows).set_index("case") if rows else UnitFrame()

    def guardrails(self) -> "pd.DataFrame":
        """Return a row a guardrail of a benchmark: status, base and new, ratio with interval."""
        from veperf.core.unit_frame import UnitFrame

        rows = guardrail_rows(self.ab)
        return UnitFrame(rows).set_index("case") if rows else UnitFrame()

    def pairs(self) -> "pd.DataFrame":
        """Return a row a pair of a benchmark: both values, their unit, the ratio of new to base."""
        from veperf.core.unit_frame import UnitFrame

        rows = [
            {"case": c.case, "pair": n, "base": p.base, "new": p.new, "unit": c.metric.unit}
            for c in self.ab.changes
            for n, p in enumerate(c.pairs, 1)
        ]
        frame = UnitFrame(rows, columns=["case", "pair", "base", "new", "unit"])
        return frame.assign(ratio=frame["new"] / frame["base"])

    def change(self, case: str = "") -> ABChange:
        """Return the change of ``case``, or the most urgent one when not given.

        Raises:
            UnknownBenchmarkError: the comparison has no such case.
        """
        for change in sort_by_urgency(self.ab.changes):
            if case in ("", change.case):
                return change
        if case in self.ab.unaffected:
            raise UnknownBenchmarkError(f"{case} was not compared: {self.ab.unaffected[case]}")
        known = ", ".join(c.case for c in self.ab.changes) or "none"
        raise UnknownBenchmarkError(f"the comparison has no {case!r}; it has {known}")

    def figure_samples(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Draw both sides' values, a dot for each process; see ``change`` for ``case``."""
        from veperf.abtest import notebook_figures

        return notebook_figures.plot_samples(self.change(case), ax)

    def figure_pairs(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Draw how much worse the new code was in each pair; see ``change`` for ``case``."""
        from veperf.abtest import notebook_figures

        return notebook_figures.plot_pairs(self.change(case), self.ab.config, ax)

    def figure_looks(self, case: str = "") -> "Figure":
        """Draw the estimate and the tests at each look; see ``change`` for ``case``."""
        from veperf.abtest import notebook_figures

        return notebook_figures.plot_looks(self.change(case), self.ab.config)

    def __repr__(self) -> str:
        return comparison_text(self.judged, self.decision)

    def _repr_html_(self) -> str:
        return comparison_html(self.judged, self.decision)

    def _repr_markdown_(self) -> str:
        return comparison_markdown(self.judged, self.decision)


def change_rows(run: ABRun) -> list[dict[str, object]]:
    """Return a row for each benchmark, by name of the column; of unaffected ones the reason."""
    compared: list[dict[str, object]] = [
        {
            "case": c.case,
            "metric": c.metric.name,
            "unit": c.metric.unit,
            "status": c.status.value,
            "severity": c.severity.value,
            "base": c.base,
            "new": c.paired_new,
            "new_median": c.new,
            "ratio": c.ratio,
            "low": c.low,
            "high": c.high,
            "confidence": c.confidence,
            "margin": c.margin,
            "p_slower": c.p_slower,
            "pairs": len(c.pairs),
            **{f"{witness}_ratio": None for witness in get_args(Witness)},
            **{f"{count.witness}_ratio": count.ratio for count in c.counts},
            "clock": c.clock,
            "reason": c.reason,
        }
        for c in run.changes
    ]
    unaffected: list[dict[str, object]] = [
        {
            "case": case,
            "metric": TIME.name,
            "unit": TIME.unit,
            "status": "unaffected",
            "pairs": 0,
            "reason": reason,
        }
        for case, reason in run.unaffected.items()
    ]
    return compared + unaffected
