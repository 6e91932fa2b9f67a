"""Figures of results: on a figure of their own, or on the caller's axes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.support.helpers import HOSTILE, hostile_run, judged, plausible_baselines, plausible_run
from veperf.api.results import Comparison, RunResult, VerdictResult
from veperf.core.errors import UnknownBenchmarkError
from veperf.report.charts.canvas import ThemedFigure
from veperf.verdicts.screen import compare_runs

Drawing = Callable[[Axes | None], Figure]


def _drawings(slower: float = 1.4) -> dict[str, Drawing]:
    base, new = plausible_run(), plausible_run(seed=2, slower={"transaction/decode": slower})
    run = RunResult(new, Path())
    verdict = VerdictResult(judged(new, plausible_baselines()))
    comparison = Comparison(base, new, compare_runs(base, new))
    return {
        "run": lambda ax: run.figure("transaction/decode", ax=ax),
        "verdict": lambda ax: verdict.figure(ax),
        "comparison": lambda ax: comparison.figure(ax),
    }


@pytest.mark.parametrize("name", ["run", "verdict", "comparison"])
def test_a_figure_is_drawn_where_it_is_wanted(name):
    """Given axes, it is theirs; without, a new one that has the theme of the notebook."""
    mine = Figure()
    left, right = mine.subplots(1, 2)

    assert mine is _drawings()[name](left)
    assert left.lines
    assert not right.lines
    own = _drawings()[name](None)
    assert isinstance(own, ThemedFigure)
    assert str(own.get_label()) in own.html()


def test_the_worst_change_is_on_top_and_right_of_the_line():
    """The planted slowdown of 40 % is the highest row, its dot at about 1.4."""
    (ax,) = _drawings()["comparison"](None).axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    dots = [line for line in ax.lines if line.get_marker() not in ("", "None")]
    top = max(dots, key=lambda line: float(np.asarray(line.get_ydata())[0]))

    assert "transaction/decode" == names[-1]
    assert 1.4 == pytest.approx(float(np.asarray(top.get_xdata())[0]), abs=0.06)
    assert 1.0 == float(np.asarray(ax.lines[0].get_xdata())[0])


def test_a_case_that_was_not_measured_has_no_figure():
    """An unknown case is an error that names it."""
    with pytest.raises(UnknownBenchmarkError, match="transaction/none"):
        RunResult(plausible_run(), Path()).figure("transaction/none")


def test_hostile_names_are_labels():
    """What a run from elsewhere is called can't break its figure, nor the page around it."""
    run = hostile_run()
    load = run.cases[2]

    for case, metric in ((run.cases[0], "time"), (load, "throughput")):
        figure = RunResult(run, Path()).figure(case.id, metric)
        assert isinstance(figure, ThemedFigure)
        assert HOSTILE not in figure.html()
        assert "<script" not in figure.html()
