"""Figures and the SVG that they become."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.support.helpers import HOSTILE, hostile_run, judged, plausible_run
from veperf.core.case import Better
from veperf.core.target import Target
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.report.charts import figures, strip, svg
from veperf.report.charts.limits_chart import limits_chart
from veperf.stats.process_values import series_of


def _drawings() -> dict[str, str]:
    run = plausible_run()
    series = series_of(run)["transaction/state_write", "time"]
    return {
        "targets": svg.inline_svg(
            figures.targets_figure(judged(run).targets), name="t", alt="<all>"
        ),
        "values": svg.inline_svg(figures.values_figure(series, base=series), name="v", alt="dots"),
    }


def test_a_figure_is_the_same_bytes_each_time():
    """No date, no random id: two drawings of the same are equal."""
    assert _drawings() == _drawings()


@pytest.mark.parametrize("name", ["targets", "values"])
def test_a_figure_is_small_well_formed_and_its_own(name):
    """XML with a viewBox, a label, ids under its own prefix, no address, no style rule, no bulk."""
    drawing = _drawings()[name]
    root = ET.fromstring(drawing)
    ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    used = re.findall(r'href="#([^"]+)"', drawing)

    assert "svg" == root.tag
    assert root.attrib["aria-label"] == root.findtext("title")
    assert set(used) == set(ids)
    assert all(i.startswith(f"{name[0]}-") for i in ids)
    assert not re.search(r'<style|http|<metadata|clip-path|DejaVu| [dxy]="[^"]*\.\d\d', drawing)
    assert len(drawing) < 12_000


def test_a_figure_follows_the_theme():
    """Not one colour is fixed: all are variables of the page."""
    for drawing in _drawings().values():
        outside = re.sub(r"var\(--vp-\w+,[^)]+\)", "", drawing)

        assert [] == re.findall(r"#[0-9a-f]{6}\b", outside)
        assert "var(--vp-ink,currentColor)" in drawing


def test_ids_that_look_like_formulas_are_drawn_as_they_are():
    """Dollars, markup and invisible characters in an id are a label, not an instruction."""
    target = Target(HOSTILE, 10.0, "ns", "lower", HOSTILE)
    verdict = TargetVerdict(
        target, TargetStatus.PASS, "c", 5.0, 4.0, 6.0, 0.97, -0.5, 6, False, HOSTILE
    )

    drawing = svg.inline_svg(figures.targets_figure([verdict]), name="x", alt=HOSTILE)

    assert "script" not in {e.tag for e in ET.fromstring(drawing).iter()}
    assert "$x$" in drawing


@pytest.mark.parametrize(
    ("better", "value", "side"), [("lower", 20.0, "over"), ("higher", 20.0, "under")]
)
def test_beyond_the_limit_is_to_the_right_whatever_the_direction(better: Better, value, side):
    """Twice the limit is a miss where lower is better, and half of it used where higher is."""
    target = Target("t", 10.0, "tx/s", better, "")
    verdict = TargetVerdict(
        target, TargetStatus.PASS, "c", value, None, None, None, 0, 6, False, ""
    )

    (ax,) = figures.targets_figure([verdict]).axes
    drawn = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in ax.lines])

    assert {1.0, {"over": 2.0, "under": 0.5}[side]} == set(drawn.tolist())


@pytest.mark.parametrize(
    ("better", "value", "is_within"),
    [("lower", 20.0, False), ("higher", 20.0, True), ("lower", 5.0, True), ("higher", 5.0, False)],
)
def test_a_chart_of_limits_has_misses_to_the_right(better: Better, value, is_within):
    """In either direction; the interval is around the value, and names are drawn as they are."""
    target = Target(HOSTILE, 10.0, "tx/s", better, "")
    ends = value * 0.9, value * 1.1
    verdict = TargetVerdict(target, TargetStatus.PASS, "c", value, *ends, 0.97, 0, 6, False, "")
    root = ET.fromstring(limits_chart([verdict], HOSTILE))
    lines = {e.get("class"): e.get("d", "") for e in root.iter() if e.tag == "path"}

    (limit,) = re.findall(r"M([\d.]+)", lines["vp-limit vp-quiet"])
    (mark,) = re.findall(r"M([\d.]+)", lines["vp-dots vp-new"])
    left, right = sorted(map(float, re.findall(r"[MH]([\d.]+)", lines["vp-range vp-new"])))
    assert is_within == (float(mark) < float(limit))
    assert left < float(mark) < right
    assert "script" not in {e.tag for e in root.iter()}


def test_a_chart_of_limits_leaves_out_what_has_no_share():
    """Values that are not there or not above zero; without any there is no chart."""
    target = Target("t", 10.0, "ns", "lower", "")
    verdicts = [
        TargetVerdict(target, TargetStatus.PASS, "c", value, None, None, None, 0, 6, False, "")
        for value in (None, 0.0)
    ]

    assert "" == limits_chart(verdicts, "a")


def test_a_strip_has_a_dot_a_process_within_its_frame():
    """As many dots as finite values, all between the axis' ends, and a limit only if near."""
    row = strip.StripRow("this run", "new", [10.0, 11.0, float("nan"), 12.0], 11.0, 10.0, 12.0)

    near = strip.strip_plot([row], quantity="time", unit="ns", limit=13.0, alt="a")
    far = strip.strip_plot([row], quantity="time", unit="ns", limit=100.0, alt="a")
    (dots,) = re.findall(r'class="vp-dots"[^>]* d="([^"]+)"', near)
    xs = [float(x) for x in re.findall(r"M([\d.]+) ", dots)]

    ET.fromstring(near)
    assert 3 == len(xs)
    assert all(62 <= x <= 332 for x in xs)
    assert sorted(xs) == xs
    assert ("vp-limit" in near, "vp-limit" in far) == (True, False)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1e-9, 1e-9], [0.0, 0.0], [1e12, 3e12]])
def test_a_strip_of_equal_or_extreme_values_can_be_drawn(values):
    """One value, the same value twice, zeros and large numbers still make a picture."""
    row = strip.StripRow("r", "new", values, values[0], values[0], values[0])

    assert "NaN" not in ET.tostring(
        ET.fromstring(strip.strip_plot([row], quantity="time", unit="ns", limit=None, alt="")),
        "unicode",
    )


def test_hostile_runs_can_be_drawn():
    """The values of a case with a hostile name make a figure."""
    series = next(iter(series_of(hostile_run()).values()))

    ET.fromstring(svg.inline_svg(figures.values_figure(series), name="v", alt="a"))
