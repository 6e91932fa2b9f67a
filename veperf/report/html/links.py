"""Where on which page a case is shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from veperf.core.case import Case


def anchor(name: str) -> str:
    """The id of the element about ``name``, a case: what a browser finds behind a ``#``."""
    return quote(name, safe="/=,")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of cases, relative to the page that holds them."""

    carded: frozenset[str] = frozenset()
    """Cases with a card of their own; the others are found at their benchmark's."""
    suites: Mapping[str, str] = field(default_factory=dict)
    """The suite of each case, by its id."""
    benchmarks: Mapping[str, str] = field(default_factory=dict)
    """The benchmark of each case, by its id."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """The file of each suite's page."""

    @classmethod
    def to(cls, cases: Iterable[Case], carded: Iterable[str], pages: Mapping[str, str]) -> "Links":
        """Links to ``cases``; where ``pages`` lacks a suite there are none."""
        known = list(cases)
        return cls(
            frozenset(carded),
            {case.id: case.suite for case in known},
            {case.id: case.benchmark for case in known},
            pages,
        )

    def of(self, case: str) -> str:
        """The address of ``case``; empty where it has none."""
        page = self.pages.get(self.suites.get(case, ""))
        if page is None:
            return ""
        return f"{page}#{anchor(case if case in self.carded else self.benchmarks[case])}"


NO_LINKS = Links()
