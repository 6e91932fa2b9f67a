"""Parameters from elsewhere in the few types that a case's parameters have."""

import math
from collections.abc import Mapping

from veperf.interop.names import clean
from veperf.model import Params

_MOST = 50


def plain(given: Mapping[str, object] | None) -> Params:
    """``given`` with whatever is neither number nor text as text."""
    return {clean(name): _plain(value) for name, value in list((given or {}).items())[:_MOST]}


def _plain(value: object) -> int | float | str:
    match value:
        case bool() | None:
            return str(value)
        case int() if abs(value) < 1 << 53:
            return value
        case float() if math.isfinite(value):
            return value
        case str():
            return clean(value)
    return clean(str(value)) if isinstance(value, float) else type(value).__name__
