"""A report in parts, each of which shows itself in a notebook's cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from veperf.archive.storage.base import Storage
from veperf.core import number_format
from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Change, Verdict
from veperf.report import text
from veperf.report.case_history import History
from veperf.report.case_summary import Measured, summarise
from veperf.report.charts import scaling, stages
from veperf.report.charts.scaling import Curve
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import Links
from veperf.report.load_summary import Loaded, defaults, loaded
from veperf.report.sections import (
    cases,
    changes,
    files,
    glossary,
    headroom,
    identity,
    load_section,
    lower_bounds,
    memory_section,
    raw_json,
    suites,
    verdict_sections,
)
from veperf.report.sections.card import Card, grid
from veperf.report.sections.load_card import load_card
from veperf.report.tables import result_tables
from veperf.report.tables.load_tables import loads as load_table
from veperf.stats.hodges_lehmann import Estimate
from veperf.verdicts.baseline import compared_with
from veperf.verdicts.suite_filter import run_of, verdict_of

_MOST_CARDS = 24


@dataclass(frozen=True)
class ReportView:
    """What there is to say about ``run``, in the order in which a reader wants it."""

    run: Run
    verdict: Verdict
    baselines: Sequence[Baseline] = ()
    history: History = field(default_factory=dict)
    """Values of earlier runs."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """The file of each suite's page, where there are such pages; empty for this page itself."""
    folder: Storage | None = None
    """The run's folder in the archive."""

    def of_suite(self, suite: str) -> "ReportView":
        """The same of one suite.

        Raises:
            UsageError: the run has no case of it.
        """
        run = run_of(suite, self.run)
        if not run.cases:
            raise UsageError(f"run {run.id} has no case of suite {suite!r}")
        verdict = verdict_of(suite, self.run, self.verdict, self.baselines)
        own = [one for one in self.baselines if one.suite == suite]
        return ReportView(run, verdict, own, self.history, {**self.pages, suite: ""}, self.folder)

    @property
    def headline(self) -> Fragment:
        """The outcome, the sentence that sums up, and how many of what."""
        return Fragment(verdict_sections.banner(self.verdict), text.verdict(self.verdict))

    @property
    def identity(self) -> Fragment:
        """Which run this is: code, machine, time, and what it is compared with."""
        facts = identity.facts(self.run, self._compared_with)
        line = markup.paragraph(number_format.sentence(identity.sentence(self.run)))
        title = "Machine, conditions, baseline"
        return Fragment(line + markup.folded(title, markup.definitions(facts)), _plain(facts))

    @property
    def findings(self) -> Fragment:
        """What needs attention, with how much, how sure and why; the rest folded away."""
        found, links = self._explained, self._links
        html = (
            verdict_sections.failures(found.failures, links)
            + verdict_sections.targets(found.targets, self._overview(), links)
            + verdict_sections.changes(self._changes, found.against, links)
        )
        return Fragment(html, text.verdict(found))

    @property
    def alarms(self) -> Fragment:
        """What of the findings needs attention, for a page that leads to all the others."""
        found, links = self._explained, self._links
        html = (
            verdict_sections.failures(found.failures, links)
            + verdict_sections.target_alarms(found.targets, "", links)
            + verdict_sections.change_alarms(self._changes, found.against, links)
            + verdict_sections.room(self._overview())
        )
        return Fragment(html, text.verdict(found))

    @property
    def overview(self) -> Fragment:
        """Every case in a table, suite by suite."""
        return suites.section(
            self.run,
            self.verdict,
            self.baselines,
            timed=self._timed,
            loads=self._loaded,
            history=self.history,
            links=self._links,
        )

    @property
    def margins(self) -> Fragment:
        """How much room each target leaves, the tightest first."""
        return headroom.section(self.verdict.targets)

    @property
    def load(self) -> Fragment:
        """What rate is sustained, at what latency, and where the CPU time goes."""
        return load_section.load(self._loaded, self.verdict)

    @property
    def stages(self) -> Fragment:
        """Where the CPU time of an operation goes, for the benchmarks that name their stages."""
        return stages.section(stages.staged(self.run))

    @property
    def benchmarks(self) -> Fragment:
        """A card for each benchmark; what is only a point of a curve is left to that."""
        loads = defaults(self._loaded)
        made = self._cards(self._carded) + [load_card(one, self.verdict) for one in loads]
        plain = [result_tables.summary(self._carded, "")] if self._carded or not loads else []
        plain += [load_table(loads, "")] if loads else []
        return Fragment(grid(made), "\n\n".join(map(text.table, plain)))

    @property
    def scaling(self) -> Fragment:
        """How costs grow with size, one curve a benchmark and parameter."""
        if not self._curves:
            nothing = "No benchmark of this run was measured at more than one size."
            return Fragment(markup.paragraph(nothing), nothing)
        html = "".join(map(_curve, self._curves))
        said = "\n".join(f"{c.name}: {scaling.in_words(c)}" for c in self._curves)
        return Fragment(f'<div class="vp-cards">{html}</div>', said)

    @property
    def memory(self) -> Fragment:
        """What an operation of each benchmark holds and allocates."""
        return memory_section.section(self._measured, self._links)

    @property
    def regression(self) -> Fragment:
        """Everything that was compared: all changes in one picture, then one by one."""
        return changes.section(self._changes, self.verdict.against, self._links)

    @property
    def changed(self) -> Fragment:
        """A card with both samples for each benchmark that may have become slower."""
        alarms, _, _, _ = result_tables.groups(self._changes)
        wanted = {(c.case, c.metric) for c in alarms}
        shown = [m for m in self._timed if (m.case.id, m.series.metric) in wanted][:_MOST_CARDS]
        if not shown:
            nothing = "None."
            return Fragment(markup.paragraph(nothing), nothing)
        return Fragment(grid(self._cards(shown)), text.table(result_tables.summary(shown, "")))

    @property
    def guide(self) -> Fragment:
        """How to read the figures."""
        return Fragment(glossary.guide(), "How to read the figures: see the HTML.")

    @property
    def method(self) -> Fragment:
        """Everything that is needed to measure the same again."""
        facts = identity.method(self.run)
        return Fragment(
            markup.folded("Parameters and versions", markup.definitions(facts)), _plain(facts)
        )

    @property
    def files(self) -> Fragment:
        """The run's own files beside the page: every sample, flamegraphs."""
        return files.section(self.folder)

    @property
    def raw(self) -> Fragment:
        """The figures as JSON."""
        content = raw_json.raw_json(self.run, self.verdict, self._measured)
        return Fragment(markup.folded("JSON", f"<pre>{as_html(content)}</pre>"), content)

    def __repr__(self) -> str:
        return repr(self.findings)

    def _repr_html_(self) -> str:
        return Fragment(self.headline.html + self.findings.html, "")._repr_html_()

    @cached_property
    def _measured(self) -> tuple[Measured, ...]:
        return summarise(self.run)

    @cached_property
    def _curves(self) -> tuple[Curve, ...]:
        return scaling.curves(self._timed)

    @cached_property
    def _timed(self) -> list[Measured]:
        """All but load and memory, whose figures are shown together."""
        return [
            one
            for one in self._measured
            if one.case.level is not Level.LOAD and not memory_section.is_memory(one)
        ]

    @cached_property
    def _carded(self) -> list[Measured]:
        on_curves = {(point.case, curve.metric) for curve in self._curves for point in curve.points}
        return [
            one
            for one in self._timed
            if one.case.id == one.case.benchmark
            or (one.case.id, one.series.metric) not in on_curves
            or one.case.id in self.verdict.failures
        ]

    @cached_property
    def _links(self) -> Links:
        return Links.to(self.run.cases, (one.case.id for one in self._carded), self.pages)

    @cached_property
    def _loaded(self) -> tuple[Loaded, ...]:
        return loaded(self.run)

    @cached_property
    def _floors(self) -> dict[tuple[str, str], Estimate]:
        return lower_bounds.floors(self._measured)

    @property
    def _explained(self) -> Verdict:
        return lower_bounds.explained(self.verdict, self.run.cases, self._floors)

    @property
    def _changes(self) -> list[Change]:
        loads = {one.case.id for one in self._loaded}
        return [change for change in self.verdict.changes if change.case not in loads]

    @property
    def _compared_with(self) -> tuple[Baseline, ...]:
        return compared_with(self.run, self.baselines, self.verdict.changes)

    def _cards(self, shown: Sequence[Measured]) -> list[Card]:
        return cases.cards(
            self.run, self.verdict, shown, self.baselines, self._floors, self.history
        )

    def _overview(self) -> str:
        if not any(v.value is not None for v in self.verdict.targets):
            return ""
        from veperf.report.charts import figures, svg

        picture = svg.inline(
            figures.targets(self.verdict.targets),
            name="targets",
            alt="How much of each target's limit is used",
        )
        return markup.figure(picture, "How much of its limit each target uses, with the interval.")


def _curve(curve: Curve) -> str:
    return (
        f'<article class="vp-card"><h3>{as_html(curve.benchmark)}</h3>'
        + markup.figure(scaling.picture(curve), scaling.in_words(curve))
        + markup.compact(result_tables.curve(curve))
        + "</article>"
    )


def _plain(facts: Sequence[tuple[str, str]]) -> str:
    widest = max(len(term) for term, _ in facts)
    return "\n".join(f"{term.ljust(widest)}  {said}" for term, said in facts)
