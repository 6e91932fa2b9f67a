"""A comparison that shows itself, as text, HTML, Markdown, a DataFrame and figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from veperf.abtest import verdict
from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import local_folder, place_of
from veperf.core.ab import ABChange, ABRun
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.verdict import Outcome

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, repr=False)
class ABResult:
    """An A/B comparison, with what people do to one."""

    ab: ABRun
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
    def outcome(self) -> Outcome:
        """The whole in one word."""
        return verdict.outcome(self.ab)

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        return verdict.sentence(self.ab)

    def exit_code(self, *, strict: bool = False) -> int:
        """What ``veperf ab`` ends with."""
        return verdict.exit_code(self.ab, strict=strict)

    def frame(self) -> "pd.DataFrame":
        """One row a benchmark: status, both medians, the ratio with its interval, p, pairs."""
        import pandas as pd

        rows = rows_of(self.ab)
        return pd.DataFrame(rows).set_index("case") if rows else pd.DataFrame()

    def pairs(self) -> "pd.DataFrame":
        """One row a pair of a benchmark: both values, and the ratio of new to base."""
        import pandas as pd

        rows = [
            {"case": c.case, "pair": n, "base": p.base, "new": p.new}
            for c in self.ab.changes
            for n, p in enumerate(c.pairs, 1)
        ]
        frame = pd.DataFrame(rows, columns=["case", "pair", "base", "new"])
        return frame.assign(ratio=frame["new"] / frame["base"])

    def change(self, case: str = "") -> ABChange:
        """What was found of ``case``; of the one that most needs attention, when not given.

        Raises:
            UnknownBenchmarkError: the comparison has no such case.
        """
        from veperf.abtest.page import by_urgency

        for found in by_urgency(self.ab.changes):
            if case in ("", found.case):
                return found
        known = ", ".join(c.case for c in self.ab.changes) or "none"
        raise UnknownBenchmarkError(f"the comparison has no {case!r}; it has {known}")

    def figure_samples(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Both sides' values, a dot for each process; see ``change`` for ``case``."""
        from veperf.abtest import figures

        return figures.samples(self.change(case), ax)

    def figure_pairs(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """How much worse the new code was in each pair; see ``change`` for ``case``."""
        from veperf.abtest import figures

        return figures.pairs(self.change(case), ax)

    def figure_path(self, case: str = "") -> "Figure":
        """The estimate and the tests at each look; see ``change`` for ``case``."""
        from veperf.abtest import figures

        return figures.path(self.change(case))

    def __repr__(self) -> str:
        from veperf.abtest import page

        return page.as_text(self.ab, self.outcome, self.sentence)

    def _repr_html_(self) -> str:
        from veperf.abtest import page

        return page.as_page(self.ab, self.outcome, self.sentence)

    def _repr_markdown_(self) -> str:
        from veperf.abtest import page

        return page.as_comment(self.ab, self.outcome, self.sentence)


def rows_of(found: ABRun) -> list[dict[str, object]]:
    """What there is to say of each benchmark, by name of the column."""
    return [
        {
            "case": c.case,
            "metric": c.metric.name,
            "unit": c.metric.unit,
            "status": c.status.value,
            "severity": c.severity.value,
            "base": c.base,
            "new": c.new,
            "ratio": c.ratio,
            "low": c.low,
            "high": c.high,
            "confidence": c.confidence,
            "p_slower": c.p_slower,
            "pairs": len(c.pairs),
            "clock": c.clock,
            "reason": c.reason,
        }
        for c in found.changes
    ]
