"""Statistics that files have in place of values stay in the run."""

import json
import statistics

import numpy as np
import pytest

from veperf.core.run import Run, Summary
from veperf.formats.readers import read_runs
from veperf.formats.writers import write_run
from veperf.stats.process_values import series_of
from veperf.verdicts.baseline import baselines_of

VALUES = [1.0, 1.25, 1.5, 2.0, 4.0]
Q1, Q3 = np.quantile(VALUES, [0.25, 0.75]).tolist()


def read(document: object, format: str = "") -> Run:
    text = document if isinstance(document, str) else json.dumps(document)
    (imported,) = read_runs(text.encode(), "f", format=format)
    return imported.run


def summary_of(run: Run, metric: str = "time") -> Summary:
    (result,) = (r for p in run.passes for r in p.results)
    return result.summaries[metric]


def test_pytest_benchmark_without_rounds() -> None:
    """Quartiles, deviation, range and the number of rounds, in ns."""
    stats = {
        "median": 1.5, "mean": 1.95, "stddev": statistics.stdev(VALUES), "rounds": 5, "q1": Q1,
        "q3": Q3, "min": 1.0, "max": 4.0, "iterations": 3,
    }  # fmt: skip
    run = read({"machine_info": {}, "benchmarks": [{"name": "t", "stats": stats}]})

    assert Summary(
        center="median",
        n=5,
        standard_deviation=statistics.stdev(VALUES) * 1e9,
        q1=Q1 * 1e9,
        q3=Q3 * 1e9,
        minimum=1e9,
        maximum=4e9,
    ) == summary_of(run)


def test_hyperfine_without_times() -> None:
    """Deviation, range and number of runs; of a table without the number."""
    entry = {"command": "c", "median": 1.5, "mean": 1.95, "stddev": 1.2, "min": 1.0, "max": 4.0}
    table = "command,mean,stddev,median,user,system,min,max\nc,1.95,1.2,1.5,0.1,0.1,1.0,4.0\n"

    of_json = read({"results": [entry | {"exit_codes": [0] * 5}]})
    of_table = read(table)

    expected = Summary("median", 5, standard_deviation=1.2e9, minimum=1e9, maximum=4e9)
    assert expected == summary_of(of_json)
    assert expected.times(1).n == 5
    assert (None, 1.2e9) == (summary_of(of_table).n, summary_of(of_table).standard_deviation)
    assert [1.5e9] == series_of(of_table)["hyperfine/c", "time"].values.tolist()


def test_a_table_of_hyperfine_with_parameters() -> None:
    """Further columns are parameters; an empty deviation is that of a single run."""
    run = read("command,mean,stddev,median,user,system,min,max,parameter_n\nc 1,1,,1,0,0,1,1,1\n")

    assert {"n": "1"} == run.cases[0].params
    assert summary_of(run).standard_deviation is None


def test_asv_without_samples() -> None:
    """Interval of the median, quartiles and counts of either layout, by combination."""
    stats = {"ci_99_a": [1.0, 2.0], "ci_99_b": [4.0, 8.0], "q_25": [1.25, 2.5], "q_75": [2.0, 4.0]}
    counts = {"number": [10, 20], "repeat": [5, 6]}
    columns = {f"stats_{name}": values for name, values in (stats | counts).items()}
    new = {
        "version": 2, "commit_hash": "c" * 40,
        "result_columns": ["result", "params", *columns],
        "results": {"b.time_f": [[1.5, 3.0], [["1", "2"]], *columns.values()]},
    }  # fmt: skip
    objects = [
        {"ci_99": [1.0, 4.0], "q_25": 1.25, "q_75": 2.0, "repeat": 5, "std": 1.2},
        {"ci_99": [2.0, float("inf")], "q_25": 2.5, "q_75": 4.0, "n": 6},
    ]
    row = {"result": [1.5, 3.0], "params": [["1", "2"]], "stats": objects}
    old = {"version": 1, "commit_hash": "c" * 40, "results": {"b.time_f": row}}

    first, second = (r.summaries["time"] for p in read(new).passes for r in p.results)
    former, latter = (r.summaries["time"] for p in read(old).passes for r in p.results)

    expected = Summary("median", 5, low=1e9, high=4e9, confidence=0.99, q1=1.25e9, q3=2e9)
    assert expected == first
    assert (6, 2e9, 8e9, 4e9) == (second.n, second.low, second.high, second.q3)
    assert (expected.low, expected.high, 1.2e9) == (
        former.low,
        former.high,
        former.standard_deviation,
    )
    # An interval is open where there are too few samples.
    assert (2e9, None, None, 6) == (latter.low, latter.high, latter.confidence, latter.n)


def test_aggregates_of_google_benchmark() -> None:
    """Deviation and number of repetitions of each metric, in ns whatever the unit."""
    entry = {"name": "f_x", "run_name": "f", "run_type": "aggregate", "time_unit": "us"}
    entries = [
        entry | {"aggregate_name": kind, "iterations": 5, "real_time": value, "cpu_time": value / 2}
        for kind, value in (("mean", 1.95), ("median", 1.5), ("stddev", 1.2), ("cv", 0.6))
    ]
    run = read({"context": {}, "benchmarks": entries})

    assert Summary("median", 5, standard_deviation=1200.0) == summary_of(run)
    assert Summary("median", 5, standard_deviation=600.0) == summary_of(run, "cpu_time")


def test_estimates_of_criterion() -> None:
    """The interval of the median with its level, and the deviation."""

    def estimate(value: float) -> dict[str, object]:
        ends = {"confidence_level": 0.95, "lower_bound": value - 1, "upper_bound": value + 2}
        return {"point_estimate": value, "standard_error": 0.1, "confidence_interval": ends}

    kinds = {"mean": estimate(20.0), "median": estimate(15.0), "std_dev": estimate(3.0)}

    assert Summary(
        "median", low=14.0, high=17.0, confidence=0.95, standard_deviation=3.0
    ) == summary_of(read(kinds))


def test_intervals_of_bencher_and_github_action() -> None:
    """As ends, and as half of a width or a percentage."""
    measure = {"value": 15.0, "lower_value": 14.0, "upper_value": 17.0}
    entry = {"name": "f", "unit": "ns", "value": 15.0}

    assert Summary(low=14.0, high=17.0) == summary_of(read({"f": {"latency": measure}}))
    spreads: tuple[str | float | None, ...] = ("± 3", "3", "20%", "+/- 3.0", 3.0)
    for spread in spreads:
        assert Summary(low=12.0, high=18.0) == summary_of(read([entry | {"range": spread}]))
    spreads = ("about 3", None, "9" * 400)
    for spread in spreads:
        assert Summary() == summary_of(read([entry | {"range": spread}]))


def test_a_series_and_a_baseline_have_the_summary() -> None:
    """Only where the center is all that there is; in the baseline's file as well."""
    run = read({"results": [{"command": "c", "median": 1.5, "min": 1.0, "max": 4.0}]})
    single = read({"results": [{"command": "c", "median": 1.5, "times": [1.0, 2.0]}]})

    assert summary_of(run) == series_of(run)["hyperfine/c", "time"].summary
    assert summary_of(run) == baselines_of(run)[0].series[0].summary
    assert series_of(single)["hyperfine/c", "time"].summary is None


@pytest.mark.parametrize("format", ["bencher", "github-action-smaller", "parquet", "csv"])
def test_what_is_written_is_read(format: str) -> None:
    """Every format of values that is written can be imported again, under the same name."""
    run = read({"results": [{"command": "make all", "times": [1.0, 1.5, 2.0]}]})

    data = write_run(run, format, lambda: pytest.fail("a verdict is not needed")).encoded
    (imported,) = read_runs(data, "f")

    (case,) = imported.run.cases
    (metric,) = case.metrics
    assert "make all" == case.id.partition("/")[2]
    assert ("time", "ns", "lower") == (metric.name, metric.unit, metric.better)
    values = series_of(imported.run)[case.id, "time"].values
    assert 1.5e9 == pytest.approx(float(np.median(values)))


@pytest.mark.parametrize("format", ["csv", "parquet", "go", "pyperf"])
def test_statistics_that_a_format_cannot_hold_are_named(format: str) -> None:
    """A table of values has the median alone."""
    stats = {"median": 1.5, "q1": 1.0, "q3": 2.0, "rounds": 5}
    run = read({"machine_info": {}, "benchmarks": [{"name": "t", "stats": stats}]})

    notes = write_run(run, format, lambda: pytest.fail("unused")).notes

    assert any("statistics of them: pytest-benchmark/t" in note for note in notes)
