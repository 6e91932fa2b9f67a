"""``veperf compare``."""

from pathlib import Path

import click

from veperf.cli.options import ExampleCommand, archive_option


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf compare 20261120-101500 last",
        "veperf compare 20261120-101500 last --markdown >comment.md",
    ],
)
@click.argument("base")
@click.argument("new", default="last")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print markdown.")
@archive_option
@click.pass_context
def compare(
    context: click.Context, base: str, new: str, as_markdown: bool, archive: Path | None
) -> None:
    """Compare the run NEW with the run BASE, benchmark by benchmark.

    Two runs made at different times differ by what happened to the machine in between, too:
    `suspect` is a reason to look closer; `slower` is beyond what such drift explains, and ends
    with exit code 1.
    """
    from veperf import api
    from veperf.errors import FAILED, OK
    from veperf.model import ChangeStatus
    from veperf.report import markdown, text

    found = api.compare(base, new, archive)
    click.echo((markdown if as_markdown else text).changes(found.changes))
    slower = any(change.status is ChangeStatus.SLOWER for change in found.changes)
    context.exit(FAILED if slower else OK)
