"""Addresses to which comments and summaries link: the report, and the repository's commits."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from veperf.core.errors import UsageError
from veperf.report.html.links import anchor

# Nothing that could end a link in Markdown, mention anybody, or be taken for markup.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.:-]*(/[\w.~!$&*+,;=:%/?#-]*)?", re.ASCII)
_LONGEST = 500
_LONGEST_CASE = 200


@dataclass(frozen=True, slots=True)
class ReportLinks:
    """Addresses of a report and of commits; empty where they are not known."""

    report: str = ""
    commits: str = ""
    """Beginning of a commit's address, which its hash ends."""
    is_page: bool = False
    """True where ``report`` is a page of veperf's, in which each case has its place."""

    def case(self, case: str) -> str:
        """Return the address of the report on ``case``."""
        if self.is_page and "#" not in self.report and 0 < len(case) <= _LONGEST_CASE:
            return f"{self.report}#{anchor(case)}"
        return self.report


NO_REPORT = ReportLinks()


def find_report_links(report_url: str = "", environ: Mapping[str, str] = os.environ) -> ReportLinks:
    """Return the links of this CI job, on GitHub or GitLab.

    Args:
        report_url: address of the report; that of the job when empty.
        environ: variables of the job.

    Raises:
        UsageError: ``report_url`` is no address of the web.
    """
    if report_url and not _is_address(report_url):
        raise UsageError(
            f"{report_url!r} is no address of a report: give one as https://host/path, without "
            "brackets, quotes, blanks and @"
        )
    server, repository, run = (
        environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    job, commits = environ.get("CI_JOB_URL", ""), ""
    if server and repository:
        commits = f"{server}/{repository}/commit/"
        job = f"{server}/{repository}/actions/runs/{run}" if run else job
    elif project := environ.get("CI_PROJECT_URL", ""):
        commits = f"{project}/-/commit/"
    return ReportLinks(
        report_url or (job if _is_address(job) else ""),
        commits if _is_address(commits) else "",
        is_page=bool(report_url),
    )


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None
