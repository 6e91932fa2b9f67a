"""The shards of a load, in a report and in a terminal."""

from msgspec.structs import replace

from tests.support.runs import one_pass, whole_run
from tests.support.simulated import MS, Server, simulate
from veperf.core.case import LATENCY_METRICS, Case, Level, Metric
from veperf.core.load import Shard
from veperf.core.run import Failure, Run
from veperf.loadtest.result import case_result
from veperf.loadtest.schedule import Schedule
from veperf.report import rendering
from veperf.report.load_summary import load_summaries
from veperf.report.sections.load_section import shards_section

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


def run_with(*shards: Shard, failure: Failure | None = None) -> Run:
    result = case_result(
        CASE.id, simulate(lambda clock: Server(clock, MS), Schedule(500, 2, 0.5, seed=1))
    )
    return whole_run([CASE], [one_pass([replace(result, shards=shards, failure=failure)])])


def test_each_shard_has_a_row() -> None:
    """Host, rates in the case's unit, its own lag, and the time of day's offset with its limits."""
    (load,) = load_summaries(run_with(GOOD))
    section = shards_section(load)

    for text in (section.html, section.text):
        drift = "\N{MINUS SIGN}3.00\u202fµs"
        for words in ("first", "250\u202ftx/s", "249\u202ftx/s", "500\u202fµs", drift):
            assert words in text
        assert "1.50\u202fms ± 40.0\u202fµs" in text
        assert "1 process on 1 host" in text
    assert "86,400" not in section.html, "clocks that begin anywhere are compared in no table"


def test_a_lost_shard_is_shown_for_what_it_is() -> None:
    """Without figures, with its reason, and harmless whatever it is called."""
    (load,) = load_summaries(run_with(GOOD, LOST, failure=Failure("invalid", "shard 2 was lost")))
    html = shards_section(load).html

    assert "it was lost: &lt;b&gt;killed&lt;/b&gt;" in html
    assert "<i>" not in html
    assert "<b>killed" not in html
    assert "2 processes on 2 hosts" in html


def test_a_terminal_shows_them_after_the_figures() -> None:
    """One line a shard, whatever it is called."""
    text = rendering.load_text(run_with(GOOD, LOST, failure=Failure("invalid", "shard 2 was lost")))

    assert text.index("Offered") < text.index("Clock offset") < text.index("first")
    assert "\x1b" not in text
    assert "second\n\n" not in text


def test_a_load_without_shards_says_nothing_of_them() -> None:
    """As ever."""
    assert "Clock offset" not in rendering.load_text(run_with())
