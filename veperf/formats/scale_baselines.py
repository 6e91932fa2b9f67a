"""VirtEngine's ``SCALE_BASELINES.json`` (SCALE-001): limits at sizes, and rules of degradation.

::

    {"environment": {"target_validators": 1000000},
     "baselines": {"validator_operations": {"iteration_max_sec": 30}},
     "degradation_thresholds": {"acceptable_factor": 2, "warning_factor": 5, "critical_factor": 10}}

A limit's unit and better direction are in its name, and it holds at the size that ``environment``
has for its section. A factor k is a rule about every benchmark that is measured at several sizes:
at 10 times the size it may cost at most k times as much. ``scaling_recommendations`` are no limits.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from veperf.core.case import Better
from veperf.core.objectives import DegradationRules, ScaleBaselines, ScaleLimit
from veperf.core.target import Target
from veperf.formats.figures import json_number
from veperf.formats.source import SourceFile, shorten

SCALE_FILE = "SCALE_BASELINES.json"

_LIMITS = "baselines"
_FACTORS = "degradation_thresholds"
_SIZES = "environment"
# By the end of a field's name; the first that fits. Rates without a unit of time are shares, but
# for iterations.
_UNITS: tuple[tuple[str, str], ...] = (
    (r"_ms$", "ms"),
    (r"_sec(?<!per_sec)$", "s"),
    (r"(_per_second|_per_sec|_iteration_rate|_tps)$", "1/s"),
    (r"_mbps$", "MB/s"),
    (r"_bytes$", "B"),
    (r"_mb$", "MiB"),
    (r"_(loss_rate|error_rate|availability|pressure)$", "1"),
)
_COUNT = "count"
_HIGHER = re.compile(
    r"(^min_|^target_|_tps$|_rate_mbps$|_per_sec$|_iteration_rate$|_availability$)"
)
# What the load is made with, and a goal beyond the limit.
_SETTINGS = ("connection_pool_size", "max_bids_per_order", "max_concurrent_bids", "target_tps")
_OF_SECTION: Mapping[str, str] = {
    "validator_operations": "validators",
    "marketplace_operations": "orders",
    "provider_daemon": "providers",
}


class _Factors(Struct, frozen=True):
    acceptable_factor: float
    warning_factor: float
    critical_factor: float


def is_scale_baselines(source: SourceFile) -> bool:
    """Return whether the file has limits and degradation factors."""
    return {_LIMITS, _FACTORS} <= source.keys


def read_scale_baselines(source: SourceFile) -> ScaleBaselines:
    """Read limits and rules.

    Raises:
        CorruptFileError: a part is missing, a limit is not a positive number, or the factors don't
            rise from 1 on.
    """
    document = _document(source)
    sizes = _numbers(source, document.get(_SIZES, {}), _SIZES)
    rules = _rules(source, document)
    limits = []
    for section, fields in _sections(source, document).items():
        numbers = _numbers(source, fields, f"{_LIMITS}.{section}")
        of = _OF_SECTION.get(section, "")
        size = sizes.get(f"target_{of}")
        for field, value in numbers.items():
            if field not in _SETTINGS:
                target = _target(section, field, value)
                limits.append(ScaleLimit(target, of if size else "", size))
    if not limits:
        raise source.corrupt(f"no limits in {_LIMITS}")
    return ScaleBaselines(source.name, tuple(limits), rules)


def scale_figures(source: SourceFile) -> dict[str, float]:
    """Return every figure of the file by its place, such as ``baselines.state_sync.max_sync_sec``.

    Raises:
        CorruptFileError: as ``read_scale_baselines``.
    """
    document = _document(source)
    figures = {
        f"{part}.{name}": number
        for part in (_SIZES, _FACTORS)
        for name, number in _numbers(source, document.get(part, {}), part).items()
    }
    for section, fields in _sections(source, document).items():
        numbers = _numbers(source, fields, f"{_LIMITS}.{section}")
        figures |= {f"{_LIMITS}.{section}.{name}": number for name, number in numbers.items()}
    return figures


def _document(source: SourceFile) -> Mapping[str, object]:
    document = source.document
    if not isinstance(document, dict):
        raise source.corrupt("no scale baselines: not an object")
    return document


def _sections(source: SourceFile, document: Mapping[str, object]) -> Mapping[str, object]:
    sections = document.get(_LIMITS)
    if not isinstance(sections, dict):
        raise source.corrupt(f"no scale baselines: {_LIMITS} is missing, or no object")
    return sections


def _numbers(source: SourceFile, fields: object, place: str) -> dict[str, float]:
    if not isinstance(fields, dict):
        raise source.corrupt(f"{shorten(place)} is no object")
    numbers = {}
    for name, value in fields.items():
        number = json_number(value)
        if number is None or not 0 < number < 1e300:
            raise source.corrupt(f"{shorten(f'{place}.{name}')} is not a positive number")
        numbers[name] = number
    return numbers


def _rules(source: SourceFile, document: Mapping[str, object]) -> DegradationRules:
    if _FACTORS not in document:
        raise source.corrupt(f"no scale baselines: {_FACTORS} is missing")
    factors = source.convert(document[_FACTORS], _Factors)
    rules = DegradationRules(
        factors.acceptable_factor, factors.warning_factor, factors.critical_factor
    )
    if not 1 <= rules.acceptable <= rules.warning <= rules.critical < 1e6:
        raise source.corrupt(
            f"the factors of {_FACTORS} must rise, acceptable, warning, critical, and be 1 or more"
        )
    return rules


def _target(section: str, field: str, value: float) -> Target:
    unit = next((unit for end, unit in _UNITS if re.search(end, field)), _COUNT)
    better: Better = "higher" if _HIGHER.search(field) else "lower"
    return Target(f"{section}/{field}", value, unit, better, field.replace("_", " "))
