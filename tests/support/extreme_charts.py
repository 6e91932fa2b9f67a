"""Inputs that break charts: values from 1e-9 to 1e12, no interval, one over everything, +900 %."""

import math
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Literal

import numpy as np

from veperf.archive.run_summary import RunFacts
from veperf.archive.trend import Trend, TrendChange
from veperf.core.target import Target
from veperf.core.verdict import Change, ChangeStatus, TargetStatus, TargetVerdict
from veperf.stats.change_points import ChangePoint

NAMES = (
    "shop/a",
    f"shop/{'a_benchmark_of_a_very_long_name' * 4}",
    "WWWW/WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW[MMMMMM=1000000000000]",
    "店舗/とても長い名前のベンチマークとても長い名前のベンチマーク[大きさ=10000]",
    "shop/$x$_{2}^3 & <b>",
)
VALUES = (264.0, 1e-9, 1e12, 3.0, 0.999)
RATIOS = (1.0, 10.0, 0.01, 1.91, 1.52, math.inf, 1.001, 25.0)
Ends = tuple[float | None, float | None]


def names(number: int) -> list[str]:
    """``number`` names that differ."""
    return [f"{name}/{n}" for n, name in enumerate(islice(cycle(NAMES), number))]


def intervals(value: float) -> Iterator[Ends]:
    """None, one without a width, a usual one, one over the whole axis and further, and NaN."""
    return cycle(
        (
            (None, None),
            (value, value),
            (value * 0.9, value * 1.1),
            (value * 1e-6, value * 1e6),
            (math.nan, math.nan),
        )
    )


def changes(number: int) -> list[Change]:
    """Changes of all statuses, some far beyond any axis."""
    statuses = cycle(
        (ChangeStatus.SLOWER, ChangeStatus.OK, ChangeStatus.SUSPECT, ChangeStatus.INCONCLUSIVE)
    )
    rows = zip(names(number), cycle(RATIOS), statuses, strict=False)
    return [
        Change(case, "time", "ns", status, 100.0, 100 * ratio, ratio, *_ends(n, ratio),
               0.95, 0.01, 0.02, 6, 6, "cpu", "why")
        for n, (case, ratio, status) in enumerate(rows)
    ]  # fmt: skip


def verdicts(number: int) -> list[TargetVerdict]:
    """Targets of which a billionth to a trillion times the limit is used."""
    better: Iterator[Literal["lower", "higher"]] = cycle(("lower", "higher"))
    statuses = cycle((TargetStatus.PASS, TargetStatus.FAIL, TargetStatus.PASS))
    rows = zip(names(number), cycle(VALUES), better, statuses, strict=False)
    return [
        TargetVerdict(
            Target(name, 10.0, "ns", side, ""), status, name, value, *_ends(n, value),
            0.97, 0, 6, False, "",
        )
        for n, (name, value, side, status) in enumerate(rows)
    ]  # fmt: skip


def trend(number: int, *, unit: str = "ns", spread: float = 1.0) -> Trend:
    """A trend whose values, their ``spread`` times as far apart, have all kinds of intervals.

    Every third run begins another level; a seventh of them have no value.
    """
    values = np.array([264 + spread * n * (-1) ** n for n in range(number)], dtype=np.float64)
    if spread > 1e6:
        values = np.abs(values) + 1e-9
    ends = [_ends(n, float(value)) for n, value in enumerate(values)]
    values[6::7] = np.nan
    low, high = (
        np.array([math.nan if end[side] is None else end[side] for end in ends], dtype=np.float64)
        for side in (0, 1)
    )
    runs = tuple(_run(n) for n in range(number))
    steps = tuple(
        TrendChange(
            ChangePoint(
                index=n, before=264.0, after=264.0 * ratio, ratio=ratio, low=ratio * 0.9,
                high=ratio * 1.1, p=0.001,
            ),
            runs[n - 1], runs[n], ratio,
        )
        for n, ratio in zip(range(3, number, 3), cycle((10.0, 1.03, 0.5)), strict=False)
    )  # fmt: skip
    processes = np.full(number, 6, dtype=np.int32)
    return Trend(
        NAMES[1], "time", unit, "lower", "cpu", "m" * 90, runs, values, low, high, processes, steps
    )


def _run(n: int) -> RunFacts:
    day = f"2026-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}"
    return RunFacts(f"run-{n}", n, f"{day}T00:00:00+00:00", "m", "", "", "abc1234" * 5, False, n)


def _ends(n: int, value: float) -> Ends:
    low, high = next(islice(intervals(value), n % 5, None))
    return low, high
