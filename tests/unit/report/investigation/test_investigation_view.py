"""An investigation as it shows itself."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.support.helpers import (
    HOSTILE,
    hostile_run,
    judged,
    plausible_baselines,
    plausible_run,
    with_load,
)
from veperf.core.run import Failure, Run
from veperf.report.charts.canvas import ThemedFigure
from veperf.report.investigation import figures
from veperf.report.investigation.focus import focus_on
from veperf.report.investigation.processes import measuring_processes
from veperf.report.investigation.view import Investigation
from veperf.stats.process_values import series_of

PARTS = ("ranking", "headline", "processes", "events", "machine")


def _look_at(run: Run, case: str = "") -> Investigation:
    baselines = plausible_baselines()
    verdict = judged(run, baselines)
    return Investigation(run, verdict, focus_on(run, verdict, case), baselines)


def _svg(figure: Figure) -> str:
    assert isinstance(figure, ThemedFigure)
    return figure.html()


def _bad_run() -> Run:
    return with_load(
        plausible_run(
            slower={"transaction/decode": 1.4},
            failing={"transaction/encode": Failure("raised", "boom", "trace")},
        )
    )


@pytest.mark.parametrize(
    "case", ["transaction/decode", "transaction/encode", "transaction/load", "transaction/sign"]
)
def test_every_part_shows_itself_for_every_kind_of_case(case):
    """Slower, failed, a load, and nothing of note: text, HTML, tables and figures of each."""
    actual = _look_at(_bad_run(), case)

    for name in PARTS:
        part = getattr(actual, name)
        assert repr(part).strip()
        assert part._repr_html_().startswith('<div class="vp">')
    assert case in repr(actual)
    assert case in actual._repr_html_()
    assert {case} == set(actual.frame()["case"])
    for figure in (actual.figure_samples(), actual.figure_machine()):
        assert isinstance(figure, Figure)


def test_the_verdict_stands_first_with_its_reason():
    """The slowdown's size, its interval and the baseline's values are all on the first screen."""
    html = _look_at(_bad_run(), "transaction/decode").headline.html

    assert re.search(r"4\d\.\d\u202f% slower than the baseline", html)
    assert ">baseline</text>" in html
    assert re.search(r"p (=|&lt;)[ \u202f]0\.\d+", html)


def test_a_hostile_run_is_shown_as_text():
    """Names and messages full of markup and terminal colours are never interpreted."""
    run = hostile_run()
    for case in run.cases:
        actual = _look_at(run, case.id)
        html = actual._repr_html_() + "".join(getattr(actual, name).html for name in PARTS)
        html += _svg(actual.figure_samples()) + _svg(actual.figure_machine())

        assert HOSTILE not in html
        assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", html)
        assert not re.search(r"[\x00\x1b\u202e]", repr(actual))


def test_every_sample_is_drawn_on_the_axes_that_are_given():
    """As many points as samples, in wall and CPU time, on the caller's figure."""
    run = plausible_run()
    actual = _look_at(run, "transaction/decode")
    ax = Figure().subplots()

    drawn = actual.figure_samples(ax)

    points = [len(np.asarray(line.get_xdata())) for line in ax.lines]
    assert ax.figure is drawn
    assert [30, 30] == [n for n in points if n > 2]
    assert 6 == points.count(2)
    assert 30 == len(actual.samples())


def test_only_what_varies_has_a_panel():
    """Steal, switches and clock are the same in every process: no panel of them."""
    run = plausible_run()
    actual = measuring_processes(run, series_of(run)["transaction/decode", "time"])

    names = [fact.name for fact in figures.machine_facts(actual)]
    panels = [ax for ax in figures.machine_figure(actual, unit="ns").axes if ax.get_visible()]

    assert ["process, in order", "calibration run, µs"] == names
    assert names == [ax.get_xlabel() for ax in panels]


def test_a_figure_of_ours_brings_its_theme_and_is_the_same_bytes_each_time():
    """No colour is fixed, no date, no random id; another drawing has other ids."""
    run = plausible_run()
    slower, other = _look_at(run, "transaction/decode"), _look_at(run, "transaction/sign")

    html = _svg(slower.figure_machine())
    outside = re.sub(r"<style>.*?</style>|var\(--vp-\w+,[^)]+\)", "", html, flags=re.DOTALL)

    assert html == _svg(slower.figure_machine())
    assert [] == re.findall(r"#[0-9a-f]{6}\b", outside)
    ids = set(re.findall(r' id="([^"]+)"', html))
    assert ids
    assert not ids & set(re.findall(r' id="([^"]+)"', _svg(other.figure_machine())))
