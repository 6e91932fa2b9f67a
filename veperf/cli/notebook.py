"""The command line in notebooks: ``%veperf``, and names of benchmarks and runs that Tab completes.

``%veperf run transaction`` is ``veperf run transaction`` in this kernel, by the same command and
options. In the line, and in calls such as ``veperf.load("``, Tab offers what a shell offers.
"""

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click
from click.shell_completion import CompletionItem, ShellComplete

from veperf.cli.completion import complete_benchmarks, complete_runs
from veperf.cli.main import veperf
from veperf.core.errors import UsageError
from veperf.jupyter.magics import error_of_the_cell, register_cell_magics

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

_Kind = Literal["benchmark", "run", ""]

_NOT_HERE = {
    "lab": "this is a notebook already",
    "serve": "it serves until it is stopped: run it in a terminal",
}
"""Commands that are none for a notebook, and why."""
_LINE = re.compile(r"\s*%veperf(?:\s+(.*))?$", re.DOTALL)
_CALL = re.compile(r"\bveperf\.([\w.]+)\(((?:[^()\"']|\"[^\"]*\"|'[^']*')*)([\"'])([^\"']*)$")
_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
_KEYWORD = re.compile(r"(\w+)\s*=\s*[\[(]?\s*$")
_POSITIONS: dict[str, Sequence[_Kind]] = {
    "run": ("benchmark",),
    "benchmarks": ("benchmark",),
    "selfcheck": ("benchmark",),
    "run_load": ("benchmark", ""),
    "soak": ("benchmark", ""),
    "history": ("benchmark", ""),
    "cpu.profile": ("benchmark", ""),
    "memory.profile": ("benchmark", ""),
    "investigate": ("benchmark", "run", ""),
    "ab": ("", "benchmark"),
    "ab_fleet": ("", "benchmark"),
    "explore": ("run",),
    "load": ("run", ""),
    "resume": ("run", ""),
    "compare": ("run", "run", ""),
    "export": ("run", ""),
}
"""Kind of name that a function takes at each position; the last holds for all that follow."""
_KEYWORDS: dict[str, _Kind] = {"benchmark": "benchmark", "run": "run", "base": "run", "new": "run"}


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Add magics and completion to ``shell``; ``%load_ext veperf`` calls it."""
    from IPython.core.completer import context_matcher

    register_cell_magics(shell)
    # IPython's types expect a method.
    shell.register_magic_function(run_line, "line", "veperf")  # type: ignore[arg-type]
    completer = shell.Completer
    matcher = context_matcher()(match_names)
    matcher.matcher_identifier = "veperf"  # how IPython tells it apart
    completer.custom_matchers[:] = [
        *(m for m in completer.custom_matchers if getattr(m, "matcher_identifier", "") != "veperf"),
        matcher,
    ]


def run_line(line: str) -> None:
    """Run a command of veperf: ``%veperf run transaction --profile quick``.

    All commands and options of the command line are there, and ``%veperf --help`` lists them::

        %veperf list 'transaction/state*'
        %veperf run transaction/hash_compute --processes 10
        %veperf compare 20261120 last
        %veperf history transaction/hash_compute

    Raises:
        UsageError: it is no such command, or none for a notebook.
        VeperfError: as the command.
    """
    with error_of_the_cell():
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"{line.strip()!r} can't be split into words: {error}") from None
        if words and words[0] in _NOT_HERE:
            raise UsageError(f"veperf {words[0]}: {_NOT_HERE[words[0]]}")
        try:
            code = veperf.main(words or ["--help"], prog_name="%veperf", standalone_mode=False)
        except click.ClickException as error:
            raise UsageError(error.format_message()) from None
        except click.Abort:
            raise KeyboardInterrupt from None
        if code:  # of the gate; a command that ends well returns nothing, or 0
            click.echo(f"exit code {code}")


def match_names(context: "CompletionContext") -> "SimpleMatcherResult":
    """Return the names that fit before the cursor: in ``%veperf``, or a text in a call."""
    from IPython.core.completer import SimpleCompletion

    fragment, names = _names(context.text_until_cursor)
    return {
        "completions": [SimpleCompletion(name, type="veperf") for name in names],
        "matched_fragment": fragment,
        "suppress": bool(names),  # names of files, and words of the notebook
        "ordered": True,
    }


def _names(text: str) -> tuple[str, list[str]]:
    """Return what is to be completed at the end of a line of code, and by which names."""
    if line := _LINE.match(text):
        *before, incomplete = re.split(r"\s+", line[1] or "")
        incomplete = incomplete.lstrip("'\"")  # what is in front of a name stays there
        return incomplete, [item.value for item in _of_command(before, incomplete)]
    if call := _CALL.search(text):
        function, arguments, _, incomplete = call.groups()
        kind = _kind(function, arguments)
        if kind:
            complete = complete_benchmarks if kind == "benchmark" else complete_runs
            parameter = click.Argument(["name"])
            items = complete(click.Context(veperf), parameter, incomplete)
            return incomplete, [item.value for item in items]
    return "", []


def _of_command(before: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Return what click completes in a command line: commands, options, and names."""
    items = ShellComplete(veperf, {}, "veperf", "_VEPERF_COMPLETE").get_completions(
        [word.strip("'\"") for word in before], incomplete
    )
    # Files and folders are IPython's to complete.
    return [item for item in items if item.type == "plain"]


def _kind(function: str, arguments: str) -> _Kind:
    """Return the kind of name that a function takes at the end of ``arguments``."""
    if keyword := _KEYWORD.search(arguments):
        return _KEYWORDS.get(keyword[1], "")
    positions = _POSITIONS.get(function, ("",))
    place = _TEXT.sub("", arguments).count(",")
    return positions[min(place, len(positions) - 1)]
