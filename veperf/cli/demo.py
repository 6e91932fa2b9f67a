"""``veperf demo``."""

from pathlib import Path

import click

from veperf.cli.options import ExampleCommand, display_path
from veperf.cli.output import echo
from veperf.core import paths


@click.command(
    "demo",
    cls=ExampleCommand,
    examples=[
        "veperf demo                     pages in reports/demo",
        "veperf demo --folder public     pages elsewhere",
    ],
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the pages are written.  [default: reports/demo]",
)
def demo_command(folder: Path | None) -> None:
    """Show a report and the site of an archive, without measuring.

    The runs come with veperf: a few benchmarks at 19 of its commits, two of which have a step and
    a drift that were planted. It takes seconds.
    """
    from veperf.report.demo import make_demo

    demo = make_demo(folder or paths.project_folder() / "reports" / "demo")
    echo(f"report: {display_path(demo.report)}")
    echo(f"site:   {display_path(demo.site)}")
    echo("open them in a browser; `veperf run` measures here, and `veperf report last` judges")
