"""``veperf init``: the files of a project that is to be measured."""

import os
from pathlib import Path

import click

from veperf.archive.files import read_inside, require_way_inside, write_inside
from veperf.cli.options import ExampleCommand
from veperf.cli.output import echo
from veperf.core.errors import DataError, UsageError
from veperf.core.project import FILE, find_project

_STARTER = Path(__file__).parent / "starter"
_MODULE, _BASELINES = "veperf_benchmarks", "data/baselines"
_TARGETS = f"{_BASELINES}/targets.json"
# By the name of its copy; the settings come last, so that a folder that has them has all of them.
_WORKFLOWS = ".github/workflows"
_FILES = {
    f"{_MODULE}.py": "veperf_benchmarks.py",
    _TARGETS: "targets.json",
    f"{_WORKFLOWS}/performance.yml": "performance.yml",
    FILE: "veperf.toml",
}
_GO_FILES = {
    f"{_WORKFLOWS}/performance.yml": "go/performance.yml",
    f"{_WORKFLOWS}/performance-comment.yml": "go/performance-comment.yml",
    FILE: "go/veperf.toml",
}
_IGNORE = ".gitignore"
_IGNORED = "reports/"


@click.command(
    "init",
    cls=ExampleCommand,
    examples=[
        "veperf init                     with a Python benchmark to begin with",
        "veperf init --go                for the benchmarks of a Go repository",
    ],
)
@click.option("--go", "is_go", is_flag=True, help="Workflows and settings that gate Go benchmarks.")
def init_command(is_go: bool) -> None:
    """Make the current folder a project: a benchmark, its target, a workflow, settings.

    With --go, nothing of Python: a workflow that compares the Go benchmarks of each pull request
    with those of the code that it started from, one that posts the comment, and settings.

    No file is written over, and settings in pyproject.toml stay the ones that count. What an
    earlier `veperf init` was stopped at is completed.
    """
    root = Path.cwd()
    if (project := find_project()).root != root.resolve():
        raise UsageError(
            f"{root} is in the project {project.root}; run `veperf init` there, where GitHub looks "
            "for workflows, or `git init` first if it is to be one of its own"
        )
    sources = _GO_FILES if is_go else _FILES
    contents = {name: (_STARTER / source).read_bytes() for name, source in sources.items()}
    settings = project.file.name if project.file else FILE
    if settings != FILE:
        del contents[FILE]
    missing = {name: data for name, data in contents.items() if not _is_there(root, name, data)}
    if not os.path.lexists(root / _IGNORE):
        missing = {_IGNORE: f"{_IGNORED}\n".encode()} | missing
    is_ignored = _IGNORE in missing or _is_ignored(root)
    for name in missing:
        require_way_inside(root, name)
    for name, data in missing.items():
        write_inside(root, name, data)
        echo(f"wrote {name}")
    if not missing:
        echo("everything is there already: nothing was written")
    if settings != FILE:
        echo(f"the settings are those in {settings}, so no {FILE} was written")
        if not is_go and _MODULE not in project.options.modules:
            echo(f"add {_MODULE!r} to the modules in its [tool.veperf]")
        if not is_go and project.baselines.resolve() != (root / _BASELINES).resolve():
            echo(f"its baselines are in {project.options.baselines}: move {_TARGETS} there")
    if not is_ignored:
        echo(f"add the line {_IGNORED} to {_IGNORE}: runs and reports need no commit")
    if is_go:
        echo("`veperf ab --go ./... HEAD` compares what is not committed yet")
    else:
        echo("`veperf run` measures, `veperf report last` shows it")


def _is_there(root: Path, name: str, data: bytes) -> bool:
    """Return whether the file ``name`` is there with this content.

    Raises:
        UsageError: it has another one.
        CorruptFileError: it can't be read, or is a link.
    """
    if not os.path.lexists(root / name):
        return False
    if read_inside(root, name) != data:
        raise UsageError(f"{name} is there already, and nothing was written: move it away first")
    return True


def _is_ignored(root: Path) -> bool:
    """Return whether .gitignore has the line for runs and reports, in a usual spelling."""
    try:
        lines = read_inside(root, _IGNORE).decode(errors="replace").splitlines()
    except DataError:  # git reads no link either
        return False
    return bool({"reports", "/reports"} & {line.strip().rstrip("/") for line in lines})
