"""A report in parts, each of which shows itself in a notebook's cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from veperf.judge.baseline import compared_with
from veperf.judge.shift import Estimate
from veperf.model import Baseline, Level, Run, Verdict
from veperf.report import (
    cases,
    floors,
    guide,
    identity,
    margins,
    markup,
    raw,
    scaling,
    sections,
    stages,
    tables,
    text,
)
from veperf.report.card import grid
from veperf.report.escape import as_html
from veperf.report.fragment import Fragment
from veperf.report.load import parts
from veperf.report.load.cards import load_card
from veperf.report.load.found import Loaded, defaults, loaded
from veperf.report.load.tables import loads as load_table
from veperf.report.memory import CAPTION, is_memory, memory
from veperf.report.scaling import Curve
from veperf.report.summary import Measured, summarise


@dataclass(frozen=True)
class ReportView:
    """What there is to say about ``run``, in the order in which a reader wants it."""

    run: Run
    verdict: Verdict
    baselines: Sequence[Baseline] = ()

    @property
    def headline(self) -> Fragment:
        """The outcome, the sentence that sums up, and how many of what."""
        return Fragment(sections.banner(self.verdict), text.verdict(self.verdict))

    @property
    def identity(self) -> Fragment:
        """Which run this is: code, machine, time, and what it is compared with."""
        facts = identity.facts(self.run, self._compared_with)
        return Fragment(markup.definitions(facts), _plain(facts))

    @property
    def findings(self) -> Fragment:
        """What needs attention, with how much, how sure and why; the rest folded away."""
        found, loads = self._explained, {one.case.id for one in self._loaded}
        html = (
            sections.failures(found.failures)
            + sections.targets(found.targets, self._overview())
            + sections.changes([c for c in found.changes if c.case not in loads], found.against)
        )
        return Fragment(html, text.verdict(found))

    @property
    def margins(self) -> Fragment:
        """How much room each target leaves, the tightest first."""
        return margins.section(self.verdict.targets)

    @property
    def load(self) -> Fragment:
        """What rate is sustained, at what latency, and where the CPU time goes."""
        return parts.load(self._loaded, self.verdict)

    @property
    def stages(self) -> Fragment:
        """Where the CPU time of an operation goes, for the benchmarks that name their stages."""
        return stages.section(stages.staged(self.run))

    @property
    def benchmarks(self) -> Fragment:
        """A card for each benchmark; what is only a point of a curve is left to that."""
        on_curves = {(point.case, curve.metric) for curve in self._curves for point in curve.points}
        shown = [
            one
            for one in self._timed
            if one.case.id == one.case.benchmark
            or (one.case.id, one.series.metric) not in on_curves
            or one.case.id in self.verdict.failures
        ]
        loads = defaults(self._loaded)
        made = cases.cards(self.run, self.verdict, shown, self.baselines, self._floors)
        made += [load_card(one, self.verdict) for one in loads]
        plain = [tables.summary(shown, "")] if shown or not loads else []
        plain += [load_table(loads, "")] if loads else []
        html = grid(made)
        if any(map(is_memory, self._measured)):
            held = memory(self._measured, CAPTION)
            html += markup.table(held)
            plain.append(held)
        return Fragment(html, "\n\n".join(map(text.table, plain)))

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
    def guide(self) -> Fragment:
        """How to read the figures."""
        return Fragment(guide.guide(), "How to read the figures: see the HTML.")

    @property
    def method(self) -> Fragment:
        """Everything that is needed to measure the same again."""
        facts = identity.method(self.run)
        return Fragment(
            markup.folded("Parameters and versions", markup.definitions(facts)), _plain(facts)
        )

    @property
    def raw(self) -> Fragment:
        """The figures as JSON."""
        content = raw.raw_json(self.run, self.verdict, self._measured)
        return Fragment(markup.folded("JSON", f"<pre>{as_html(content)}</pre>"), content)

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
            one for one in self._measured if one.case.level is not Level.LOAD and not is_memory(one)
        ]

    @cached_property
    def _loaded(self) -> tuple[Loaded, ...]:
        return loaded(self.run)

    @cached_property
    def _floors(self) -> dict[tuple[str, str], Estimate]:
        return floors.floors(self._measured)

    @property
    def _explained(self) -> Verdict:
        return floors.explained(self.verdict, self.run.cases, self._floors)

    @property
    def _compared_with(self) -> tuple[Baseline, ...]:
        return compared_with(self.run, self.baselines, self.verdict.changes)

    def _overview(self) -> str:
        if not any(v.value is not None for v in self.verdict.targets):
            return ""
        from veperf.report import figures, svg

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
        + markup.table(tables.curve(curve))
        + "</article>"
    )


def _plain(facts: Sequence[tuple[str, str]]) -> str:
    widest = max(len(term) for term, _ in facts)
    return "\n".join(f"{term.ljust(widest)}  {said}" for term, said in facts)
