"""Names that a shell completes: benchmarks and runs. The shell's part is click's.

A shell asks by starting ``veperf`` with ``_VEPERF_COMPLETE`` in the environment; what fails here
must leave it without an answer, and its line as it is.
"""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from veperf.core.errors import VeperfError

_MOST_RUNS = 50


def complete_benchmarks(
    context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the suites and benchmarks that begin with ``incomplete``, and cases behind a [."""
    from veperf.core.project import project_modules
    from veperf.core.registry import EVERYTHING, select_cases

    try:
        cases = select_cases([EVERYTHING], project_modules(context.params.get("modules", ())))
    except (VeperfError, OSError):
        return []
    if "[" in incomplete:
        return _beginning(incomplete, (case.id for case in cases))
    return _beginning(incomplete, (name for c in cases for name in (c.suite, c.benchmark)))


def complete_runs(
    context: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return ``last`` and the runs of the archive that begin with ``incomplete``, 50 at most."""
    from veperf.archive.store import open_archive

    try:
        ids = open_archive(context.params.get("archive")).ids()
    except (VeperfError, OSError):
        return []
    return _beginning(incomplete, ["last", *reversed(ids)])[:_MOST_RUNS]


def complete_runs_and_files(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return runs as ``complete_runs``, and have the shell add files."""
    return [*complete_runs(context, param, incomplete), CompletionItem(incomplete, type="file")]


def _beginning(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(n) for n in dict.fromkeys(names) if n.startswith(incomplete)]
