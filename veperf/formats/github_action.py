"""github-action-benchmark: its tools ``customSmallerIsBetter`` and ``customBiggerIsBetter``.

A file holds one direction only. The interval stands in ``range`` as half its width.
"""

from veperf.core.case import Better
from veperf.core.run import Run
from veperf.formats.exported_values import (
    Figure,
    Written,
    json_text,
    left_out,
    refuse_nothing,
    unique,
    values_by_case,
)


def write_smaller(run: Run) -> Written:
    """The figures of which less is better.

    Raises:
        UsageError: there is none.
    """
    return _write(run, "lower")


def write_bigger(run: Run) -> Written:
    """The figures of which more is better.

    Raises:
        UsageError: there is none.
    """
    return _write(run, "higher")


def _write(run: Run, better: Better) -> Written:
    found = values_by_case(run)
    chosen = [figure for figure in found if figure.metric.better == better]
    which = "smaller" if better == "lower" else "bigger"
    refuse_nothing(chosen, run, f"figures of which {which} is better")
    names = unique([figure.full_name for figure in chosen])
    entries = [_entry(figure, name) for figure, name in zip(chosen, names, strict=True)]
    others = (figure.full_name for figure in found if figure.metric.better != better)
    return Written(json_text(entries), left_out(others, f"as {which} is not better"))


def _entry(figure: Figure, name: str) -> dict[str, str | float]:
    found = figure.estimate
    return {
        "name": name,
        "unit": figure.unit,
        "value": found.value,
        "range": f"± {(found.high - found.low) / 2:.6g}",
        "extra": f"{len(figure.values)} processes\n"
        f"{found.confidence:.0%} interval {found.low:.6g} to {found.high:.6g} {figure.unit}",
    }
