"""One benchmark of one run under the glass: its parts show themselves in a notebook."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from veperf.core import number_format
from veperf.core.case import Level
from veperf.core.escape import one_line
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Verdict
from veperf.report import text
from veperf.report.case_summary import Measured, estimate, measured_name, summarise
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.investigation.focus import Focus, ranked
from veperf.report.investigation.processes import Process, events, nothing_in, processes
from veperf.report.load_summary import loaded
from veperf.report.sections import cases, identity, lower_bounds, verdict_sections
from veperf.report.sections.card import Card, grid
from veperf.report.sections.load_card import load_card
from veperf.report.tables import result_tables
from veperf.report.tables.result_tables import Cell, Table
from veperf.stats.process_values import Series, series_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_RANKED = 12


@dataclass(frozen=True)
class Investigation:
    """What is known of ``focus`` in ``run``, from its verdict down to every sample."""

    run: Run
    verdict: Verdict
    focus: Focus
    baselines: Sequence[Baseline] = ()

    @property
    def ranking(self) -> Fragment:
        """What is worth a look in this run, the worst first."""
        found = ranked(self.run, self.verdict)[:_MOST_RANKED]
        table = Table(
            "What is worth a look, the worst first",
            (("Status", "left"), ("Benchmark", "left"), ("Why", "left")),
            tuple(
                (
                    Cell("", mark=one.mark),
                    Cell(measured_name(one.case.id, one.metric)),
                    Cell(number_format.sentence(one.why)),
                )
                for one in found
            ),
        )
        return Fragment(markup.table(table), text.table(table))

    @property
    def headline(self) -> Fragment:
        """The benchmark's value with its picture, and what the verdict says of it."""
        id = self.focus.case.id
        targets = [one for one in self.verdict.targets if one.case == id]
        changes = [one for one in self.verdict.changes if one.case == id and one.base is not None]
        failed = {case: why for case, why in self.verdict.failures.items() if case == id}
        shown = [result_tables.targets(targets, "Is it fast enough?")] if targets else []
        shown += [result_tables.changes(changes, "Is it slower than it was?")] if changes else []
        plain = [result_tables.summary([self._measured], ""), *shown]
        html = (
            grid([self._card])
            + verdict_sections.failures(failed)
            + "".join(map(markup.table, shown))
        )
        said = [one_line(f"{one.kind}: {one.message}") for one in failed.values()]
        return Fragment(html, "\n\n".join([*map(text.table, plain), *said]))

    @property
    def processes(self) -> Fragment:
        """Each process: what it found, and what the machine did meanwhile."""
        table = _by_process(self._processes, self._series.unit)
        return Fragment(markup.table(table), text.table(table))

    @property
    def events(self) -> Fragment:
        """What was out of the ordinary in which process, in words."""
        found = events(self._processes, self.run.machine)
        if not found:
            nothing = nothing_in(self._processes)
            return Fragment(markup.paragraph(nothing), nothing)
        table = Table(
            "Out of the ordinary; of several processes, what was worst",
            (("Process", "left"), ("What", "left")),
            tuple(
                (
                    Cell(number_format.listed(map(str, one.processes))),
                    Cell(number_format.sentence(one.what)),
                )
                for one in found
            ),
            heads=0,
        )
        return Fragment(markup.table(table), text.table(table))

    @property
    def machine(self) -> Fragment:
        """The machine, and its state over the whole run."""
        facts = [
            ("Machine", identity.machine(self.run.machine)),
            ("While measuring", identity.conditions(self.run)),
            ("Yardstick", identity.yardstick(self.run)),
            ("Code", identity.revision(self.run.revision)),
        ]
        widest = max(len(term) for term, _ in facts)
        plain = "\n".join(f"{term.ljust(widest)}  {said}" for term, said in facts)
        return Fragment(markup.definitions(facts), plain)

    def frame(self) -> "pd.DataFrame":
        """One row a process: its value, in ``unit``, and the state of the machine."""
        import pandas as pd

        rows = [
            {"case": self.focus.case.id, "metric": self.focus.metric, "unit": self._series.unit}
            | asdict(one)
            | {"failure": one.failure.message if one.failure is not None else ""}
            for one in self._processes
        ]
        return pd.DataFrame(rows).rename(columns={"index": "process"})

    def samples(self) -> "pd.DataFrame":
        """One row a sample of the benchmark, times in ns of one operation."""
        from veperf.archive.query import samples_table

        frame: pd.DataFrame = samples_table(self.run).to_pandas()
        columns = ["process", "sample", "loops", "operations", "wall_ns", "cpu_ns", "switches"]
        own = frame.loc[frame["case"] == self.focus.case.id, columns]
        return own.reset_index(drop=True)

    def figure_samples(self, ax: "Axes | None" = None) -> "Figure":
        """Every sample in the order in which it was taken, wall time and CPU time apart."""
        from veperf.report.investigation import figures

        timed = self.focus.metric == "time"
        return figures.samples(self.samples(), self._processes if timed else (), ax=ax)

    def figure_machine(self) -> "Figure":
        """The value of each process over its load, lost CPU time, clock and yardstick."""
        from veperf.report.investigation import figures

        return figures.machine(self._processes, unit=self._series.unit)

    def __repr__(self) -> str:
        return f"{one_line(self._title)}\n\n{self.headline!r}\n\n{self.events!r}"

    def _repr_html_(self) -> str:
        parts = (markup.paragraph(self._title), self.headline.html, self.events.html)
        return Fragment("".join(parts), "")._repr_html_()

    @property
    def _title(self) -> str:
        name = measured_name(self.focus.case.id, self.focus.metric)
        why = self.focus.why or self.focus.mark.word
        return f"{name} in run {self.run.id}: {number_format.sentence(why)}"

    @cached_property
    def _series(self) -> Series:
        return series_of(self.run)[self.focus.case.id, self.focus.metric]

    @cached_property
    def _measured(self) -> Measured:
        return Measured(self.focus.case, self._series, estimate(self._series.values.tolist()))

    @cached_property
    def _processes(self) -> tuple[Process, ...]:
        return processes(self.run, self._series)

    @property
    def _card(self) -> Card:
        if self.focus.case.level is Level.LOAD:
            (found,) = (one for one in loaded(self.run) if one.case.id == self.focus.case.id)
            return load_card(found, self.verdict)
        known = lower_bounds.floors(summarise(self.run))
        (card,) = cases.cards(self.run, self.verdict, [self._measured], self.baselines, known, {})
        return card


def _by_process(found: Sequence[Process], unit: str) -> Table:
    return Table(
        "Process by process",
        (
            ("Process", "left"),
            ("Value", "right"),
            ("Typical", "right"),
            ("Samples", "right"),
            ("Off CPU", "right"),
            ("Switches a sample", "right"),
            ("Load", "right"),
            ("Stolen", "right"),
            ("Clock", "right"),
            ("Yardstick", "right"),
        ),
        tuple(
            (
                Cell(str(one.index), note="" if one.failure is None else one.failure.kind),
                Cell(number_format.quantity(one.value, unit)),
                Cell(number_format.quantity(one.wall_median, "ns")),
                Cell(str(one.samples)),
                Cell(number_format.share(one.waited_ratio)),
                Cell(number_format.number(one.switches, 2)),
                Cell(number_format.number(one.load, 2)),
                Cell(number_format.share(one.steal_ratio)),
                Cell(number_format.quantity(one.frequency_mhz, "MHz")),
                Cell(number_format.quantity(one.yardstick_ns, "ns")),
            )
            for one in found
        ),
        heads=0,
    )
