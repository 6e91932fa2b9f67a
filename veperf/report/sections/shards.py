"""The processes that put a load on a system together, each in a row."""

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.core.load import Shard
from veperf.report import text
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.load_summary import INVALID, Loaded
from veperf.report.tables.result_tables import Cell, Table
from veperf.report.tables.status import Mark

KEY = (
    "Clock offset: the target's time of day less the shard's, in no figure. Drift: by how much the "
    "target's clock gained on the shard's during the load."
)


def shards(one: Loaded) -> Fragment:
    """How the load came about, in a sentence and a table."""
    content = table(one)
    said = how(one)
    html = (
        f"<h3>Where the load came from: {as_html(one.case.id)}</h3>"
        + markup.paragraph(said)
        + markup.table(content)
        + markup.paragraph(KEY)
    )
    return Fragment(html, f"{said}\n{text.table(content)}")


def how(one: Loaded) -> str:
    """Who put the load on, and by whose clock it was measured."""
    hosts = len({shard.host for shard in one.shards})
    processes = number_format.count(len(one.shards), "process", "processes")
    return (
        f"One schedule, divided among {processes} on {number_format.count(hosts, 'host')}, was put on a "
        "system in a process of its own. All started at one agreed instant; latency is by each "
        "one's own clock, from the scheduled arrival until it knew of the commit."
    )


def table(one: Loaded) -> Table:
    """One row a shard."""
    return Table(
        f"Shards of {one.case.id}",
        (
            ("Shard", "right"),
            ("Status", "left"),
            ("Host", "left"),
            ("Offered", "right"),
            ("Achieved", "right"),
            ("Own lag p99", "right"),
            ("Clock offset", "right"),
            ("Drift", "right"),
        ),
        tuple(_row(shard, one.rate_unit) for shard in one.shards),
    )


def _row(shard: Shard, rate_unit: str) -> tuple[Cell, ...]:
    mark = Mark(INVALID, "warn", 2) if shard.invalid else Mark("valid", "pass", 6)
    return (
        Cell(str(shard.number)),
        Cell("", note=shard.invalid, mark=mark),
        Cell(shard.host),
        Cell(number_format.quantity(shard.offered, rate_unit)),
        Cell(number_format.quantity(shard.achieved, rate_unit)),
        Cell(number_format.quantity(shard.own_lag_p99_ms, "ms")),
        Cell(_offset(shard)),
        Cell(number_format.quantity(shard.clock_drift_ns, "ns")),
    )


def _offset(shard: Shard) -> str:
    if shard.wall_offset_ns is None:
        return number_format.MISSING
    unsure = number_format.quantity(shard.clock_uncertainty_ns, "ns")
    return f"{number_format.quantity(shard.wall_offset_ns, 'ns')} ± {unsure}"
