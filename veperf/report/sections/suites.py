"""A run suite by suite: what the verdict says of each, and all its cases in a table."""

from collections.abc import Sequence

from veperf.core import number_format
from veperf.core.escape import as_html
from veperf.core.run import Run
from veperf.core.verdict import Baseline, Verdict
from veperf.report import text
from veperf.report.case_history import History
from veperf.report.case_summary import Measured
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment
from veperf.report.html.links import Links
from veperf.report.load_summary import Loaded
from veperf.report.sections.overview import overview
from veperf.report.tables import status
from veperf.verdicts.suite_filter import verdict_of


def section(
    run: Run,
    verdict: Verdict,
    baselines: Sequence[Baseline],
    *,
    timed: Sequence[Measured],
    loads: Sequence[Loaded],
    history: History,
    links: Links,
) -> Fragment:
    """A heading, the verdict and the table of each suite, in the run's order."""
    parts: list[Fragment] = []
    for suite in dict.fromkeys(case.suite for case in run.cases):
        own = verdict_of(suite, run, verdict, baselines)
        mark = status.of_outcome(own.outcome)
        said = number_format.sentence(own.sentence)
        content = overview(
            [one for one in timed if one.case.suite == suite],
            [one for one in loads if one.case.suite == suite],
            own,
            history,
            f"Every case of {suite}",
        )
        parts.append(
            Fragment(
                f"<h3>{markup.link(suite, links.pages.get(suite, ''))} {markup.badge(mark)}</h3>"
                f"<p>{as_html(said)}</p>{markup.table(content, links)}",
                f"{suite}: {mark.word}: {said}\n{text.table(content)}",
            )
        )
    return Fragment("".join(p.html for p in parts), "\n\n".join(p.text for p in parts))
