"""Checks of single fields, types included: msgspec checks types only when it decodes."""

from collections.abc import Mapping

from veperf.workloads.bidding.decimals import parse_decimal
from veperf.workloads.bidding.errors import DecimalError, FieldError

MAX_QUANTITY = 10**15
"""Maximum amount of a resource. Sums of a thousand fit 64 bits."""
MAX_NS = (1 << 63) - 1
"""The latest time, in the year 2262."""
MAX_NAME_LENGTH = 128
MAX_NAMES = 64


def check_kind(field: str, value: object, kind: type) -> None:
    """Raise FieldError unless ``value`` is a ``kind``."""
    if type(value) is not kind:
        raise FieldError(f"{field} must be a {kind.__name__}, not {type(value).__name__}")


def check_quantity(field: str, value: int) -> None:
    """Raise FieldError unless ``value`` is an integer from 0 to ``MAX_QUANTITY``."""
    if type(value) is not int or not 0 <= value <= MAX_QUANTITY:
        raise FieldError(f"{field} must be an integer from 0 to 10^15")


def check_moment(field: str, value: int) -> None:
    """Raise FieldError unless ``value`` is nanoseconds since 1970 that fit 63 bits."""
    if type(value) is not int or not 0 <= value <= MAX_NS:
        raise FieldError(f"{field} must be an integer from 0 to 2^63 - 1")


def check_name(field: str, value: str) -> None:
    """Raise FieldError unless ``value`` is a text of 1 to 128 printable characters."""
    if type(value) is not str or not 0 < len(value) <= MAX_NAME_LENGTH or not value.isprintable():
        raise FieldError(f"{field} must be a text of 1 to {MAX_NAME_LENGTH} printable characters")


def check_names(field: str, values: tuple[str, ...]) -> None:
    """Raise FieldError unless ``values`` is a tuple of at most 64 distinct names."""
    if type(values) is not tuple or len(values) > MAX_NAMES:
        raise FieldError(f"{field} must be a tuple of at most {MAX_NAMES} names")
    for value in values:
        check_name(field, value)
    if len(set(values)) != len(values):
        raise FieldError(f"{field} has a name twice")


def check_attributes(attributes: Mapping[str, str]) -> None:
    """Raise FieldError unless ``attributes`` is a dict of at most 64 names to names."""
    if type(attributes) is not dict or len(attributes) > MAX_NAMES:
        raise FieldError(f"attributes must be a dict of at most {MAX_NAMES} names")
    for key, value in attributes.items():
        check_name("an attribute", key)
        check_name(f"attribute {key}", value)


def check_decimal(field: str, value: str) -> None:
    """Raise FieldError unless ``value`` is a decimal (``parse_decimal``)."""
    try:
        parse_decimal(value)
    except DecimalError as error:
        raise FieldError(f"{field}: {error}") from error
