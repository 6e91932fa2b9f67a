"""A load case on a card: one figure large, the others below it."""

from collections.abc import Mapping
from dataclasses import replace

from veperf.core import number_format
from veperf.core.verdict import TargetVerdict, Verdict
from veperf.report.charts import strip
from veperf.report.charts.strip import Row
from veperf.report.html.links import anchor
from veperf.report.load_summary import Loaded
from veperf.report.sections.card import Card
from veperf.report.tables import result_tables
from veperf.report.tables.load_tables import PERCENTILES, load_mark, shown
from veperf.report.tables.status import Mark

_NAMES = {
    "offered": "Offered",
    "achieved": "Achieved",
    **dict(PERCENTILES),
    "error_rate": "Errors",
    "lag_p99": "Lag",
}


def load_card(one: Loaded, verdict: Verdict) -> Card:
    """The figure by which the case is judged first, a dot for each process that counts."""
    judged = {
        metric: found
        for metric, id in one.case.targets.items()
        for found in verdict.targets
        if (found.case, found.target.id) == (one.case.id, id)
    }
    main = _main(one)
    name = _NAMES.get(main, main)
    middle = one.figure(main)
    between = f"{name}, no value"
    if middle:
        ends = number_format.interval(middle.low, middle.high, one.unit(main))
        between = f"{name}, {ends}, {number_format.share(middle.confidence)} sure"
    return Card(
        name=one.case.id,
        what=one.case.what,
        value=number_format.quantity(middle.value if middle else None, one.unit(main)),
        between=between,
        marks=_marks(one, judged),
        picture=_picture(one, main, judged.get(main)),
        said=[],
        facts=[
            *((said, shown(one, metric)) for metric, said in _NAMES.items() if metric != main),
            ("Processes", f"{one.valid} of {len(one.processes)} valid"),
        ],
        anchor=anchor(one.case.id),
    )


def _main(one: Loaded) -> str:
    if one.is_search:
        return "throughput"
    judged = [metric.name for metric in one.case.metrics if metric.name in one.case.targets]
    return next(iter(judged), "latency_p99")


def _marks(one: Loaded, judged: Mapping[str, TargetVerdict]) -> list[Mark]:
    """Whether it can be believed, unless it can; and each target by the name of its figure."""
    marks = [result_tables.target_mark(found) for found in judged.values()]
    if len(marks) > 1:
        names = [_NAMES.get(metric, metric) for metric in judged]
        marks = [
            replace(mark, word=f"{name} {mark.word}")
            for name, mark in zip(names, marks, strict=True)
        ]
    belief = load_mark(one)
    return marks if belief.tone == "pass" else [belief, *marks]


def _picture(one: Loaded, metric: str, answer: TargetVerdict | None) -> str:
    values = [r.figures[metric] for r in one.believed if metric in r.figures]
    middle = one.figure(metric)
    if middle is None:
        return ""
    row = Row("this run", "new", values, middle.value, middle.low, middle.high)
    limit = answer.target.limit if answer else None
    given = one.unit(metric)
    processes = number_format.count(len(values), "process", "processes")
    alt = f"{one.case.id}, {_NAMES.get(metric, metric)}: a dot for each of {processes}"
    return strip.strip([row], unit=given, limit=limit, alt=alt)
