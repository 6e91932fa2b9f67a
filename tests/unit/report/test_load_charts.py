"""The pictures show what the figures say."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.helpers import judged, latencies_ns, plausible_run, with_load
from veperf.core.run import CaseResult
from veperf.loadtest.histogram import Latencies
from veperf.report.charts import load_charts
from veperf.report.html.links import Links
from veperf.report.load_summary import load_summaries


def _paths(svg: str, shade: str) -> list[str]:
    return [
        e.attrib["d"] for e in ET.fromstring(svg).iter("path") if shade in e.attrib["class"].split()
    ]


def _ticks(svg: str) -> dict[str, float]:
    """Where each label below the x axis stands."""
    texts = [t for t in ET.fromstring(svg).iter("text") if t.attrib.get("text-anchor")]
    lowest = max(float(t.attrib["y"]) for t in texts)
    # Below the labels there is the axis' title alone.
    labels = [t for t in texts if float(t.attrib["y"]) < lowest]
    lowest = max(float(t.attrib["y"]) for t in labels)
    return {t.text or "": float(t.attrib["x"]) for t in labels if float(t.attrib["y"]) == lowest}


def _latencies(raw) -> Latencies:
    actual = Latencies()
    actual.record(raw)
    return actual


def test_the_percentile_curve_goes_through_the_percentiles():
    """At 50, 90, 99 and 99.9 % the curve is as high as numpy's percentiles of the raw latencies."""
    raw = latencies_ns(np.random.default_rng(2), 9_000)
    svg = load_charts.percentiles_chart(_latencies(raw), {}, "curve")
    (path,) = _paths(svg, "vp-line")
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", path), dtype=float)
    at = {float(name.removesuffix(" %")): x for name, x in _ticks(svg).items()}
    # Height is linear in the logarithm of latency: two percentiles give the scale.
    y = {q: np.interp(at[q], points[:, 0], points[:, 1]) for q in (50, 90, 99, 99.9)}
    log = {q: np.log(np.percentile(raw, q)) for q in y}
    slope = (y[99.9] - y[50]) / (log[99.9] - log[50])

    for q in (90, 99):
        assert y[q] == pytest.approx(y[50] + slope * (log[q] - log[50]), abs=1.5)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=50))
def test_any_latencies_can_be_drawn(values):
    """One alone, all the same, zero, more than an hour: the columns' heights add up to all."""
    latencies = _latencies(np.array(values, dtype=np.int64))
    svg = load_charts.latency_histogram(latencies, {}, "bins")
    (columns,) = _paths(svg, "vp-area")
    labels = [
        (t.text, float(t.attrib["y"]))
        for t in ET.fromstring(svg).iter("text")
        if t.text and t.text.endswith("%")
    ]
    (zero, bottom), (top, height) = labels[0], labels[-1]
    per_unit = float(top.split("\u202f")[0]) / (bottom - height)
    tops = [float(v) for v in re.findall(r"M[\d.]+ ([\d.]+)H", columns)]
    base = float(re.findall(r"V([\d.]+)H", columns)[0])

    assert zero.startswith("0")
    assert sum((base - v) * per_unit for v in tops) == pytest.approx(100, abs=0.5 * len(tops) + 0.5)
    assert load_charts.percentiles_chart(latencies, {}, "curve") == "" or "<path" in svg


def test_every_trial_and_every_result_is_marked():
    """As many dots, crosses and rings as loads met, missed and invalid; a bar at the decision."""
    run = with_load(plausible_run())
    search = load_summaries(run)[-1]
    target = next(v for v in judged(run).targets if v.target.id == "transaction/throughput").target
    svg = load_charts.trials_chart(search, target, "trials")
    trials = [t for _, result in search.processes for t in result.trials if t.kind != "backlog"]

    def marked(shade: str) -> int:
        return sum(path.count("M") for path in _paths(svg, shade))

    assert sum(t.met for t in trials) == marked("vp-dots")
    assert sum(bool(t.invalid) for t in trials) == marked("vp-rings")
    assert sum(not t.met and not t.invalid for t in trials) == marked("vp-crosses")
    assert 1 == marked("vp-bars")
    assert {"limit", "goal"} <= {t.text for t in ET.fromstring(svg).iter("text")}


def test_a_rate_has_its_point_on_each_line_and_rings_for_the_invalid():
    """Five rates, of which one has an invalid process and one has nothing else."""
    bad = [(0, 10_000), *((i, 20_000) for i in range(3))]
    run = with_load(plausible_run(), invalid=bad)
    curve = sorted(load_summaries(run)[:-1], key=lambda load: load.rate or 0)
    svg = load_charts.latency_by_rate_chart(curve, {}, "rates")
    lines = _paths(svg, "vp-line")

    assert [4, 4, 4] == [len(re.findall("[ML]", line)) for line in lines]
    assert [12] == [path.count("M") for path in _paths(svg, "vp-rings")]


def test_a_point_leads_to_its_load():
    """An address for each dot of a line, where the load has a card."""
    run = with_load(plausible_run())
    curve = sorted(load_summaries(run)[:-1], key=lambda load: load.rate or 0)
    links = Links({load.case.id: f"t.html#{load.case.id}" for load in curve[1:]})
    svg = load_charts.latency_by_rate_chart(curve, {}, "rates", links)
    dots = [e for e in ET.fromstring(svg).iter("path") if "vp-dots" in e.attrib["class"]]

    assert 3 == len(dots)
    for path in dots:
        addresses = path.attrib["data-links"].split("|")
        assert ["", *(f"t.html#{load.case.id}" for load in curve[1:])] == addresses


def test_what_can_not_be_drawn_is_left_out():
    """Without a latency above zero there is no picture of latencies, and no error."""
    run = with_load(plausible_run(passes=3))
    empty = tuple(
        replace(pass_, results=tuple(CaseResult(r.case) for r in pass_.results))
        for pass_ in run.passes
    )
    curve = load_summaries(replace(run, passes=empty))[:-1]

    assert "" == load_charts.latency_by_rate_chart(curve, {}, "rates")
