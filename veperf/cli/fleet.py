"""The part of ``veperf ab`` that compares on the workers of a cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from veperf.cli.options import duration, shown
from veperf.cli.step_summary import append

if TYPE_CHECKING:
    from veperf.cluster.sweep import Result

scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Of dask: tcp://host:8786 or tls://..."
)
wait_option = click.option(
    "--wait",
    "wait_s",
    callback=duration,
    default="10m",
    show_default=True,
    metavar="TIME",
    help="For workers of a machine class that has none, when nothing else is left to do.",
)
_machine_class = click.option(
    "--machine-class",
    "machine_classes",
    multiple=True,
    metavar="NAME",
    help="Compare on a worker of this class; needs --scheduler. Can be repeated.",
)

_Command = TypeVar("_Command", bound=Callable[..., object])


def fleet_options(command: _Command) -> _Command:
    """Where to compare, if not here."""
    return scheduler_option(_machine_class(wait_option(command)))


def tell_sweep(found: "Result", archive: str | None, summary: Path | None) -> None:
    """Print what came of a sweep in ``archive`` and how to go on; append it to a step's summary."""
    from veperf.abtest.fleet import FleetResult
    from veperf.archive.cli_hints import command

    click.echo(repr(found))
    if isinstance(found, FleetResult):
        click.echo(f"\npage: {shown(found.page_at)}")
    if found.failed:
        how = command("sweep", "--resume", found.sweep, archive=archive)
        click.echo(f"\n{how} goes on with what is missing")
    if summary is not None:
        append(summary, found._repr_markdown_().encode())
