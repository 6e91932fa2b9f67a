"""The documentation's site: every page is in its contents, and it builds strictly."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.docs_site import ROOT, build_docs

MADE = {"index.md", "architecture.md", "contributing.md"}
"""Pages whose text stands outside of docs/; those in reference/ are made of the code."""

SEARCHED = {
    "flaky": "ci.html", "github actions": "ci.html", "exit code": "verdicts.html",
    "inconclusive": "verdicts.html", "noise": "verdicts.html", "flamegraph": "memory.html",
    "leak": "tutorials/find_leak.html", "slurm": "sweeps.html", "gc_pause": "memory.html",
}  # fmt: skip
"""Words that an engineer types, and the page that answers."""


def test_every_page_is_in_the_contents():
    """Once; and nothing else is."""
    listed = re.findall(r": ([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}

    assert sorted(listed) == sorted(set(listed))
    assert pages | MADE == {page for page in listed if not page.startswith("reference/")}


class _Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source") or values.get("rel") in (
            "stylesheet", "preload", "icon", "preconnect",
        )  # fmt: skip
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if loads and address:
            self.addresses.append(address)


@pytest.mark.slow
def test_the_site_is_whole(tmp_path: Path):
    """Commands with their options, functions with their signatures; nothing from elsewhere."""
    site = build_docs(tmp_path)
    commands = (site / "reference" / "commands.html").read_text()
    functions = (site / "reference" / "python.html").read_text()

    for words in ("veperf run", "veperf baseline record", "veperf zk ceremony contribute"):
        assert f'id="{words.replace(" ", "-")}"' in commands
    assert "--min-time" in commands
    assert "Sentinel" not in commands
    assert "<blockquote>" not in functions  # a session in a docstring is a block of code
    for name in ("abtest.run.ab", "api.history.History", "core.options.RunOptions"):
        assert f'id="veperf.{name}"' in functions
    for page in site.rglob("*.html"):
        parser = _Loaded()
        parser.feed(page.read_text())
        assert [] == [address for address in parser.addresses if re.match(r"\w+:|//", address)
                      and not address.startswith("data:")], page  # fmt: skip
    entries = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    texts: dict[str, str] = {}
    for entry in entries:
        location = entry["location"].partition("#")[0]
        texts[location] = f"{texts.get(location, '')} {entry['title']} {entry['text']}".lower()
    for word, location in SEARCHED.items():
        assert word in texts[location]
    listing = [entry for entry in entries if entry["location"].startswith("reference/")]
    assert all(entry["boost"] < 1 for entry in listing)
