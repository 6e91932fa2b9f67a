"""Overload and mixes in a report: the curve, what was shed, and each kind's latency."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.helpers import judged, latencies_ns, plausible_run, with_load
from veperf.core.case import Metric
from veperf.core.mix import kind_metrics
from veperf.core.run import CaseResult, Run
from veperf.loadtest.histogram import Latencies
from veperf.report.charts.overload_chart import (
    achieved_chart,
    admitted_latency_chart,
    offered_rate,
)
from veperf.report.load_summary import load_summaries
from veperf.report.rendering import load_text
from veperf.report.view import ReportView

KINDS = {"send": 3_000.0, "create_bid": 9_000.0}


def overloaded_run() -> Run:
    """The loads of ``with_load`` as cases of an overload, that shed what they don't achieve."""
    run = with_load(plausible_run(passes=3))
    loads = {case.id for case in run.cases if case.benchmark == "transaction/load"}
    cases = tuple(
        replace(
            case,
            benchmark="transaction/overload",
            metrics=(*case.metrics, Metric("shed_rate", "%", "unknown")),
        )
        for case in run.cases
        if case.id in loads
    )

    def shed(result: CaseResult) -> CaseResult:
        figures = result.figures
        share = max(0.0, 100 * (1 - figures["achieved"] / figures["offered"]))
        figures = figures | {"shed_rate": share, "shed_evicted": share / 4, "drain": 0.4}
        return replace(result, figures=figures)

    passes = tuple(
        replace(p, results=tuple(shed(r) for r in p.results if r.case in loads)) for p in run.passes
    )
    return replace(run, cases=cases, passes=passes)


def mixed_run() -> Run:
    """The same with two kinds of items, of which the bids are slower."""
    run = overloaded_run()
    dice, encoded = np.random.default_rng(4), dict[str, str]()
    for kind, rate in KINDS.items():
        histogram = Latencies()
        histogram.record(latencies_ns(dice, rate))
        encoded[kind] = histogram.encode()
    passes = tuple(
        replace(p, results=tuple(replace(r, latencies_by_kind=encoded) for r in p.results))
        for p in run.passes
    )
    cases = tuple(
        replace(case, metrics=(*case.metrics, *kind_metrics(KINDS))) for case in run.cases
    )
    return replace(run, cases=cases, passes=passes)


def dots(svg: str) -> list[tuple[float, float]]:
    """Where the dots of the main line are."""
    paths = [p for p in ET.fromstring(svg).iter("path") if p.attrib["class"] == "vp-dots vp-new"]
    pairs = re.findall(r"M([\d.]+) ([\d.]+)", "".join(p.attrib["d"] for p in paths))
    return [(float(x), float(y)) for x, y in pairs]


def test_the_charts_show_the_figures() -> None:
    """A dot for each rate, as far apart as the rates, as high as what was achieved."""
    curve = sorted(load_summaries(overloaded_run()), key=offered_rate)
    rates = dots(achieved_chart(curve, "curve"))
    latencies = dots(admitted_latency_chart(curve, "latency"))
    offered = np.array([offered_rate(load) for load in curve])
    achieved = np.array([a.value for load in curve if (a := load.figure("achieved"))])
    p99 = np.array([load.percentiles.p99 for load in curve if load.percentiles])

    for points, values in ((rates, achieved), (latencies, p99)):
        x, y = np.array(points).T
        assert np.corrcoef(x, offered)[0, 1] == pytest.approx(1, abs=1e-4)
        assert np.corrcoef(y, values)[0, 1] == pytest.approx(-1, abs=1e-3)


def test_the_section_says_how_much_of_the_most_is_left() -> None:
    """At the largest load, with what was shed; the table has a column for that."""
    run = overloaded_run()
    text = ReportView(run, judged(run)).load.text

    assert re.search(r"At 1\d,\d00\stx/s offered, [\d,]+\stx/s are achieved, \d+\s%", text)
    assert "are shed; 99 % of what is admitted" in text
    assert "Shed" in text


def test_the_terminal_tells_reasons_and_kinds() -> None:
    """Of a load alone, too; items without kinds have no table of them."""
    text = load_text(mixed_run())

    assert re.search(r"Shed: evicted\s+\d", text)
    assert re.search(r"Drained after the end in\s+400\sms", text)
    for kind in KINDS:
        assert re.search(rf"{kind}\s+[\d,]+\s+\d", text)
    assert "Kind" not in load_text(overloaded_run())


def test_the_slowest_kind_is_named() -> None:
    """In the report, above the table of all kinds."""
    run = mixed_run()
    section = ReportView(run, judged(run)).load

    assert "The slowest of 2 kinds are create_bid" in section.html
    assert 1 == section.html.count("<h3>Latency by kind"), "all cases have the same mix"


def test_a_damaged_histogram_of_a_kind_is_left_out() -> None:
    """It breaks no report."""
    run = mixed_run()
    broken = {"send": "not a histogram"}
    passes = tuple(
        replace(p, results=tuple(replace(r, latencies_by_kind=broken) for r in p.results))
        for p in run.passes
    )

    assert all(not load.kinds for load in load_summaries(replace(run, passes=passes)))
    assert "Kind" not in load_text(replace(run, passes=passes))
