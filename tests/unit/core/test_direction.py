"""The better direction of metrics: by unit, by what the user says, else unknown."""

import pytest
from msgspec.structs import replace

from tests.support.runs import timed_run
from veperf.core.case import Metric
from veperf.core.direction import parse_directions, reader_notes, require_units, with_directions
from veperf.core.errors import UsageError
from veperf.core.run import Run
from veperf.core.units import better_of


@pytest.mark.parametrize(
    ("units", "direction"),
    [
        ("ns ms s sec ns/op sec/op ms/frame B B/op bytes kB MiB allocs/op error_rate_%", "lower"),
        ("MB/s B/s GiB/s Mbps gbps op/s ops/ms req/s requests/sec 1/s tps TPS QPS rps", "higher"),
        ("GFLOPS GFLOP/s items/s tx/s bids/sec verifications/sec fps IOPS", "higher"),
        # More of these may be good or bad.
        (
            "score % Percent hit-ratio ratio hits x objects errors/s misses/s allocs/s ns/s",
            "unknown",
        ),
        ("allocs/s total-bytes p99-ns speedup iterations threads op ops /s", "unknown"),
    ],
)
def test_a_unit_says_the_direction_where_it_is_certain(units: str, direction: str) -> None:
    """Times, sizes and allocations, and work done in a time; nothing is guessed."""
    assert dict.fromkeys(units.split(), direction) == {u: better_of(u) for u in units.split()}
    assert "unknown" == better_of("")


def run_of(*metrics: Metric) -> Run:
    run = timed_run({"demo/a": [1.0] * 3})
    return replace(run, cases=tuple(replace(case, metrics=metrics) for case in run.cases))


def test_a_user_says_the_direction_of_a_unit() -> None:
    """Or of a metric by its name; others keep theirs."""
    run = run_of(
        Metric("quality", "points", "unknown"),
        Metric("score", "", "unknown"),
        Metric("MB/s", "MB/s", "higher"),
    )

    actual = with_directions(run, parse_directions(["points=higher", "score=lower"]))

    assert ["higher", "lower", "higher"] == [m.better for m in actual.cases[0].metrics]
    assert run == with_directions(run, {})


@pytest.mark.parametrize("texts", [["GFLOPS"], ["GFLOPS=up"], ["=higher"], ["a=lower", "a=higher"]])
def test_what_is_no_direction_is_refused(texts: list[str]) -> None:
    """The message says how it is written."""
    with pytest.raises(UsageError, match="--better"):
        parse_directions(texts)


def test_a_unit_with_an_equals_sign() -> None:
    """The direction is what follows the last one."""
    assert {"a=b": "lower"} == parse_directions(["a=b=lower"])


def test_a_unit_that_nothing_is_measured_in_is_refused() -> None:
    """It is most likely misspelt; the message names the units that there are."""
    run = run_of(Metric("GFLOPS", "GFLOPS", "unknown"))

    with pytest.raises(UsageError, match="nothing is measured in GFlops; there is GFLOPS"):
        require_units([run], {"GFlops": "higher"})
    require_units([run, run_of(Metric("x", "y"))], {"y": "higher"})


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (Metric("time", "ns", "lower"), "ns=higher"),
        (Metric("time", "ns", "lower"), "time=higher"),
        (Metric("rate", "MB/s", "higher"), "MB/s=lower"),
        (Metric("quality", "points", "higher"), "points=lower"),
    ],
)
def test_a_direction_that_is_known_can_not_be_said_otherwise(metric: Metric, said: str) -> None:
    """By the unit or by the file; the message names it, and to say the same does no harm."""
    unit, _, direction = said.partition("=")

    with pytest.raises(UsageError, match=f"known of {unit} that {metric.better} is better") as no:
        with_directions(run_of(metric), parse_directions([said]))
    assert 2 == no.value.exit_code
    other = {"higher": "lower", "lower": "higher"}[direction]
    same = parse_directions([f"{unit}={other}"])
    assert run_of(metric) == with_directions(run_of(metric), same)


def test_the_notes_of_a_run() -> None:
    """Those of the reader, and a note on all units of unknown direction together."""
    run = replace(run_of(Metric("a", "x", "unknown"), Metric("b", "", "unknown")), notes=("left",))

    first, second = reader_notes(run)

    assert "left" == first
    assert second.startswith("the better direction of x and b is not known")
    assert ("left",) == reader_notes(with_directions(run, {"x": "lower", "b": "higher"}))
