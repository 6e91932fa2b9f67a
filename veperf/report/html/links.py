"""The addresses of cases in the pages of a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from veperf.core.case import Case


def anchor(name: str) -> str:
    """Return the id of the element about the case ``name``, as it stands behind a ``#``."""
    return quote(name, safe="/=,")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of cases, relative to the page that holds them."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    """The address of each case, by its id."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """The file of each suite's page."""

    @classmethod
    def to(cls, cases: Iterable[Case], carded: Iterable[str], pages: Mapping[str, str]) -> "Links":
        """Return links to ``cases``, except to those of a suite without a page.

        Cases that are not ``carded`` are linked to the card of their benchmark.
        """
        with_card = frozenset(carded)
        addresses = {
            case.id: f"{pages[case.suite]}#"
            + anchor(case.id if case.id in with_card else case.benchmark)
            for case in cases
            if case.suite in pages
        }
        return cls(addresses, pages)

    def of(self, case: str) -> str:
        """Return the address of ``case``; empty where it has none."""
        return self.addresses.get(case, "")


NO_LINKS = Links()
