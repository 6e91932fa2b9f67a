"""DataFrames that are shown as tables of a report.

Imports pandas: import this module only where a DataFrame is wanted.
"""

from collections.abc import Iterable

import pandas as pd

from veperf.core.case import Case
from veperf.core.text import plural
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.tables import listings


class RenderedFrame(pd.DataFrame):
    """A DataFrame that is shown as ``fragment``; frames derived from it are plain ones."""

    def __init__(self, frame: pd.DataFrame, fragment: Fragment) -> None:
        super().__init__(frame)  # type: ignore[call-arg]  # the stubs know only __new__
        # pandas takes attributes for columns, so its __setattr__ is bypassed.
        object.__setattr__(self, "_fragment", fragment)

    def __repr__(self) -> str:
        return repr(self._fragment)

    def _repr_html_(self) -> str:
        html: str = self._fragment._repr_html_()
        return html


def benchmarks_frame(cases: Iterable[Case]) -> RenderedFrame:
    """Return a frame with a row for each case, shown suite by suite, each folded."""
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    rows = [
        {"id": c.id, "level": c.level.value, "what": c.what, "targets": [*c.targets.values()]}
        for group in suites.values()
        for c in group
    ]
    frame = pd.DataFrame(rows, columns=["id", "level", "what", "targets"]).set_index("id")
    html = "".join(
        markup.folded(
            f"{suite}: {plural(len(group), 'case')}",
            markup.html_table(listings.benchmarks_table(group)),
        )
        for suite, group in suites.items()
    )
    every = [case for group in suites.values() for case in group]
    return RenderedFrame(frame, Fragment(html, listings.benchmarks_text(every)))
