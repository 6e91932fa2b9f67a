"""A piece of a report that shows itself, in JupyterLab and in a terminal."""

from dataclasses import dataclass

from veperf.report.html.style import standalone


@dataclass(frozen=True, slots=True, repr=False)
class Fragment:
    """The same in HTML, for a page, and in plain text, for a console."""

    html: str
    """Safe to put into a page: whatever came from elsewhere is escaped."""
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return standalone(self.html)
