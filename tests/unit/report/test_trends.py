"""Trends as text, HTML and figures: what moved is said, and hostile names are text."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

import veperf
from tests.support.archives import archive_of, stepped
from tests.support.helpers import HOSTILE
from tests.support.runs import MACHINE, case, timed_run
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import Trend, case_trend
from veperf.core.errors import UsageError
from veperf.core.run import Revision
from veperf.report.charts.trend_chart import axis_span, thin_series, trend_blocks, trend_chart


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An archive in which demo/a gets slower on its 31st of 60 runs."""
    folder: Path = tmp_path_factory.mktemp("archive")
    archive_of(folder, stepped(60, step_at=30))
    return folder


@pytest.fixture(scope="module")
def trend(folder: Path) -> Trend:
    return case_trend(load_summary(Archive(folder)), "demo/a")


def test_a_line_of_blocks_shows_the_step(trend: Trend):
    """Low before, high after, at any width; what hardly moves is a calm line in the middle."""
    line = trend_blocks(trend, 12)
    assert 12 == len(line)
    assert max(line[:6]) < min(line[6:])
    assert 60 == len(trend_blocks(trend, 100))


def test_stretches_cover_every_run(trend: Trend):
    """Medians of equal stretches, their middles in order; few runs stay as they are."""
    thin = thin_series(trend, 7)

    assert 7 == len(thin)
    assert sorted(thin) == thin
    assert trend.values.tolist() == [value for _, value in thin_series(trend, 60)]


def test_the_chart_is_small_and_says_what_it_shows(trend: Trend):
    """Well-formed, labelled with the change, no colour of its own; what each dot is, beside it."""
    drawn = trend_chart(trend)
    root = ET.fromstring(drawn)

    assert "slower since 2026-01-31" in root.attrib["aria-label"]
    assert re.search(r">\+[56]\.\d", drawn)
    assert not re.search(r"style=|http|#[0-9a-f]{6}", drawn)
    assert len(drawn) < 7_000
    marked = root.find(".//*[@data-marks]")
    assert marked is not None
    texts = marked.attrib["data-marks"].split("|")
    assert len(trend.runs) == len(texts)
    assert texts[0].startswith("2026-01-01")


@pytest.mark.parametrize("values", [[1.0], [0.0], [-3.0, 5.0], [1e-12, 1e12], [7.0, 7.0]])
def test_an_axis_has_room_for_its_values(values: list[float]):
    """Whatever they are: both ends beyond them, and apart."""
    low, high = axis_span(values)

    assert low < min(values) <= max(values) < high


def test_results_show_themselves(folder: Path):
    """In a console, a notebook and a comment, one benchmark and all, as frames and figures."""
    trend, everything = veperf.history("demo/a", archive=folder), veperf.trends(archive=folder)

    assert "slower" in repr(trend)
    assert "demo/b" in repr(everything)
    assert 'class="vp"' in trend._repr_html_()
    assert 2 == everything._repr_html_().count("<svg")
    assert "| Run |" in trend._repr_markdown_()
    assert (60, 1) == (len(trend.frame()), int(trend.frame()["change_point"].sum()))
    assert trend.frame()["created"].is_monotonic_increasing
    assert ["demo/a", "demo/b"] == list(everything.frame()["case"])
    assert len(trend.change_points) == len(trend.plain()["change_points"]) == 1
    for figure in (trend.figure(), everything.figure()):
        assert figure.get_axes()


def test_trends_can_be_sorted(folder: Path):
    """By shift or by name, and by nothing else."""
    trend = veperf.trends(archive=folder)

    assert ["demo/a", "demo/b"] == [t.case for t in trend.sorted("name").trends]
    assert trend.trends == trend.sorted("name").sorted("shift").trends
    with pytest.raises(UsageError, match="by shift or name"):
        trend.sorted("size")


def test_hostile_names_are_text(tmp_path: Path):
    """Markup, terminal sequences and formulas in names, commits and dates break out of nothing."""
    name = f"evil/{HOSTILE}"
    machine = replace(MACHINE, name=HOSTILE, python=HOSTILE)
    runs = [
        replace(
            timed_run({"x/y": [time] * 6}, id=f"{n:02}", created=HOSTILE, machine=machine),
            cases=(replace(case("x/y"), id=name, benchmark=name),),
            revision=Revision(f"{n}{HOSTILE}"),
        )
        for n, time in enumerate([100.0, 101.0, 99.0, 100.5] * 4 + [200.0, 201.0, 202.0] * 5)
    ]
    runs = [
        replace(
            run,
            passes=tuple(
                replace(p, results=tuple(replace(r, case=name) for r in p.results))
                for p in run.passes
            ),
        )
        for run in runs
    ]
    archive_of(tmp_path, runs)

    trend, everything = veperf.history(name, archive=tmp_path), veperf.trends(archive=tmp_path)

    assert 1 == len(trend.change_points)
    for html in (trend._repr_html_(), everything._repr_html_()):
        assert "&lt;script&gt;" in html
        assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", html)
    for text in (repr(trend), repr(everything), trend._repr_markdown_()):
        assert not re.search(r"[\x00\x1b\u202a-\u202e]", text)
    assert trend.frame()["created"].isna().all()
    assert everything.figure().get_axes()
