"""Series that are gathered from many tables at once are those that each case has by itself."""

from itertools import chain

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.archive.run_summary import SummaryFigure
from veperf.archive.series import gather_series
from veperf.archive.summary_tables import FigureColumns, figure_columns, figures_table
from veperf.core.case import Clock, Direction

Row = tuple[int, SummaryFigure]
"""A run, and a figure of it."""


def figures(case: str, metric: str, unit: str, by_cpu: bool, value: float) -> list[SummaryFigure]:
    """What a run has of a metric: by both clocks, of which one is judged."""
    better: Direction = "higher" if metric == "rate" else "lower"
    clocks: tuple[tuple[Clock, float], ...] = (("cpu", 0.0), ("wall", 0.5))
    return [
        SummaryFigure(
            case, metric, unit, better, clock, (clock == "cpu") == by_cpu,
            value + shift, value - 1, value + 2, 6,
        )
        for clock, shift in clocks
    ]  # fmt: skip


_metrics = st.lists(
    st.tuples(st.sampled_from(["time", "rate", "bytes"]), st.sampled_from(["ns", "us"]),
              st.booleans(), st.floats(1, 100)),
    min_size=1, max_size=3, unique_by=lambda metric: metric[0],
)  # fmt: skip
_run = st.dictionaries(st.sampled_from(["demo/a", "demo/b", "demo/c"]), _metrics, max_size=3)


def tables(rows: list[list[Row]]) -> list[FigureColumns]:
    """Rows as they come from the files of months."""
    parts = []
    for part in rows:
        by_run: dict[str, list[SummaryFigure]] = {}
        for run, figure in part:
            by_run.setdefault(str(run), []).append(figure)
        places = {str(run): run for run, _ in part}
        parts.append(figure_columns(figures_table(by_run), places))
    return parts


def by_hand(rows: list[Row], case: str, metric: str) -> tuple[object, ...] | None:
    """The series of a case as its definition says, a row at a time."""
    own = [(run, f) for run, f in rows if f.case == case]
    if not own:
        return None
    last = max(run for run, _ in own)
    names = [f.metric for run, f in own if run == last]
    main = metric or ("time" if any(f.metric == "time" for _, f in own) else names[0])
    own = [(run, f) for run, f in own if f.metric == main]
    if not own:
        return None
    newest = [f for run, f in own if run == max(run for run, _ in own)]
    own = [(run, f) for run, f in own if f.unit == newest[-1].unit]
    judged = [f.clock for _, f in own if f.judged]
    clock = "cpu" if 2 * judged.count("cpu") > len(judged) else "wall"
    values = sorted((run, f.value, f.low, f.high) for run, f in own if f.clock == clock)
    return main, newest[-1].unit, newest[-1].better, clock, values


@settings(max_examples=30, deadline=None)
@given(st.lists(_run, max_size=7), st.sampled_from(["", "rate"]), st.integers(1, 3))
def test_a_pass_over_all_tables_gives_each_case_its_own(
    runs: list[dict[str, list[tuple[str, str, bool, float]]]], metric: str, size: int
):
    """The main metric, the unit of the last run, the clock of most runs, the values in order."""
    rows = [
        [(index, f) for case, metrics in run.items() for m in metrics for f in figures(case, *m)]
        for index, run in enumerate(runs)
    ]
    every = [*chain.from_iterable(rows)]
    parts = [
        [*chain.from_iterable(rows[first : first + size])] for first in range(0, len(rows), size)
    ]

    # Files are read in any order.
    series = gather_series(tables([part for part in reversed(parts) if part]), metric)

    for case in ("demo/a", "demo/b", "demo/c"):
        expected = by_hand(every, case, metric)
        assert (case in series) == (expected is not None)
        if expected is not None:
            own = series[case]
            numbers = np.stack([own.values, own.low, own.high], axis=1).tolist()
            values = [(run, *of_run) for run, of_run in zip(own.run.tolist(), numbers, strict=True)]
            assert expected == (own.metric, own.unit, own.better, own.clock, values)
