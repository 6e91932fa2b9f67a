"""Addresses of commits: by templates that nobody can misuse, and by remotes of known hosts."""

import pytest

from veperf.core.errors import UsageError
from veperf.report.commit_links import NO_COMMITS, parse_commit_url, remote_commit_links

COMMIT, EARLIER = "97e009a700" * 4, "5b9caa3bb7" * 4


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({commit})",
        "https://host/{commit}\" onclick='x'",
        "https://host/<b>{commit}",
        "https://user:secret@host/commit/{commit}",
        "https://host/commit/",
        "https://host/{commit}/{commit}",
        "https://{commit}/path",
        "//host/{commit}",
        "https://host/ {commit}",
        "https://host/commit/{commit}\n",
        "data:text/html,{commit}",
        "https://host/" + "a" * 500 + "{commit}",
    ],
)
def test_hostile_templates_are_refused(template: str):
    """As is whatever else is no address of the web with one place for a commit."""
    with pytest.raises(UsageError, match="commit"):
        parse_commit_url(template)


def test_commits_are_linked_only_where_they_are_hashes():
    """A run from elsewhere may call anything its commit."""
    links = parse_commit_url("https://git.example.org/shop/commit/{commit}")

    assert f"https://git.example.org/shop/commit/{COMMIT}" == links.of(COMMIT)
    assert ["", "", ""] == [links.of(text) for text in ("", "main", f'{COMMIT}"')]
    assert "" == NO_COMMITS.of(COMMIT) == parse_commit_url("").of(COMMIT)


def test_what_lies_between_two_commits_has_a_page_of_its_own():
    """On hosts whose addresses of commits end as GitHub's do; else it is the later one's."""
    github = parse_commit_url("https://git.example.org/shop/commit/{commit}")
    other = parse_commit_url("https://git.example.org/?p=shop;h={commit}")

    expected = f"https://git.example.org/shop/compare/{EARLIER}...{COMMIT}"
    assert expected == github.between(EARLIER, COMMIT)
    assert other.of(COMMIT) == other.between(EARLIER, COMMIT)


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("https://github.com/owner/name.git", "https://github.com/owner/name/commit/"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name/commit/"),
        ("ssh://git@gitlab.com/a/b/name", "https://gitlab.com/a/b/name/-/commit/"),
        ("https://bot:token@codeberg.org/owner/name/", "https://codeberg.org/owner/name/commit/"),
        ("https://bitbucket.org/owner/name", "https://bitbucket.org/owner/name/commits/"),
    ],
)
def test_remotes_of_known_hosts_lead_to_their_pages(remote: str, expected: str):
    """Without the user and the token that a remote may hold."""
    assert expected + COMMIT == remote_commit_links(remote).of(COMMIT)


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/name.git",
        "../name",
        "https://git.example.org/owner/name",
        "https://github.com.example.org/owner/name",
        "https://github.com/owner/../name",
        "https://github.com/owner",
        "git@github.com:owner/na<me",
        "https://evil@example.org#github.com/owner/name",
    ],
)
def test_other_remotes_lead_nowhere(remote: str):
    """A host that nobody knows, or a path that no repository has."""
    assert NO_COMMITS == remote_commit_links(remote)
