"""When and where a run was made, in the forms that several formats want."""

from datetime import UTC, datetime

from veperf.model import Machine
from veperf.writers.figures import safe


def moment(iso: str) -> datetime | None:
    """An ISO 8601 time in UTC; None for what is none, as in a run from elsewhere."""
    try:
        when = datetime.fromisoformat(iso)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def python(machine: Machine) -> tuple[str, str]:
    """Implementation and version: ``CPython 3.11.7`` is CPython, 3.11.7; either may be empty."""
    implementation, _, version = safe(machine.python).rpartition(" ")
    return implementation, version
