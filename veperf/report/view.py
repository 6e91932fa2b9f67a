"""The report of a run, as parts that a notebook's cell displays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from veperf.archive.storage.base import Storage
from veperf.core.baseline import Baseline
from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.text import as_sentence
from veperf.core.verdict import Change, Verdict
from veperf.report import rendering
from veperf.report.case_history import History
from veperf.report.case_summary import MeasuredMetric, lower_bounds, summarise_cases
from veperf.report.charts import scaling, stages
from veperf.report.charts.changes import changes_chart, describe_changes
from veperf.report.charts.limits_chart import limits_chart
from veperf.report.charts.scaling import ScalingCurve
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import Links, anchor
from veperf.report.load_summary import LoadSummary, default_cases, load_summaries
from veperf.report.sections import (
    cards,
    identity,
    load_section,
    memory_section,
    overview,
    raw_data,
    verdict_sections,
)
from veperf.report.sections.cards import BenchmarkCard, card_grid, load_card
from veperf.report.sections.glossary import glossary_section
from veperf.report.sections.packages import MOST_CARDS, has_one_page, packages_html
from veperf.report.sections.target_grid import target_grid
from veperf.report.tables import result_tables
from veperf.report.tables.load_tables import loads_table
from veperf.report.tables.table import aligned_text, text_table
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.baseline import baselines_used
from veperf.verdicts.verdict import decision_on_changes, run_of_suite, verdict_of_suite

_MOST_JSON = 25_000
_NO_JSON = "The figures are too many for a page; run.json beside it has all that they are made of"
_MOST_CARDS = 24
_NO_ALERTS = "Nothing failed, and there is no baseline to compare with."
_NO_CURVES = "No benchmark of this run was measured at more than one size."
_CHANGES_KEY = (
    "Every comparison by its change: ✕ slower, ○ in doubt or not judged, ● within the margin or "
    "faster. Where all are on one side, the machine has changed rather than the code."
)


@dataclass(frozen=True)
class ReportView:
    """The parts of the report of ``run``, in reading order."""

    run: Run
    verdict: Verdict
    baselines: Sequence[Baseline] = ()
    history: History = field(default_factory=dict)
    """Values of earlier runs."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """The file of each suite's page, if there are such pages; empty for this page itself."""
    folder: Storage | None = None
    """The run's folder in the archive."""

    def of_suite(self, suite: str) -> "ReportView":
        """Return the report of a single suite.

        Raises:
            UsageError: the run has no case of it.
        """
        run = run_of_suite(suite, self.run)
        if not run.cases:
            raise UsageError(f"run {run.id} has no case of suite {suite!r}")
        verdict = verdict_of_suite(suite, self.run, self.verdict, self.baselines)
        baselines = [baseline for baseline in self.baselines if baseline.suite == suite]
        return ReportView(
            run, verdict, baselines, self.history, {**self.pages, suite: ""}, self.folder
        )

    @property
    def headline(self) -> Fragment:
        """The outcome, the summary sentence, and what to do next about each miss and slowdown."""
        return Fragment(
            verdict_sections.verdict_banner(self.verdict, self._links),
            rendering.answers_text(self.verdict),
        )

    @property
    def targets(self) -> Fragment:
        """Every target with its answer, suite by suite."""
        return target_grid(self.verdict, self._links)

    @property
    def identity(self) -> Fragment:
        """The run's code, machine and time, its baseline, and reservations about the verdict."""
        facts, notes = identity.run_details(self.run, self._compared_with), self.verdict.notes
        line = markup.paragraph(as_sentence(identity.run_sentence(self.run)))
        details = markup.folded("Machine, conditions, baseline", markup.definitions(facts))
        text = "\n".join([aligned_text(facts), *rendering.notes_text(notes)])
        return Fragment(line + verdict_sections.notes_list(notes) + details, text)

    @property
    def findings(self) -> Fragment:
        """Failures, targets and changes that need attention, with reasons; the others folded."""
        verdict, links = self.verdict, self._links
        html = (
            verdict_sections.pairs_section(verdict.decision, links)
            + verdict_sections.failures_section(verdict_sections.untold_failures(verdict), links)
            + verdict_sections.targets_section(verdict.targets, self._targets_picture(), links)
        )
        if result_tables.has_common_benchmarks(self._changes):
            html += verdict_sections.CHANGES_HEADING
            html += verdict_sections.changes_section(self._changes, self._against, links)
        text = rendering.verdict_text(verdict)
        return Fragment(html, text) if html else markup.nothing_fragment(text)

    @property
    def alerts(self) -> Fragment:
        """Only the failures and changes that need attention, for the overview page."""
        verdict, links = self.verdict, self._links
        html = verdict_sections.pairs_section(
            verdict.decision, links
        ) + verdict_sections.failures_section(verdict_sections.untold_failures(verdict), links)
        if result_tables.has_common_benchmarks(self._changes):
            html += verdict_sections.CHANGES_HEADING
            html += verdict_sections.change_alerts(self._changes, self._against, links)
        text = rendering.verdict_text(verdict)
        return Fragment(html, text) if html else markup.nothing_fragment(_NO_ALERTS)

    @property
    def overview(self) -> Fragment:
        """Every case in a table, suite by suite; many suites are folded, with their charts."""
        sections = overview.suite_sections(
            self.run,
            self.verdict,
            self.baselines,
            timed=self._timed,
            loads=self._loaded,
            history=self.history,
        )
        if not has_one_page(self.run):
            return overview.overview_section(sections, self._links)
        if self._has_charts:
            sections = [replace(s, charts=self.of_suite(s.suite)._charts) for s in sections]
        return Fragment(packages_html(sections, self._links), overview.overview_text(sections))

    @property
    def load(self) -> Fragment:
        """Sustained rates, latencies, and CPU time by stage."""
        return load_section.load_section(self._loaded, self.verdict, self._links)

    @property
    def stages(self) -> Fragment:
        """CPU time of an operation by stage, for the benchmarks that name their stages."""
        tables = [markup.table_fragment(t, self._links) for t in stages.stage_tables(self.run)]
        section = stages.stages_section(stages.staged_cases(self.run))
        return markup.join_fragments([section, *tables])

    @property
    def benchmarks(self) -> Fragment:
        """A card for each benchmark; cases that are points of a scaling curve have none."""
        loads = default_cases(self._loaded)
        all_cards = self._cards(self._carded) + [load_card(load, self.verdict) for load in loads]
        tables = (
            [result_tables.summary_table(self._carded, "")] if self._carded or not loads else []
        )
        tables += [loads_table(loads, "")] if loads else []
        return Fragment(card_grid(all_cards), "\n\n".join(map(text_table, tables)))

    @property
    def scaling(self) -> Fragment:
        """The growth of costs with size: a curve for each benchmark and parameter."""
        if not self._curves:
            return markup.nothing_fragment(_NO_CURVES)
        # A case without a card links to its benchmark: to the first curve of one that has none.
        anchors = {metric.case.id for metric in self._carded}
        html = ""
        for curve in self._curves:
            id = "" if curve.benchmark in anchors else anchor(curve.benchmark)
            anchors.add(curve.benchmark)
            html += _curve(curve, id, self._links)
        sentences = "\n".join(f"{c.name}: {scaling.describe_scaling(c)}" for c in self._curves)
        return Fragment(f'<div class="vp-cards">{html}</div>', sentences)

    @property
    def memory(self) -> Fragment:
        """The memory that an operation of each benchmark holds and allocates."""
        return memory_section.memory_section(self._measured, self._links)

    @property
    def regression(self) -> Fragment:
        """All changes in one chart, then in tables, those that need attention first."""
        plain = rendering.changes_text(self._changes, self.verdict.against)
        picture = changes_chart(self._changes, self._links)
        summary = describe_changes(self._changes)
        decision = decision_on_changes(self.verdict)
        if decision is None:
            return Fragment(verdict_sections.NO_BASELINE_BANNER, plain)
        html = verdict_sections.outcome_banner(decision)
        html += markup.figure(picture, f"{summary} {_CHANGES_KEY}") if picture else ""
        html += verdict_sections.changes_section(self._changes, self._against, self._links)
        return Fragment(html, "\n".join(filter(None, [summary, plain])))

    @property
    def slowdowns(self) -> Fragment:
        """A card for each benchmark that may have become slower."""
        alarms, _, _, _ = result_tables.group_changes(self._changes)
        slower = {(c.case, c.metric) for c in alarms}
        metrics = [m for m in self._timed if (m.case.id, m.series.metric) in slower][:_MOST_CARDS]
        if not metrics:
            return markup.nothing_fragment("None.")
        return Fragment(
            card_grid(self._cards(metrics)), text_table(result_tables.summary_table(metrics, ""))
        )

    @property
    def glossary(self) -> Fragment:
        """The terms of a report, explained."""
        return glossary_section()

    @property
    def method(self) -> Fragment:
        """The parameters and versions that are needed to repeat the run."""
        facts = identity.method_details(self.run)
        return Fragment(
            markup.folded("Parameters and versions", markup.definitions(facts)), aligned_text(facts)
        )

    @property
    def files(self) -> Fragment:
        """Links to the run's files beside the page: samples, flamegraphs."""
        return raw_data.files_section(self.folder)

    @property
    def raw(self) -> Fragment:
        """The figures as JSON."""
        content = raw_data.raw_json(self.run, self.verdict, self._measured)
        escaped = as_html(content)
        if len(escaped) > _MOST_JSON:
            size = f"{len(content) / 1000:,.0f} kB"
            return Fragment(markup.paragraph(f"{_NO_JSON} ({size} as JSON)."), content)
        return Fragment(markup.folded("JSON", f"<pre>{escaped}</pre>"), content)

    def __repr__(self) -> str:
        return repr(self.findings)

    def _repr_html_(self) -> str:
        return Fragment(self.headline.html + self.findings.html, "")._repr_html_()

    @cached_property
    def _measured(self) -> tuple[MeasuredMetric, ...]:
        return summarise_cases(self.run)

    @cached_property
    def _curves(self) -> tuple[ScalingCurve, ...]:
        return scaling.scaling_curves(self._timed)

    @cached_property
    def _timed(self) -> list[MeasuredMetric]:
        """All metrics but those of load cases and memory, which have sections of their own."""
        return [
            metric
            for metric in self._measured
            if metric.case.level is not Level.LOAD and not metric.is_memory
        ]

    @cached_property
    def _carded(self) -> list[MeasuredMetric]:
        on_curves = {(point.case, curve.metric) for curve in self._curves for point in curve.points}
        return [
            metric
            for metric in self._timed
            if metric.case.id == metric.case.benchmark
            or (metric.case.id, metric.series.metric) not in on_curves
            or metric.case.id in self.verdict.failures
        ]

    @cached_property
    def _links(self) -> Links:
        if not has_one_page(self.run):
            pages = self.pages
        elif self._has_charts:
            pages = dict.fromkeys((case.suite for case in self.run.cases), "") | {**self.pages}
        else:
            pages = {}
        return Links.to(self.run.cases, (metric.case.id for metric in self._carded), pages)

    @property
    def _has_charts(self) -> bool:
        """False where one page would have to hold too many of them."""
        return len(self._carded) <= MOST_CARDS

    @property
    def _charts(self) -> str:
        """Cards and curves, of one of many suites."""
        parts = [self.benchmarks, *([self.load] if self._loaded else [])]
        return "".join(p.html for p in [*parts, *([self.scaling] if self._curves else [])])

    @cached_property
    def _loaded(self) -> tuple[LoadSummary, ...]:
        return load_summaries(self.run)

    @cached_property
    def _lower_bounds(self) -> dict[tuple[str, str], Estimate]:
        return lower_bounds(self._measured)

    @property
    def _changes(self) -> list[Change]:
        loads = {load.case.id for load in self._loaded}
        return [change for change in self.verdict.changes if change.case not in loads]

    @property
    def _against(self) -> str:
        """The baselines, where the headline of the page does not name them already."""
        against = self.verdict.against
        return "" if against in self.verdict.decision.headline else against

    @property
    def _compared_with(self) -> tuple[Baseline, ...]:
        return baselines_used(self.run, self.baselines, self.verdict.changes)

    def _cards(self, metrics: Sequence[MeasuredMetric]) -> list[BenchmarkCard]:
        return cards.benchmark_cards(
            self.run, self.verdict, metrics, self.baselines, self._lower_bounds, self.history
        )

    def _targets_picture(self) -> str:
        picture = limits_chart(
            self.verdict.targets, "How much of each target's limit is used", self._links
        )
        text = "How much of its limit each target uses, with the interval."
        return markup.figure(picture, text) if picture else ""


def _curve(curve: ScalingCurve, id: str, links: Links) -> str:
    attribute = f' id="{as_html(id)}"' if id else ""
    return (
        f'<article class="vp-card"{attribute}><h3>{as_html(curve.benchmark)}</h3>'
        + markup.figure(scaling.scaling_chart(curve, links), scaling.describe_scaling(curve))
        + markup.compact_table(result_tables.curve_table(curve))
        + "</article>"
    )
