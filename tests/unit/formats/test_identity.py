"""A case is what its tool, package, name and parameters say, in units of one family."""

import io
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus
from veperf.formats.readers import read_runs
from veperf.stats.process_values import series_of
from veperf.verdicts.benchstat import benchstat_tables
from veperf.verdicts.screen import compare_runs


def read(document: object) -> Run:
    data = document if isinstance(document, str) else json.dumps(document)
    return read_runs(data.encode(), "f")[0].run


def times(run: Run) -> dict[str, list[float]]:
    return {s.case: s.values.tolist() for s in series_of(run).values()}


def test_commands_are_matched_by_their_parameters() -> None:
    """Of one command name, whatever the order of the values in either file."""
    entries = [
        {"command": "sort", "times": [n / 1e3] * 6, "exit_codes": [0] * 6, "parameters": {"n": n}}
        for n in (1000, 10_000)
    ]

    base, new = read({"results": entries}), read({"results": entries[::-1]})

    assert {"hyperfine/sort[n=1000]": [1e9] * 6, "hyperfine/sort[n=10000]": [1e10] * 6} == (
        times(base)
    )
    assert times(base) == times(new)
    assert {1.0} == {change.ratio for change in compare_runs(base, new)}


@pytest.mark.parametrize("order", [1, -1])
def test_one_name_with_other_parameters_is_another_benchmark(order: int) -> None:
    """In tables with a column of parameters, and in files of tools whose names lack them."""
    rows = "".join(
        f'{{"benchmark": "sort", "parameters": {{"n": {n}}}, "value": {n}}}\n' for n in (10, 20)
    )
    entries = [
        {"name": "test_a", "params": {"n": n}, "stats": {"data": [n / 1e9]}} for n in (10, 20)
    ][::order]

    table = read(rows)
    tests = read({"benchmarks": entries, "machine_info": {}})

    assert {"json-lines/sort[n=10]": [10.0], "json-lines/sort[n=20]": [20.0]} == times(table)
    assert {"n": 10} == table.cases[0].params
    named = {f"pytest-benchmark/test_a[n={n}]": [pytest.approx(float(n))] for n in (10, 20)}
    assert named == times(tests)


def test_columns_that_could_be_parameters_are_named() -> None:
    """They are not read, and so don't vanish in silence."""
    (imported,) = read_runs(b"benchmark,n,value\nsort,10,1\nsort,20,2\n", "f")

    assert "columns that are not read: n" in imported.notes


@pytest.mark.parametrize(
    ("unit", "other", "factor"),
    [("kB", "MB", 1e3), ("MB/s", "GB/s", 1e3), ("percent", "%", 1.0), ("ms", "s", 1e3),
     ("ops/ms", "op/s", 1e-3)],
)  # fmt: skip
@pytest.mark.parametrize("metric", ["p95", ""])
def test_units_of_a_family_meet(unit: str, other: str, factor: float, metric: str) -> None:
    """In the screen and in the tables, with a name of the metric and without."""
    dice = random.Random(1)
    values = [100 * (1 + dice.uniform(-0.01, 0.01)) for _ in range(10)]

    def table(unit: str, factor: float) -> Run:
        rows = "".join(f"rpc,{metric},{unit},{value / factor}\n" for value in values)
        return read(f"benchmark,metric,unit,value\n{rows}")

    base, new = table(unit, 1.0), table(other, factor)

    (change,) = compare_runs(base, new)
    assert ChangeStatus.OK is change.status
    assert change.ratio == pytest.approx(1.0)
    assert [1] == [len(table.rows) for table in benchstat_tables(base, new)]


def test_each_metric_says_its_unit_in_one_file() -> None:
    """A table may change to another unit of the family between its rows."""
    run = read("benchmark,metric,unit,value\na,heap,kB,100\na,heap,MB,0.1\n")

    assert {"csv/a": [100.0, pytest.approx(100.0)]} == times(run)


def test_columns_of_a_parquet_table_are_named_too() -> None:
    """Though they are not even loaded."""
    table = pa.table({"benchmark": ["a"], "value": [1.0], "n": [5]})
    file = io.BytesIO()
    pq.write_table(table, file)

    (imported,) = read_runs(file.getvalue(), "f")

    assert "columns that are not read: n" in imported.notes
