"""Result of a comparison on several machine classes, with its displays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.abtest import fleet_verdict
from veperf.abtest.ab_result import change_rows
from veperf.abtest.fleet_report import fleet_fragment, fleet_html, fleet_markdown, fleet_text
from veperf.abtest.fleet_verdict import Fleet, JudgedPlace
from veperf.archive.storage.location import Location
from veperf.core.ab_records import ABPlace, ABSide
from veperf.core.verdict import Outcome
from veperf.verdicts.verdict import exit_code_of

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

    @property
    def outcome(self) -> Outcome:
        """Outcome of the worst place; never a pass where one has no result."""
        return fleet_verdict.fleet_outcome(self.places)

    @property
    def sentence(self) -> str:
        """Summary sentence: where it is slower, then the other results."""
        return fleet_verdict.fleet_sentence(self.places)

    @property
    def notes(self) -> list[str]:
        """Differences between the places, a sentence each."""
        return fleet_verdict.fleet_notes(self.places)

    @property
    def view(self) -> Fleet:
        """Fleet comparison as reports and other formats take it."""
        each = tuple(
            JudgedPlace(place, fleet_verdict.place_outcome(place)) for place in self.places
        )
        notes = tuple(self.notes)
        return Fleet(self.sweep, self.base, self.new, self.outcome, self.sentence, notes, each)

    @property
    def failed(self) -> int:
        """Number of places without a result."""
        return sum(place.comparison is None for place in self.places)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of ``veperf ab``."""
        return exit_code_of(self.outcome, strict=strict)

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
