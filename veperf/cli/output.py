"""Text of commands, in a terminal or through a pipe."""

import os
import re
import sys

import click

from veperf.core.terminal import terminal_width, wrap_lines

_MARK = re.compile(r"^( *)([✗▲✓])", re.MULTILINE)
_LONGEST_HELP = 200
_COLOURS = {"✗": "red", "▲": "yellow", "✓": "green"}


def echo(text: str = "", *, err: bool = False) -> None:
    """Print ``text``, in a terminal wrapped between words, never within a command.

    The symbol that a line begins with is coloured there, unless ``NO_COLOR`` is set
    (https://no-color.org).
    """
    stream = sys.stderr if err else sys.stdout
    lines = wrap_lines(text, terminal_width(stream))
    if stream.isatty() and not os.environ.get("NO_COLOR"):
        lines = _MARK.sub(_coloured, lines)
    click.echo(lines, err=err)


class CommandGroup(click.Group):
    """A group whose help has the first sentence of each command whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands."""
        rows = [(n, c.get_short_help_str(_LONGEST_HELP)) for n, c in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _coloured(match: re.Match[str]) -> str:
    return match[1] + click.style(match[2], fg=_COLOURS[match[2]])
