"""Service level objectives (SLOs) in a file: a small format in TOML or JSON, and VirtEngine's own.

::

    [[slos]]
    name = "orders"
    match = ["http_req_*"]            # benchmarks of the load, globs; all when left out
    window = "30 d"                   # of the error budget
    what = "the marketplace answers"

    [slos.objectives]
    availability = ">= 99.9%"
    error_budget = "<= 43.2 min"      # in the window; or "<= 100%" of what availability leaves
    latency_p95 = "<= 500 ms"
    latency_p99 = "<= 1 s"
    throughput = ">= 100/s"
    mttr = "<= 30 s"                  # any other metric, by its name in the run

In JSON the same is ``{"slos": [{"name": ..., "objectives": {...}}]}``. VirtEngine's are lists of
the structs of its pkg/chaos/slo, ``ResilienceBaseline`` and ``SLODefinition``, with the names of
their JSON tags; times are nanoseconds.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from veperf.core.errors import CorruptFileError
from veperf.core.objectives import AVAILABILITY, ERROR_BUDGET, Bound, Objective, ServiceLevel
from veperf.core.units import unit_family
from veperf.formats.figures import json_number
from veperf.formats.source import SourceFile, load_source, shorten

DAY_S = 86_400.0
MONTH_S = 30 * DAY_S
_NS_PER_S = 1e9
_MOST_SLOS = 1000
_LIMIT = re.compile(
    r"\s*(<=|>=|<|>|≤|≥)?\s*([0-9]{1,18}(?:\.[0-9]{1,12})?)\s*([A-Za-z%µ1/]{0,20})\s*", re.ASCII
)
_BOUNDS: Mapping[str, Bound] = {
    "<": "at most", "<=": "at most", "≤": "at most",
    ">": "at least", ">=": "at least", "≥": "at least",
}  # fmt: skip
_THROUGHPUT = "throughput"
_AT_LEAST = re.compile(r"availability|throughput|rate_of_success|.*success.*")
_AT_MOST = re.compile(r"latency_.*|error_.*|mtt.*|blast_radius")
_SHARES = (AVAILABILITY, "error_rate", "recovery_success", "blast_radius")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": DAY_S}
_METRIC = re.compile(r"[A-Za-z0-9_./%-]{1,100}", re.ASCII)


class _Slo(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    objectives: dict[str, str | float]
    match: list[str] | str = []
    window: str = ""
    what: str = ""


class _Slos(Struct, frozen=True, forbid_unknown_fields=True):
    slos: list[_Slo]


class _ResilienceBaseline(Struct, frozen=True):
    name: str
    availability_target: float
    description: str = ""
    error_budget_minutes: float = 0.0
    recovery_success_rate: float = 0.0
    blast_radius_limit: float = 0.0
    mttr: float = 0.0
    mttd: float = 0.0


class _Probe(Struct, frozen=True):
    query: str = ""
    success_criteria: str = ""


class _SloDefinition(Struct, frozen=True):
    name: str
    target: float
    window: float
    description: str = ""
    probes: list[_Probe] = []


def read_slo_file(path: Path) -> tuple[ServiceLevel, ...]:
    """Read the service levels in a file, TOML where its name ends so, else JSON.

    Raises:
        NoSuchFileError: there is none.
        CorruptFileError: it is damaged: no list of SLOs, a field that does not belong there, a
            limit that can't be read, or none at all.
    """
    source = load_source(path)
    return read_slos(source, is_toml=path.suffix.lower() == ".toml")


def read_slos(source: SourceFile, *, is_toml: bool = False) -> tuple[ServiceLevel, ...]:
    """Read the service levels in ``source``, as ``read_slo_file`` does."""
    document = _toml(source) if is_toml else source.document
    if isinstance(document, list):
        levels = [_virtengine_level(source, entry) for entry in document]
    else:
        levels = [_level(source, slo) for slo in source.convert(document, _Slos).slos]
    if not levels:
        raise source.corrupt("no SLOs in it: nothing to judge by")
    if len(levels) > _MOST_SLOS:
        raise source.corrupt(f"more than {_MOST_SLOS:,} SLOs")
    names = [level.name for level in levels]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise source.corrupt(f"an SLO stands twice: {shorten(', '.join(repeated))}")
    return tuple(levels)


def _toml(source: SourceFile) -> object:
    try:
        return tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise source.corrupt(f"not valid TOML: {shorten(str(error))}") from error


def _level(source: SourceFile, slo: _Slo) -> ServiceLevel:
    if not slo.name.strip() or len(slo.name) > 200:
        raise source.corrupt("an SLO needs a name of 1 to 200 characters")
    where = f"SLO {shorten(slo.name)}"
    objectives = tuple(_objective(source, where, m, t) for m, t in slo.objectives.items())
    if not objectives:
        raise source.corrupt(f"{where} has no objectives")
    window_s = _duration_s(source, where, slo.window) if slo.window else None
    match = (slo.match,) if isinstance(slo.match, str) else tuple(slo.match)
    level = ServiceLevel(slo.name, objectives, match, window_s, slo.what)
    _check_budget(source, where, level)
    return level


def _check_budget(source: SourceFile, where: str, level: ServiceLevel) -> None:
    metrics = {objective.metric: objective for objective in level.objectives}
    budget = metrics.get(ERROR_BUDGET)
    if budget is None:
        return
    if budget.unit == "%" and not 0 < _left_by(metrics.get(AVAILABILITY)) < 100:
        raise source.corrupt(
            f"{where}: an error budget in % is of what `availability` leaves, below 100 %"
        )
    if budget.unit not in ("%", "s"):
        raise source.corrupt(f"{where}: an error budget is a time in a window, or %")
    if budget.unit == "s" and level.window_s is None:
        raise source.corrupt(f'{where}: an error budget of time needs a `window`, such as "30 d"')


def _left_by(availability: Objective | None) -> float:
    return 0.0 if availability is None else 100 - availability.limit


def _objective(source: SourceFile, where: str, metric: str, text: str | float) -> Objective:
    if not _METRIC.fullmatch(metric):
        raise source.corrupt(f"{where}: {shorten(metric)!r} is no name of a metric")
    match = _LIMIT.fullmatch(text if isinstance(text, str) else f"{text:.12f}")
    if match is None:
        raise source.corrupt(
            f'{where}: {metric} = {shorten(str(text))!r} is no limit, such as "<= 500 ms"'
        )
    sign, number, unit = match[1], float(match[2]), match[3]
    if sign is None and not (_AT_LEAST.fullmatch(metric) or _AT_MOST.fullmatch(metric)):
        raise source.corrupt(f'{where}: say of {metric} whether it is "<= {text}" or ">= {text}"')
    bound = _BOUNDS[sign] if sign else ("at least" if _AT_LEAST.fullmatch(metric) else "at most")
    if not unit and metric in _SHARES:
        number, unit = 100 * number, "%"
    family, factor = unit_family(f"1{unit}" if unit.startswith("/") else unit)
    if unit in ("d", "day", "days"):
        family, factor = "s", DAY_S
    if metric == AVAILABILITY and (unit != "%" or number > 100):
        raise source.corrupt(f'{where}: an availability is a share, such as ">= 99.9%"')
    if metric.startswith("latency_") and family != "s":
        raise source.corrupt(f'{where}: {metric} is a time, such as "<= 500 ms"')
    counted, _, below = family.partition("/")
    if metric == _THROUGHPUT and below == "s" and counted not in ("B", "bit"):
        family = "1/s"  # whatever it is that is counted
    return Objective(metric, bound, number * factor, "%" if unit == "%" else family)


def _duration_s(source: SourceFile, where: str, text: str) -> float:
    match = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*(s|min|h|d)\s*", text, re.ASCII)
    if match is None or not float(match[1]) > 0:
        raise source.corrupt(f'{where}: {shorten(text)!r} is no window, such as "30 d" or "1 h"')
    return float(match[1]) * _SECONDS[match[2]]


def _virtengine_level(source: SourceFile, entry: object) -> ServiceLevel:
    """Return the service level of a struct of pkg/chaos/slo."""
    keys = entry.keys() if isinstance(entry, dict) else set()
    if "availability_target" in keys:
        return _resilience(source, source.convert(entry, _ResilienceBaseline))
    if {"target", "window"} <= keys:
        return _definition(source, source.convert(entry, _SloDefinition))
    raise source.corrupt("an entry is neither a ResilienceBaseline nor an SLODefinition")


def _resilience(source: SourceFile, baseline: _ResilienceBaseline) -> ServiceLevel:
    where = f"SLO {shorten(baseline.name)}"
    if not 0 < baseline.availability_target < 1:
        raise source.corrupt(f"{where}: availability_target is no share between 0 and 1")
    values = [
        (AVAILABILITY, "at least", 100 * baseline.availability_target, "%"),
        (ERROR_BUDGET, "at most", 60 * baseline.error_budget_minutes, "s"),
        ("mttr", "at most", baseline.mttr / _NS_PER_S, "s"),
        ("mttd", "at most", baseline.mttd / _NS_PER_S, "s"),
        ("recovery_success", "at least", 100 * baseline.recovery_success_rate, "%"),
        ("blast_radius", "at most", 100 * baseline.blast_radius_limit, "%"),
    ]
    if any(not 0 <= value < 1e18 for _, _, value, _ in values):
        raise source.corrupt(f"{where}: a figure is no positive number")
    objectives = tuple(
        Objective(metric, bound, value, unit)  # type: ignore[arg-type] # of the two in the table
        for metric, bound, value, unit in values
        if value
    )
    return ServiceLevel(baseline.name, objectives, (), MONTH_S, baseline.description)


_QUANTILE = re.compile(r"histogram_quantile\(\s*(0\.[0-9]{1,4}|1)")
_CRITERIA = re.compile(r"\s*value\s*(<=|>=|<|>)\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*", re.ASCII)


def _definition(source: SourceFile, slo: _SloDefinition) -> ServiceLevel:
    where = f"SLO {shorten(slo.name)}"
    if not slo.probes:
        raise source.corrupt(f"{where} has no probes: nothing says what is measured")
    objectives = []
    for probe in slo.probes:
        criteria = _CRITERIA.fullmatch(probe.success_criteria)
        if criteria is None or json_number(slo.target) is None:
            problem = shorten(probe.success_criteria)
            raise source.corrupt(f"{where}: no criterion such as `value <= 6.0`: {problem!r}")
        bound, limit = _BOUNDS[criteria[1]], float(criteria[2])
        quantile = _QUANTILE.search(probe.query)
        if quantile is not None and "_seconds" in probe.query:
            digits = quantile[1].partition(".")[2]
            percent = (digits + "0")[:2] + digits[2:] if digits else "100"
            objectives.append(Objective(f"latency_p{percent}", bound, limit, "s"))
        elif bound == "at least" and limit <= 1:
            objectives.append(Objective(AVAILABILITY, bound, 100 * limit, "%"))
        else:
            objectives.append(Objective("value", bound, limit, ""))
    return ServiceLevel(slo.name, tuple(objectives), (), slo.window / _NS_PER_S, slo.description)


def slo_document(levels: Sequence[ServiceLevel]) -> dict[str, object]:
    """Return service levels as the content of an SLO file.

    Raises:
        CorruptFileError: one has no unit that the format has a word for.
    """
    return {"slos": [_entry(level) for level in levels]}


def _entry(level: ServiceLevel) -> dict[str, object]:
    signs = {"at most": "<=", "at least": ">="}
    objectives = {
        o.metric: f"{signs[o.bound]} {o.limit:.12g}{' ' if o.unit else ''}{o.unit}"
        for o in level.objectives
    }
    if len(objectives) < len(level.objectives):
        raise CorruptFileError(f"SLO {level.name} has several objectives of a metric")
    entry: dict[str, object] = {"name": level.name, "what": level.what}
    if level.window_s is not None:
        days, rest = divmod(level.window_s, DAY_S)
        entry["window"] = f"{level.window_s:.12g} s" if rest else f"{days:.0f} d"
    if level.match:
        entry["match"] = list(level.match)
    return entry | {"objectives": objectives}
