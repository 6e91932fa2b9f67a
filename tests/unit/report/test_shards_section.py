"""The shards of a load, in a report and in a terminal."""

from msgspec.structs import replace

from tests.support.runs import one_pass, whole_run
from tests.support.simulated import MS, Server, simulate
from veperf.core.case import LATENCY_METRICS, Case, Level, Metric
from veperf.core.load import Shard
from veperf.core.run import Failure, Run
from veperf.loadtest.case import case_result
from veperf.loadtest.schedule import Schedule
from veperf.report import text
from veperf.report.load_summary import loaded
from veperf.report.sections.shards import shards

CASE = Case(
    "loads/desk[shards=2]",
    "loads/desk",
    "loads",
    Level.LOAD,
    "Serves.",
    metrics=(Metric("achieved", "tx/s", "higher"), *LATENCY_METRICS),
)
GOOD = Shard(
    number=1,
    host="first",
    offered=250.0,
    achieved=249.0,
    own_lag_p99_ms=0.5,
    clock_offset_ns=86_400 * 10**9,
    clock_uncertainty_ns=40_000,
    clock_drift_ns=-3_000,
    wall_offset_ns=1_500_000,
)
LOST = Shard(number=2, host="<i>second\n", invalid="it was lost: <b>killed</b>\x1b[31m")


def run_with(*found: Shard, failure: Failure | None = None) -> Run:
    result = case_result(
        CASE.id, simulate(lambda clock: Server(clock, MS), Schedule(500, 2, 0.5, seed=1))
    )
    return whole_run([CASE], [one_pass([replace(result, shards=found, failure=failure)])])


def test_each_shard_has_a_row() -> None:
    """Host, rates in the case's unit, its own lag, and the time of day's offset with its limits."""
    (one,) = loaded(run_with(GOOD))
    shown = shards(one)

    for said in (shown.html, shown.text):
        drift = "\N{MINUS SIGN}3.00\u202fµs"
        for words in ("first", "250\u202ftx/s", "249\u202ftx/s", "500\u202fµs", drift):
            assert words in said
        assert "1.50\u202fms ± 40.0\u202fµs" in said
        assert "1\u202fprocess on 1\u202fhost" in said
    assert "86,400" not in shown.html, "clocks that begin anywhere are compared in no table"


def test_a_lost_shard_is_shown_for_what_it_is() -> None:
    """Without figures, with its reason, and harmless whatever it is called."""
    (one,) = loaded(run_with(GOOD, LOST, failure=Failure("invalid", "shard 2 was lost")))
    html = shards(one).html

    assert "it was lost: &lt;b&gt;killed&lt;/b&gt;" in html
    assert "<i>" not in html
    assert "<b>killed" not in html
    assert "2\u202fprocesses on 2\u202fhosts" in html


def test_a_terminal_shows_them_after_the_figures() -> None:
    """One line a shard, whatever it is called."""
    said = text.load(run_with(GOOD, LOST, failure=Failure("invalid", "shard 2 was lost")))

    assert said.index("Offered") < said.index("Clock offset") < said.index("first")
    assert "\x1b" not in said
    assert "second\n\n" not in said


def test_a_load_without_shards_says_nothing_of_them() -> None:
    """As ever."""
    assert "Clock offset" not in text.load(run_with())
