"""Addresses of commits in the web pages of a repository, by a template with ``{commit}``."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from veperf.core.errors import UsageError

_HOLE = "{commit}"
# Nothing that could leave an attribute, and neither a user nor a password.
_TEMPLATE = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?/[\w.~!$&*+,;=:%/?#-]*"
    r"\{commit\}[\w.~!$&*+,;=:%/?#-]*",
    re.ASCII,
)
_LONGEST = 500
_HASH = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
# As git's remotes name them: https://host/path, ssh://git@host/path, git@host:path.
_REMOTE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/\s]*@)?(?P<host>[\w.-]+)(?::\d+)?/"
    r"|(?:[\w.-]+@)?(?P<short>[\w.-]+):(?!//))(?P<path>[\w.~/-]+?)(?:\.git)?/?",
    re.ASCII,
)
_PAGES = {
    "github.com": "/commit/",
    "gitlab.com": "/-/commit/",
    "codeberg.org": "/commit/",
    "bitbucket.org": "/commits/",
}
"""Hosts whose addresses of commits are known: what stands between the repository and the hash."""


@dataclass(frozen=True, slots=True)
class CommitLinks:
    """Addresses of commits, and of what lies between two; none without a template."""

    template: str = ""

    def of(self, commit: str) -> str:
        """Return the address of a commit; empty where it has none."""
        known = self.template and _HASH.fullmatch(commit)
        return self.template.replace(_HOLE, commit) if known else ""

    def between(self, old: str, new: str) -> str:
        """Return the address of the commits after ``old``, up to ``new``; else that of ``new``.

        GitHub, GitLab, Gitea and Forgejo have a page for that beside each ``commit/{commit}``.
        """
        start, end = f"commit/{_HOLE}", f"compare/{old}...{new}"
        if self.of(old) and self.of(new) and self.template.endswith(f"/{start}"):
            return self.template.removesuffix(start) + end
        return self.of(new)


NO_COMMITS = CommitLinks()


def parse_commit_url(template: str) -> CommitLinks:
    """Return the links by a template such as ``https://host/owner/name/commit/{commit}``.

    Raises:
        UsageError: it is no address of the web with one ``{commit}`` in its path.
    """
    if not template:
        return NO_COMMITS
    is_known = len(template) <= _LONGEST and _TEMPLATE.fullmatch(template) is not None
    if not is_known or template.count(_HOLE) != 1:
        raise UsageError(
            f"{template[:100]!r} is no address of commits: give one as "
            "https://host/owner/name/commit/{commit}, without a user, quotes, brackets and blanks"
        )
    return CommitLinks(template)


def remote_commit_links(remote: str) -> CommitLinks:
    """Return the links for a remote of git on a host whose addresses are known; else none.

    Whatever else is in the remote's address, such as a token, is in no link.
    """
    match = _REMOTE.fullmatch(remote)
    host = (match["host"] or match["short"]).lower() if match else ""
    if match is None or host not in _PAGES:
        return NO_COMMITS
    path = match["path"].strip("/")
    template = f"https://{host}/{path}{_PAGES[host]}{_HOLE}"
    is_repository = "/" in path and ".." not in path.split("/")
    is_whole = is_repository and _TEMPLATE.fullmatch(template) and urlsplit(template).netloc == host
    return CommitLinks(template) if is_whole else NO_COMMITS
