"""``veperf profile``."""

import click

from veperf.cli.completion import complete_benchmarks
from veperf.cli.options import ExampleCommand, options_of
from veperf.cli.output import echo
from veperf.core.options import ModuleOptions


@click.command(
    "profile",
    cls=ExampleCommand,
    examples=[
        "veperf profile transaction/validation             the functions, and the hottest lines",
        "veperf profile zk_proof/age_proof --seconds 10    rarer ones, too",
        "veperf profile mine/work --module mine.benchmarks a benchmark of your own",
    ],
)
@click.argument("benchmark", shell_complete=complete_benchmarks)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 600, min_open=True),
    default=2.0,
    show_default=True,
    help="CPU time to sample.",
)
@options_of(ModuleOptions)
def profile_command(benchmark: str, seconds: float, options: ModuleOptions) -> None:
    """Show where the CPU time of BENCHMARK goes.

    The work is repeated in a fresh process, and its stack sampled: functions by their share of the
    CPU time, then the lines with the most of it. Loads have no call to sample; `veperf load` shows
    their stages.
    """
    from veperf.profiling.cpu.profile_cpu import profile_cpu

    echo(repr(profile_cpu(benchmark, seconds=seconds, modules=options.all_modules)))
