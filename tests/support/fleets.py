"""Comparisons on several machine classes as they would have been found."""

from tests.support.ab_runs import ab_run
from veperf.abtest.fleet_result import FleetResult
from veperf.core.ab_records import ABChange, ABPlace, ABSide
from veperf.core.run import Revision


def at(name: str, *changes: ABChange) -> ABPlace:
    """A place where these changes were found."""
    return ABPlace(name, ab_run(*changes))


def lacking(name: str, why: str = "no worker came within 10:00 min") -> ABPlace:
    """A place without a comparison."""
    return ABPlace(name, None, why)


def fleet(*places: ABPlace) -> FleetResult:
    """All of them."""
    base, new = ABSide("v1", Revision("1" * 40)), ABSide("main", Revision("2" * 40))
    return FleetResult(
        "fleet-20261123-120000-abcd", base, new, places, "reports/sweeps/f/index.html"
    )
