"""``veperf soak``."""

from pathlib import Path

import click

from veperf.cli.load import INTERRUPTED, parameters
from veperf.cli.options import ExampleCommand, modules_option, params_option, rate_option, shown
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf soak --minutes 60                          transfers for an hour",
        "veperf soak verification/load --minutes 30        identity verifications",
        "veperf soak --rate 500 --json soak.json           slowly, and keep what was seen",
        "veperf soak mine/load --module mine.benchmarks    a load of your own",
    ],
)
@click.argument("benchmark", default="transaction/load")
@click.option("--minutes", type=float, default=10.0, show_default=True, help="How long.")
@rate_option
@params_option
@click.option("--seed", type=int, default=1, show_default=True, help="Of the arrivals.")
@click.option("--strict", is_flag=True, help="End with 4 where no leak can be ruled out.")
@click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all that was seen to a file.",
)
@modules_option
@click.pass_context
def soak(
    context: click.Context,
    benchmark: str,
    minutes: float,
    rate: str | None,
    params: tuple[str, ...],
    seed: int,
    strict: bool,
    output: Path | None,
    modules: tuple[str, ...],
) -> None:
    """Put a load on a system for minutes or hours, and judge its memory: leaks and limits.

    The first 20 % of the time count as warm-up. Of the process that the system runs in; workers
    that it starts are not watched. What it takes to watch does not grow with the time.

    Ends with 1 where a leak is suspected or a limit of targets.json was passed, with 3 where the
    load could not be offered as planned. Ctrl-C ends the load and judges what there is.
    """
    from veperf.archive.files import write
    from veperf.profiling.memory.leak import LeakStatus
    from veperf.runner.soak import soak as run_soak

    result = run_soak(
        benchmark,
        parameters(params if rate is None else [*params, f"rate={rate}"]),
        minutes=minutes,
        seed=seed,
        modules=modules,
    )
    click.echo(repr(result))
    if output is not None:
        write(output, result.to_json().encode())
        click.echo(f"\nkept in {shown(output)}")
    if not result.passed:
        context.exit(FAILED)
    if result.soaked.load.stopped_after_s is not None:
        context.exit(INTERRUPTED)
    if not result.valid:
        context.exit(COULD_NOT_MEASURE)
    unsure = result.leak.status is LeakStatus.INCONCLUSIVE
    context.exit(INCONCLUSIVE if strict and unsure else OK)
