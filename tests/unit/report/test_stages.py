"""What is said of an operation's stages adds up to what was measured."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from tests.support.runs import case, one_pass, timed, whole_run
from veperf.core.case import Level
from veperf.core.run import Failure, Run
from veperf.core.text import MISSING
from veperf.report.charts import stages

TIMES_US = {"hash": 0.5, "verify": 30.0, "commit": 9.5}


def _run(*figures: dict[str, float], failure: Failure | None = None) -> Run:
    results = [replace(timed("a/whole", 1e6), figures=f, failure=failure) for f in figures]
    passes = [one_pass([r, timed("a/plain", 1e3)], i) for i, r in enumerate(results)]
    return whole_run([case("a/whole"), case("a/plain")], passes)


def _bars(svg: str) -> list[tuple[float, float]]:
    paths = [
        e.attrib["d"] for e in ET.fromstring(svg).iter("path") if "vp-stage" in e.attrib["class"]
    ]
    return [
        (float(a), float(b)) for d in paths for a, b in re.findall(r"M([\d.]+) .*H([\d.]+)", d)[:1]
    ]


def test_stages_add_up_to_the_bar_of_all():
    """Each bar begins where the last one ended; the last row goes from zero to the total."""
    svg = stages.waterfall_chart(TIMES_US, "cpu")
    *parts, (begin, end) = _bars(svg)

    assert all(abs(b - a) < 0.11 for (_, b), (a, _) in pairwise(parts))
    assert (parts[0][0], parts[-1][1]) == pytest.approx((begin, end))
    assert [(b - a) / (end - begin) for a, b in parts[1:]] == pytest.approx(
        [0.75, 0.2375], abs=0.01
    )
    assert "75\u202f%" in svg


def test_a_case_with_stages_has_their_means():
    """Over the processes that measured them, in the order of the work; others are left out."""
    (staged,) = stages.staged_cases(
        _run(
            {"cpu_open": 2.0, "cpu_add": 5.0},
            {"cpu_open": 4.0, "cpu_add": 9.0},
            {},
            {"memory_peak": 1.0},
        )
    )

    assert {"open": 3.0, "add": 7.0} == staged.times_us
    assert ["open", "add"] == list(staged.times_us)
    assert (
        "10.0\u202fµs of CPU time, most of it, 70\u202f%, in add"
        in stages.stages_section([staged]).text
    )


@pytest.mark.parametrize(
    "figures",
    [{"cpu_a": 0.0}, {"cpu_a": -1.0, "cpu_b": 3.0}, {"cpu_a": float("nan")}, {"mass": 1.0}],
)
def test_stages_that_make_no_sense_are_not_shown(figures):
    """What can't be shares of a whole gives no picture."""
    assert () == stages.staged_cases(_run(figures))


def test_failed_processes_and_loads_count_for_nothing():
    """A load's stages are shown with the load; a failure's figures nowhere."""
    failed = _run({"cpu_a": 1.0}, failure=Failure("raised", "no"))
    load = _run({"cpu_a": 1.0})
    load = replace(load, cases=tuple(replace(c, level=Level.LOAD) for c in load.cases))

    assert () == stages.staged_cases(failed) == stages.staged_cases(load)
    assert stages.NOTHING == stages.stages_section(()).text


def test_cases_of_one_benchmark_share_a_table():
    """A row for each, with a total; a benchmark with one such case has no table."""
    run = _run({"cpu_open": 2.0, "cpu_add": 5.0})
    other = replace(case("a/whole"), id="a/whole[size=2]", benchmark="a/whole")
    results = [replace(timed(other.id, 1e6), figures={"cpu_open": 4.0, "cpu_close": 3.0})]
    both = replace(
        run, cases=(*run.cases, other), passes=(*run.passes, one_pass(results, len(run.passes)))
    )
    (table,) = stages.stage_tables(both)

    assert () == stages.stage_tables(run)
    assert ["Case", "open", "add", "close", "total"] == [name for name, _ in table.columns]
    assert [
        ["a/whole", "2.00\u202fµs", "5.00\u202fµs", MISSING, "7.00\u202fµs"],
        ["a/whole[size=2]", "4.00\u202fµs", MISSING, "3.00\u202fµs", "7.00\u202fµs"],
    ] == [[cell.text for cell in row] for row in table.rows]
