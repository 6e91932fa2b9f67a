"""A comparison on several machine classes that shows itself, as ``ABResult`` does."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veperf.abtest import fleet_verdict
from veperf.abtest.fleet_verdict import At, Fleet
from veperf.abtest.result import rows_of
from veperf.archive.storage.location import Location
from veperf.core.ab import ABPlace, ABSide
from veperf.core.verdict import Outcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class FleetResult:
    """One change, compared on each machine class; nothing is averaged over them."""

    sweep: str
    """Its name in the archive."""
    base: ABSide
    new: ABSide
    """As they were asked for."""
    places: tuple[ABPlace, ...]
    """A class each, or a repeat on it, in the order asked for."""
    page_at: Location
    """Where its page is, once all is done."""

    @property
    def outcome(self) -> Outcome:
        """That of the worst place, in one word; where one has no result it is never a pass."""
        return fleet_verdict.outcome(self.places)

    @property
    def sentence(self) -> str:
        """Where it is slower, and what there is to say of each other place, in one sentence."""
        return fleet_verdict.sentence(self.places)

    @property
    def notes(self) -> list[str]:
        """In what the places differ, a sentence each."""
        return fleet_verdict.notes(self.places)

    @property
    def shown(self) -> Fleet:
        """What reports and other formats are made of."""
        each = tuple(At(place, fleet_verdict.outcome_at(place)) for place in self.places)
        notes = tuple(self.notes)
        return Fleet(self.sweep, self.base, self.new, self.outcome, self.sentence, notes, each)

    @property
    def failed(self) -> int:
        """How many places have no result."""
        return sum(place.found is None for place in self.places)

    def exit_code(self, *, strict: bool = False) -> int:
        """What a command ends with."""
        return fleet_verdict.exit_code(self.places, strict=strict)

    def frame(self) -> "pd.DataFrame":
        """One row a benchmark and place; the columns are those of ``ABResult.frame``."""
        import pandas as pd

        rows = [
            {"place": place.name} | row
            for place in self.places
            if place.found is not None
            for row in rows_of(place.found)
        ]
        return pd.DataFrame(rows).set_index(["case", "place"]) if rows else pd.DataFrame()

    def __repr__(self) -> str:
        from veperf.abtest import fleet_page

        return fleet_page.as_text(self.shown)

    def _repr_html_(self) -> str:
        from veperf.abtest import fleet_page

        return fleet_page.as_part(self.shown)

    def _repr_markdown_(self) -> str:
        from veperf.abtest import fleet_page

        return fleet_page.as_comment(self.shown)

    def page(self) -> str:
        """All of it as an HTML page that needs nothing but itself."""
        from veperf.abtest import fleet_page

        return fleet_page.as_page(self.shown)
