"""What the documentation's site shows beside docs/*.md, added while mkdocs builds it.

README, ARCHITECTURE.md and CONTRIBUTING.md are pages, with their links turned; so are the commands
and the Python functions, made from the code; the example report and site are copied beside the
gallery. A link to any other file of the repository leads to GitHub.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
OUTSIDE = {
    "index.md": "README.md",
    "architecture.md": "ARCHITECTURE.md",
    "contributing.md": "CONTRIBUTING.md",
}
"""Pages of the site whose text stands in the root of the repository."""
EXAMPLE = "reports/example"
_LISTS = {"reference", "formats.md", "contributing.md", "architecture.md", "index.md"}
"""Pages that name nearly everything: in a search, pages about one thing come before them."""
_LIST_BOOST = 0.05
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)#\s]*)(#[^)\s]*)?\)")
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_OUTSIDE_PAGES = {source: page for page, source in OUTSIDE.items()}


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that stand elsewhere, are made of the code, or are the example's."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    for page, source in OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    files.append(File.generated(config, "reference/commands.md", content="\n".join(_commands())))
    files.append(File.generated(config, "reference/python.md", content="\n".join(_functions())))
    for path in sorted((ROOT / EXAMPLE).rglob("*.html")):
        name = f"example/{path.relative_to(ROOT / EXAMPLE).as_posix()}"
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the links of a page, but for those in its code."""
    source = OUTSIDE.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def turned(match: "re.Match[str]") -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = normpath(f"{source.rpartition('/')[0]}/{target}".lstrip("/"))
        place = _place(path, files)
        if place is None:
            return f"{text}({config.extra['repository']}/blob/main/{path}{anchor})"
        up = "../" * page.file.src_uri.count("/")
        return f"{text}({up}{place}{anchor})"

    folder = page.file.src_uri.partition("/")[0]
    page.meta["search"] = {"boost": _LIST_BOOST if folder in _LISTS else 1}
    if page.file.src_uri == "gallery.md":
        markdown += "".join(_runs(files))
    parts = _FENCE.split(markdown)
    return "".join(p if p.startswith("```") else _LINK.sub(turned, p) for p in parts)


def on_page_content(html: str, **_: object) -> str:
    """Take away what mkdocs-click writes for options without a default."""
    return html.replace("<code>Sentinel.UNSET</code>", "")


def _runs(files: Files) -> Iterator[str]:
    """Yield a line for each run of the example that has a report."""
    for file in sorted(files.src_uris):
        if match := re.fullmatch(r"example/(\d{8}-[^/]+)/index\.html", file):
            yield f"- [The report of run {match[1]}](../reports/{file})\n"


def _place(path: str, files: Files) -> str | None:
    """Return the file of the site that has a file of the repository; None where none has."""
    place = _OUTSIDE_PAGES.get(path, path)
    if place.startswith("docs/"):
        place = place.removeprefix("docs/")
    elif place.startswith(f"{EXAMPLE}/"):
        place = f"example/{place.removeprefix(EXAMPLE + '/')}"
    elif place not in OUTSIDE:
        return None
    return place if files.get_file_from_path(place) else None


def _commands() -> Iterator[str]:
    """Yield the page of the commands: usage, options and examples of each, by task."""
    from veperf.cli.main import TASKS

    yield "# Commands\n"
    yield "What `--help` says, by task. [The terminal](../terminal.md) has what holds for all.\n"
    for task, commands in TASKS.items():
        yield f"## {task}\n"
        for command in commands:
            yield from _command(command, f"veperf {command.name}")


def _command(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        yield f"### {name}\n\n{inspect.cleandoc(command.help or '')}\n"
        for inner in command.commands.values():
            yield from _command(inner, f"{name} {inner.name}")
        return
    assert command.callback is not None, "a command has a function"
    module = sys.modules[inspect.unwrap(command.callback).__module__]
    (attribute, *_) = [key for key, value in vars(module).items() if value is command]
    yield f"::: mkdocs-click\n    :module: {module.__name__}\n    :command: {attribute}"
    yield f"    :prog_name: {name}\n    :depth: 2\n    :style: table\n"
    if examples := getattr(command, "examples", ()):
        yield "**Examples:**\n\n```text"
        yield from examples
        yield "```\n"


def _functions() -> Iterator[str]:
    """Yield the page of all that `import veperf` offers."""
    import veperf

    yield "# Python\n"
    yield "What `import veperf` offers. Each option of a command is a keyword of its function.\n"
    groups: dict[str, list[str]] = {"Functions": [], "Results": [], "Options": []}
    for name in sorted(vars(veperf)["__all__"]):
        value = getattr(veperf, name)
        if inspect.isclass(value):
            groups["Options" if name.endswith("Options") else "Results"].append(name)
        elif callable(value):
            groups["Functions"].append(name)
    for title, names in groups.items():
        yield f"## {title}\n"
        for name in names:
            value = getattr(veperf, name)
            yield f"::: {value.__module__}.{value.__qualname__}\n"
