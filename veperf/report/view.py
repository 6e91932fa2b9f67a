"""A report in parts, each of which shows itself in a notebook's cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from veperf.judge.baseline import matching
from veperf.model import Baseline, Run, Verdict
from veperf.report import cases, guide, identity, markup, raw, scaling, sections, tables, text
from veperf.report.escape import as_html
from veperf.report.fragment import Fragment
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
        html = (
            sections.failures(self.verdict.failures)
            + sections.targets(self.verdict.targets, self._overview())
            + sections.changes(self.verdict.changes, self.verdict.against)
        )
        return Fragment(html, text.verdict(self.verdict))

    @property
    def benchmarks(self) -> Fragment:
        """A card for each benchmark; what is a point of a scaling curve only is left to that."""
        on_curves = {(point.case, curve.metric) for curve in self._curves for point in curve.points}
        shown = [
            one
            for one in self._measured
            if one.case.id == one.case.benchmark
            or (one.case.id, one.series.metric) not in on_curves
            or one.case.id in self.verdict.failures
        ]
        html = cases.cards(self.run, self.verdict, shown, self.baselines)
        return Fragment(html, text.table(tables.summary(shown, "")))

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
        return scaling.curves(self._measured)

    @property
    def _compared_with(self) -> list[Baseline]:
        best = matching(self.run, self.baselines)
        found = (best.get((c.case, c.metric, c.unit)) for c in self.verdict.changes)
        return list({id(pair[0]): pair[0] for pair in found if pair is not None}.values())

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
    from veperf.report import figures, svg

    name = "".join(c if c.isalnum() else "-" for c in curve.name)
    said = scaling.in_words(curve)
    picture = svg.inline(figures.scaling(curve), name=name, alt=f"{curve.name}. {said}")
    return (
        f'<article class="vp-card"><h3>{as_html(curve.benchmark)}</h3>'
        + markup.figure(picture, said)
        + markup.table(tables.curve(curve))
        + "</article>"
    )


def _plain(facts: Sequence[tuple[str, str]]) -> str:
    widest = max(len(term) for term, _ in facts)
    return "\n".join(f"{term.ljust(widest)}  {said}" for term, said in facts)
