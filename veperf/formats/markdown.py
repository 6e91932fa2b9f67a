"""Verdicts as GitHub-flavoured Markdown, within the size limits of GitHub and GitLab."""

import re
from collections.abc import Sequence

from veperf.abtest import fleet_report
from veperf.abtest.comparison_report import comparison_markdown
from veperf.abtest.fleet_verdict import Fleet
from veperf.core.escape import as_markdown
from veperf.formats.exported import ExportedFile, Judged, JudgedRun
from veperf.report import rendering as report
from veperf.report.sections import identity

MARKER = "<!-- veperf -->"
"""Invisible first line of a comment, by which the next run finds and replaces it."""

MOST_SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step summary of more than 1 MiB."""
MOST_COMMENT_BYTES = 64_000
"""GitHub refuses a comment of more than 65,536 characters."""

_CUT = "\n\n*Cut to fit the size limit: the report has everything.*\n"
_ENDS = "\n\n</details>"


def write_markdown_summary(judged: Sequence[Judged]) -> ExportedFile:
    """Write the verdicts for a step's summary."""
    return ExportedFile(shorten_markdown("\n".join(map(_markdown_of, judged)), MOST_SUMMARY_BYTES))


def write_markdown_comment(judged: Sequence[Judged]) -> ExportedFile:
    """Write the verdicts for a comment on a pull request, beginning with ``MARKER``."""
    return ExportedFile(as_pull_request_comment("\n".join(map(_markdown_of, judged))))


def as_pull_request_comment(body: str) -> str:
    """Return Markdown as a comment that mentions nobody and links to no issue."""
    # A backslash does not stop GitHub from taking @name for a mention and #1 for an issue.
    quiet = re.sub(r"(@|#(?=\d))", "\\1\u200b", body)
    return shorten_markdown(f"{MARKER}\n{quiet}", MOST_COMMENT_BYTES)


def shorten_markdown(text: str, most_bytes: int) -> str:
    """Cut ``text`` to ``most_bytes`` of UTF-8, after a line, and close open ``<details>``."""
    data = text.encode()
    if len(data) <= most_bytes:
        return text
    room = most_bytes - len((_ENDS + _CUT).encode())
    text_kept = data[: data.rfind(b"\n", 0, room + 1) + 1].decode()
    open_end = text_kept.count("<details>") > text_kept.count("</details>")
    return text_kept.rstrip("\n") + (_ENDS if open_end else "") + _CUT


def _markdown_of(judged: Judged) -> str:
    if isinstance(judged, JudgedRun):
        which = as_markdown(identity.run_sentence(judged.run))
        return f"{report.verdict_markdown(judged.verdict)}\n{which}\n"
    if isinstance(judged, Fleet):
        return fleet_report.fleet_markdown(judged)
    return comparison_markdown(judged.ab, judged.outcome, judged.sentence)
