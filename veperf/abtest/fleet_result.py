"""Result of a comparison on several machine classes, with its displays."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from veperf.abtest import fleet_verdict
from veperf.abtest.ab_result import change_rows
from veperf.abtest.fleet_report import fleet_fragment, fleet_html, fleet_markdown, fleet_text
from veperf.abtest.fleet_verdict import Fleet
from veperf.archive.storage.location import Location
from veperf.core.ab_records import ABPlace, ABSide
from veperf.core.gate import GateDecision
from veperf.core.policy import GatePolicy, find_policy
from veperf.verdicts.gate import decide

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class FleetResult:
    """Comparison of a change on each machine class; nothing is averaged over them."""

    sweep: str
    """Name of the sweep in the archive."""
    base: ABSide
    new: ABSide
    """Sides as requested."""
    places: tuple[ABPlace, ...]
    """Machine classes, or repeats on one, in the order requested."""
    page_at: Location
    """Location of the page, written once all are done."""
    policy: GatePolicy = field(default_factory=find_policy)
    """Policy of its gate; that of the project when not given."""

    @property
    def decision(self) -> GateDecision:
        """Decision of the gate: the worst place decides, and one without a result never passes."""
        return fleet_verdict.decide_fleet(self.places, self.policy)

    @property
    def notes(self) -> list[str]:
        """Differences between the places, a sentence each."""
        return fleet_verdict.fleet_notes(self.places)

    @property
    def view(self) -> Fleet:
        """Fleet comparison as reports and other formats take it."""
        places = fleet_verdict.judge_places(self.places, self.policy)
        return Fleet(self.sweep, self.base, self.new, self.decision, tuple(self.notes), places)

    @property
    def failed(self) -> int:
        """Number of places without a result."""
        return sum(place.comparison is None for place in self.places)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of ``veperf ab``; 4 where one was cut short, strict or not."""
        return decide(self.decision.items, strict=strict or self.policy.strict).exit_code

    def frame(self) -> "pd.DataFrame":
        """Return a row a benchmark and place, with the columns of ``ABResult.frame``."""
        import pandas as pd

        rows = [
            {"place": place.name} | row
            for place in self.places
            if place.comparison is not None
            for row in change_rows(place.comparison)
        ]
        return pd.DataFrame(rows).set_index(["case", "place"]) if rows else pd.DataFrame()

    def __repr__(self) -> str:
        return fleet_text(self.view)

    def _repr_html_(self) -> str:
        return fleet_fragment(self.view)

    def _repr_markdown_(self) -> str:
        return fleet_markdown(self.view)

    def page(self) -> str:
        """Return an HTML page without external files."""
        return fleet_html(self.view)
