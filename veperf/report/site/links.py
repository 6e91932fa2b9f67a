"""The addresses to which the pages of the site lead."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from veperf.archive.run_summary import RunFacts
from veperf.archive.trend import Trend, TrendChange
from veperf.report.commit_links import NO_COMMITS, CommitLinks
from veperf.report.html.links import anchor
from veperf.report.tables.table import Cell
from veperf.report.tables.trend_tables import commit_range, short_commit


@dataclass(frozen=True, slots=True)
class SiteLinks:
    """Addresses of runs, benchmarks and commits, as seen from the archive or from the site."""

    reports: Mapping[str, str] = field(default_factory=dict)
    """Of the report of each run that has one, by id."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Of the page of each benchmark."""
    compare: str = ""
    """Of the page that compares two runs."""
    compared: Collection[str] = ()
    """Runs that have a row on that page."""
    commits: CommitLinks = NO_COMMITS

    def inside(self, folder: str) -> "SiteLinks":
        """Return the same, seen from ``folder`` in the archive rather than from the archive."""

        def seen(address: str) -> str:
            beside = address.removeprefix(f"{folder}/")
            return beside if beside != address else f"../{address}"

        return replace(
            self,
            reports={run: seen(address) for run, address in self.reports.items()},
            pages={benchmark: seen(address) for benchmark, address in self.pages.items()},
            compare=self.compare and seen(self.compare),
        )

    def run(self, run: str) -> str:
        """Return the address of a run: its report, else its figures; empty where it has none."""
        if run in self.reports:
            return self.reports[run]
        return f"{self.compare}#{run_anchor(run)}" if run in self.compared else ""

    def runs(self) -> dict[str, str]:
        """Return the addresses of all runs that have one, by id."""
        return {run: f"{self.compare}#{run_anchor(run)}" for run in self.compared} | dict(
            self.reports
        )

    def trend(self, trend: Trend) -> str:
        """Return where ``trend`` is shown; empty where it is not."""
        page = self.pages.get(benchmark_of(trend.case), "")
        return page and f"{page}#{trend_anchor(trend)}"

    def commit(self, run: RunFacts, note: str = "") -> Cell:
        """Return a cell with the commit of ``run``."""
        text = short_commit(run) or "unknown"
        return Cell(text, note=note, address=self.commits.of(run.commit))

    def blamed(self, change: TrendChange, note: str = "") -> Cell:
        """Return a cell with the commits that contain the cause of ``change``."""
        address = ""
        if change.commit_range:
            address = self.commits.between(change.good.commit, change.bad.commit)
        return Cell(commit_range(change), note=note, address=address)


def benchmark_of(case: str) -> str:
    """Return the benchmark of ``case``: its id without the parameters."""
    return case.partition("[")[0]


def run_anchor(run: str) -> str:
    """Return the id of a run's row on the page that compares two."""
    return f"run-{anchor(run)}"


def trend_anchor(trend: Trend) -> str:
    """Return the id of a trend on its benchmark's page."""
    return anchor(f"{trend.machine}/{trend.case}/{trend.metric}")
