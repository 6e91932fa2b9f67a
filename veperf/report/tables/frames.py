"""DataFrames that show themselves as tables of ours.

Imports pandas: import this module only where a DataFrame is wanted.
"""

from collections.abc import Iterable

import pandas as pd

from veperf.core import number_format
from veperf.core.case import Case
from veperf.report import text
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.tables import listings


class ShownFrame(pd.DataFrame):
    """A DataFrame that shows itself as ``shown``; what is made of it is a plain one."""

    def __init__(self, frame: pd.DataFrame, shown: Fragment) -> None:
        super().__init__(frame)  # type: ignore[call-arg]  # the stubs know only __new__
        # Past pandas, which takes attributes for columns.
        object.__setattr__(self, "_shown", shown)

    def __repr__(self) -> str:
        return repr(self._shown)

    def _repr_html_(self) -> str:
        html: str = self._shown._repr_html_()
        return html


def benchmarks(cases: Iterable[Case]) -> ShownFrame:
    """One row a case, shown suite by suite, each folded."""
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    rows = [
        {"id": c.id, "level": c.level.value, "what": c.what, "targets": [*c.targets.values()]}
        for own in suites.values()
        for c in own
    ]
    frame = pd.DataFrame(rows, columns=["id", "level", "what", "targets"]).set_index("id")
    html = "".join(
        markup.folded(
            f"{suite}: {number_format.count(len(own), 'case')}",
            markup.table(listings.benchmarks(own)),
        )
        for suite, own in suites.items()
    )
    every = [case for own in suites.values() for case in own]
    return ShownFrame(frame, Fragment(html, text.table(listings.benchmarks(every))))
