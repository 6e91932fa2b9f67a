"""The investigation of a benchmark of a run, as parts that a notebook's cell displays."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from veperf.archive.query import samples_table
from veperf.core.baseline import Baseline
from veperf.core.case import Level
from veperf.core.escape import one_line
from veperf.core.run import Run
from veperf.core.text import as_sentence, format_number, format_percent, format_quantity, join_words
from veperf.core.verdict import Verdict
from veperf.report.case_summary import (
    MeasuredMetric,
    lower_bounds,
    measured_name,
    median_estimate,
    summarise_cases,
)
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.investigation.focus import Focus, rank_focuses
from veperf.report.investigation.processes import (
    MeasuringProcess,
    find_anomalies,
    measuring_processes,
    no_anomalies_sentence,
)
from veperf.report.load_summary import load_summaries
from veperf.report.sections import cards, identity, verdict_sections
from veperf.report.sections.cards import BenchmarkCard, card_grid, load_card
from veperf.report.tables import result_tables
from veperf.report.tables.table import Cell, Table, aligned_text, columns, text_table
from veperf.stats.process_values import Series, series_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_RANKED = 12


@dataclass(frozen=True)
class Investigation:
    """Everything about ``focus`` in ``run``, from its verdict down to every sample."""

    run: Run
    verdict: Verdict
    focus: Focus
    baselines: Sequence[Baseline] = ()

    @property
    def ranking(self) -> Fragment:
        """The metrics worth a look in this run, the worst first."""
        focuses = rank_focuses(self.run, self.verdict)[:_MOST_RANKED]
        table = Table(
            "Worth a look, the worst first",
            columns("Status", "Benchmark", "Why"),
            tuple(
                (
                    Cell("", mark=focus.mark),
                    Cell(measured_name(focus.case.id, focus.metric)),
                    Cell(as_sentence(focus.why)),
                )
                for focus in focuses
            ),
        )
        return markup.table_fragment(table)

    @property
    def headline(self) -> Fragment:
        """The benchmark's value with its picture, and its verdict."""
        id = self.focus.case.id
        targets = [target for target in self.verdict.targets if target.case == id]
        changes = [
            change
            for change in self.verdict.changes
            if change.case == id and change.base is not None
        ]
        failed = {case: why for case, why in self.verdict.failures.items() if case == id}
        tables = [result_tables.targets_table(targets, "Is it fast enough?")] if targets else []
        tables += (
            [result_tables.changes_table(changes, "Is it slower than it was?")] if changes else []
        )
        plain = [result_tables.summary_table([self._measured], ""), *tables]
        html = (
            card_grid([self._card])
            + verdict_sections.failures_section(failed)
            + "".join(map(markup.html_table, tables))
        )
        messages = [one_line(f"{failure.kind}: {failure.message}") for failure in failed.values()]
        return Fragment(html, "\n\n".join([*map(text_table, plain), *messages]))

    @property
    def processes(self) -> Fragment:
        """Each process: its value, and the state of the machine."""
        return markup.table_fragment(_processes_table(self._processes, self._series.unit))

    @property
    def events(self) -> Fragment:
        """The anomalies, and the processes in which they occurred."""
        anomalies = find_anomalies(self._processes, self.run.machine)
        if not anomalies:
            return markup.paragraph_fragment(no_anomalies_sentence(self._processes))
        table = Table(
            "Anomalies; of several processes, the worst",
            columns("Process", "What"),
            tuple(
                (Cell(join_words(map(str, anomaly.processes))), Cell(as_sentence(anomaly.what)))
                for anomaly in anomalies
            ),
            row_header=0,
        )
        return markup.table_fragment(table)

    @property
    def machine(self) -> Fragment:
        """The machine, and its state over the whole run."""
        facts = [
            ("Machine", identity.machine_text(self.run.machine)),
            ("While measuring", identity.conditions_text(self.run)),
            ("Calibration run", identity.calibration_text(self.run)),
            ("Code", identity.revision_text(self.run.revision)),
        ]
        return Fragment(markup.definitions(facts), aligned_text(facts))

    def frame(self) -> "pd.DataFrame":
        """Return a row for each process: its value, in ``unit``, and the state of the machine."""
        from veperf.core.unit_frame import UnitFrame

        rows = [
            {"case": self.focus.case.id, "metric": self.focus.metric, "unit": self._series.unit}
            | asdict(process)
            | {"failure": process.failure.message if process.failure is not None else ""}
            for process in self._processes
        ]
        return UnitFrame(rows).rename(columns={"index": "process"})

    def samples(self) -> "pd.DataFrame":
        """Return a row for each sample of the benchmark, times in ns an operation."""
        from veperf.core.unit_frame import UnitFrame

        frame = UnitFrame(samples_table(self.run).to_pandas())
        names = ["process", "sample", "loops", "operations", "wall_ns", "cpu_ns", "switches"]
        samples = frame.loc[frame["case"] == self.focus.case.id, names]
        return samples.reset_index(drop=True)

    def figure_samples(self, ax: "Axes | None" = None) -> "Figure":
        """Draw every sample in order, wall time and CPU time apart."""
        from veperf.report.investigation import figures

        timed = self.focus.metric == "time"
        return figures.samples_figure(self.samples(), self._processes if timed else (), ax=ax)

    def figure_machine(self) -> "Figure":
        """Draw process values over load, lost CPU time, clock and calibration run."""
        from veperf.report.investigation import figures

        return figures.machine_figure(self._processes, unit=self._series.unit)

    def __repr__(self) -> str:
        return f"{one_line(self._title)}\n\n{self.headline!r}\n\n{self.events!r}"

    def _repr_html_(self) -> str:
        parts = (markup.paragraph(self._title), self.headline.html, self.events.html)
        return Fragment("".join(parts), "")._repr_html_()

    @property
    def _title(self) -> str:
        name = measured_name(self.focus.case.id, self.focus.metric)
        why = self.focus.why or self.focus.mark.word
        return f"{name} in run {self.run.id}: {as_sentence(why)}"

    @cached_property
    def _series(self) -> Series:
        return series_of(self.run)[self.focus.case.id, self.focus.metric]

    @cached_property
    def _measured(self) -> MeasuredMetric:
        return MeasuredMetric(
            self.focus.case, self._series, median_estimate(self._series.values.tolist())
        )

    @cached_property
    def _processes(self) -> tuple[MeasuringProcess, ...]:
        return measuring_processes(self.run, self._series)

    @property
    def _card(self) -> BenchmarkCard:
        if self.focus.case.level is Level.LOAD:
            (summary,) = (
                load for load in load_summaries(self.run) if load.case.id == self.focus.case.id
            )
            return load_card(summary, self.verdict)
        known = lower_bounds(summarise_cases(self.run))
        (card,) = cards.benchmark_cards(
            self.run, self.verdict, [self._measured], self.baselines, known, {}
        )
        return card


def _processes_table(processes: Sequence[MeasuringProcess], unit: str) -> Table:
    return Table(
        "Process by process",
        columns(
            "Process",
            ">Value",
            ">Typical",
            ">Samples",
            ">Off CPU",
            ">Switches a sample",
            ">Load",
            ">Stolen",
            ">Clock",
            ">Calibration run",
        ),
        tuple(
            (
                Cell(
                    str(process.index), note="" if process.failure is None else process.failure.kind
                ),
                Cell(format_quantity(process.value, unit)),
                Cell(format_quantity(process.wall_median, "ns")),
                Cell(str(process.samples)),
                Cell(format_percent(process.waited_ratio)),
                Cell(format_number(process.switches, 2)),
                Cell(format_number(process.load, 2)),
                Cell(format_percent(process.steal_ratio)),
                Cell(format_quantity(process.frequency_mhz, "MHz")),
                Cell(format_quantity(process.yardstick_ns, "ns")),
            )
            for process in processes
        ),
        row_header=0,
    )
