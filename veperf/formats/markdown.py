"""Verdicts as GitHub-flavoured Markdown, within what GitHub and GitLab take."""

import re
from collections.abc import Sequence

from veperf.abtest import fleet_page
from veperf.abtest.fleet_verdict import Fleet
from veperf.abtest.page import as_comment
from veperf.core.escape import as_markdown
from veperf.formats.exported_values import Written
from veperf.formats.judged import Judged, JudgedRun
from veperf.report import markdown as report
from veperf.report.sections import identity

MARKER = "<!-- veperf -->"
"""Begins a comment, unseen, so that the next run finds it and writes over it."""

MOST_SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step summary of more than 1 MiB."""
MOST_COMMENT_BYTES = 64_000
"""GitHub refuses a comment of more than 65,536 characters."""

_CUT = "\n\n*There is more than fits here: the report has it all.*\n"
_ENDS = "\n\n</details>"


def write_summary(judged: Sequence[Judged]) -> Written:
    """For a step's summary."""
    return Written(shortened("\n".join(map(_part, judged)), MOST_SUMMARY_BYTES))


def write_comment(judged: Sequence[Judged]) -> Written:
    """For a comment on a pull request, which begins with ``MARKER``."""
    return Written(comment("\n".join(map(_part, judged))))


def comment(body: str) -> str:
    """Any Markdown of ours as a comment that mentions nobody and links to no issue."""
    # A backslash does not stop GitHub from taking @name for a mention and #1 for an issue.
    quiet = re.sub(r"(@|#(?=\d))", "\\1\u200b", body)
    return shortened(f"{MARKER}\n{quiet}", MOST_COMMENT_BYTES)


def shortened(text: str, most_bytes: int) -> str:
    """``text`` in at most ``most_bytes`` of UTF-8, cut after a line, with what is folded closed."""
    data = text.encode()
    if len(data) <= most_bytes:
        return text
    room = most_bytes - len((_ENDS + _CUT).encode())
    kept = data[: data.rfind(b"\n", 0, room + 1) + 1].decode()
    open_end = kept.count("<details>") > kept.count("</details>")
    return kept.rstrip("\n") + (_ENDS if open_end else "") + _CUT


def _part(judged: Judged) -> str:
    if isinstance(judged, JudgedRun):
        which = as_markdown(identity.sentence(judged.run))
        return f"{report.verdict(judged.verdict)}\n{which}\n"
    if isinstance(judged, Fleet):
        return fleet_page.as_comment(judged)
    return as_comment(judged.ab, judged.outcome, judged.sentence)
