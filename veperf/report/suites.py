"""A run suite by suite: what the verdict says of each, and all its cases in a table."""

from collections.abc import Sequence

from veperf.judge.part import verdict_of
from veperf.model import Baseline, Run, Verdict
from veperf.report import markup, status, text, words
from veperf.report.escape import as_html
from veperf.report.fragment import Fragment
from veperf.report.history import History
from veperf.report.links import Links
from veperf.report.load.found import Loaded
from veperf.report.overview import overview
from veperf.report.summary import Measured


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
        said = words.sentence(own.sentence)
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
