"""``veperf site``."""

from collections.abc import Sequence
from pathlib import Path

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    known_miss_option,
    shown,
)


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf site                              of the project's reports/",
        "veperf site --archive /srv/performance   of another archive",
    ],
)
@known_miss_option
@archive_option
@baselines_option
def site(known_misses: Sequence[str], archive: str | None, baselines: Path | None) -> None:
    """Make the archive a web site: its runs, each benchmark over time, and what got slower.

    The pages lie in the archive, need no server, and are brought up to date by the next call.
    """
    from veperf.api.reports import site as api_site

    click.echo(f"site: {shown(api_site(archive, baselines, known_misses))}")
