"""Better direction of imported metrics: what a user says about it, and notes on what nobody knows.

Veperf's own metrics declare it; another tool's file may say it, or its unit (``units.better_of``).
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from veperf.core.case import Better, Metric
from veperf.core.errors import UsageError
from veperf.core.run import Run
from veperf.core.text import join_words

_LISTED = 5
_KNOWN: tuple[Better, Better] = ("higher", "lower")


def parse_directions(texts: Iterable[str]) -> dict[str, Better]:
    """Return the better direction by unit from texts such as ``GFLOPS=higher``.

    Raises:
        UsageError: a text is not of that form, or two contradict each other.
    """
    directions: dict[str, Better] = {}
    for text in texts:
        unit, _, direction = text.rpartition("=")
        better: Better | None = next((known for known in _KNOWN if known == direction), None)
        if not unit or better is None:
            raise UsageError(f"--better is UNIT=higher or UNIT=lower, not {text!r}")
        if directions.setdefault(unit, better) != better:
            raise UsageError(f"--better says both higher and lower of {unit}")
    return directions


def with_directions(run: Run, directions: Mapping[str, Better]) -> Run:
    """Return ``run`` with the better direction of metrics, by their unit or else their name.

    Raises:
        UsageError: another direction is known already, by the unit or by the file.
    """

    def directed(metric: Metric) -> Metric:
        key = metric.unit if metric.unit in directions else metric.name
        better = directions.get(key)
        if better is None:
            return metric
        if metric.better not in ("unknown", better):
            raise UsageError(
                f"--better {key}={better}: it is known of {key} that {metric.better} is better, by "
                "its unit or by what the file says"
            )
        return replace(metric, better=better)

    if not directions:
        return run
    return replace(
        run,
        cases=tuple(
            replace(case, metrics=tuple(map(directed, case.metrics))) for case in run.cases
        ),
    )


def require_units(runs: Iterable[Run], directions: Mapping[str, Better]) -> None:
    """Refuse directions of what no metric of ``runs`` has as its unit or name.

    Raises:
        UsageError: there is one.
    """
    metrics = [metric for run in runs for case in run.cases for metric in case.metrics]
    known = dict.fromkeys(metric.unit or metric.name for metric in metrics)
    names = {metric.unit for metric in metrics} | {metric.name for metric in metrics}
    if missing := [unit for unit in directions if unit not in names]:
        raise UsageError(
            f"--better: nothing is measured in {_listing(missing)}; there is {_listing(known)}"
        )


def _listing(names: Iterable[str]) -> str:
    every = list(names)
    more = [f"{len(every) - _LISTED} more"] if len(every) > _LISTED else []
    return join_words([*every[:_LISTED], *more])


def reader_notes(run: Run) -> tuple[str, ...]:
    """Return the notes on reading ``run``: its reader's, and on better directions not known."""
    unknown = dict.fromkeys(
        metric.unit or metric.name
        for case in run.cases
        for metric in case.metrics
        if metric.better == "unknown"
    )
    if not unknown:
        return run.notes
    note = (
        f"the better direction of {_listing(unknown)} is not known: a change is neither faster "
        "nor slower, unless --better UNIT=higher or UNIT=lower says it"
    )
    return (*run.notes, note)
