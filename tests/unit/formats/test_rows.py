"""Tables of rows: what rows say of one metric holds for all of them, and no value is dropped."""

import json

import pytest

from veperf.core.errors import CorruptFileError
from veperf.core.run import Run
from veperf.formats.readers import read_runs

HEAD = "benchmark,metric,value,unit,better\n"


def read(text: str) -> Run:
    (imported,) = read_runs(text.encode(), "f.csv")
    return imported.run


def values(run: Run, metric: str) -> list[float]:
    return [r.figures[metric] for p in run.passes for r in p.results if metric in r.figures]


@pytest.mark.parametrize(
    ("rows", "unit", "better", "expected"),
    [
        ("a,rate,20,score,higher\na,rate,99,score,\n", "score", "higher", [20, 99]),
        ("a,rate,20,score,\na,rate,99,score,higher\n", "score", "higher", [20, 99]),
        ("a,rate,20,score,unknown\na,rate,99,score,lower\n", "score", "lower", [20, 99]),
        ("a,size,2,KiB,\na,size,1024,B,\n", "KiB", "lower", [2, 1]),
        ("a,wait,2,ms,\na,wait,3,seconds,\n", "ms", "lower", [2, 3000]),
        ("a,time,2,ms,\na,time,3,us,\n", "ns", "lower", [2e6, 3e3]),
    ],
)
def test_rows_of_a_metric_are_one_series(
    rows: str, unit: str, better: str, expected: list[float]
) -> None:
    """With the direction that any row states, in the unit of the first."""
    run = read(HEAD + rows)

    (metric,) = run.cases[0].metrics
    assert (unit, better) == (metric.unit, metric.better)
    assert expected == pytest.approx(values(run, metric.name))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}a,,20,ms,lower\na,,99,ms,higher\n", "f.csv:3: better is higher, and was lower"),
        (f"{HEAD}a,rate,1,B,\na,rate,9,ms,\n", "f.csv:3: rate in ms, in B before"),
        (f"{HEAD}a,time,1,ms,\na,time,9,,\n", "f.csv:3: time in no unit, in ms before"),
        ('{"name": "a", "value": 1}\n{"name": "a", "value": true}', ":2: no number: true"),
        ('{"name": "a", "value": 1}\n{"name": "a", "value": [1]}', ":2: no number: list"),
        ('{"name": "a", "value": 1, "parameters": 5}\n', ":1: parameters are an object in JSON"),
        ("name,value,parameters\na,1,n=5\n", ":2: parameters are an object in JSON"),
        ('{"name": "a", "value": 1, "parameters": {"n": [1]}}\n', ":1: parameter n is a list"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(text: str, said: str) -> None:
    """With the line, and what it has in place of what is wanted."""
    with pytest.raises(CorruptFileError) as error:
        read(text)

    assert said in str(error.value)


def test_names_that_differ_by_a_space_are_two_benchmarks() -> None:
    """Neither of them hides in the other's values."""
    csv = read(HEAD + "a b,,1,ms,\na b ,,9,ms,\n")
    lines = read("\n".join(json.dumps({"name": n, "value": 1}) for n in ("a b", "a b ")))

    assert [["csv/a b", "csv/a b "], ["json-lines/a b", "json-lines/a b "]] == [
        [case.id for case in run.cases] for run in (csv, lines)
    ]


def test_parameters_are_the_same_in_any_order_and_type() -> None:
    """Numbers may be text; what only looks like one is none."""
    written = ['{"n": 1, "m": "x"}', '{"m": "x", "n": "1"}', '{"m": "x", "n": 1.0}']
    other = '{"m": "x", "n": "01"}'
    rows = [f'{{"name": "a", "value": 5, "parameters": {p}}}\n' for p in (*written, other)]

    run = read("".join(rows))

    assert ["json-lines/a[m=x,n=1]", "json-lines/a[m=x,n=01]"] == [c.id for c in run.cases]
    assert 3 == len(run.passes)
