"""``veperf selfcheck``."""

import click

from veperf.cli.load import INTERRUPTED
from veperf.cli.options import ExampleCommand, modules_option, timeout_option


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf selfcheck                            three typical benchmarks, a minute or two",
        "veperf selfcheck transaction --trials 3     a suite, three times",
        "veperf selfcheck --max-pairs 96             what twice the pairs would show",
    ],
)
@click.argument("patterns", nargs=-1, metavar="[BENCHMARK]...")
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many comparisons to make.",
)
@click.option(
    "--max-pairs",
    type=click.IntRange(min=6, max=200),
    default=48,
    show_default=True,
    help="In each, and for which the smallest visible slowdown is worked out.",
)
@timeout_option
@modules_option
@click.pass_context
def selfcheck(
    context: click.Context,
    patterns: tuple[str, ...],
    trials: int,
    max_pairs: int,
    timeout_s: float,
    modules: tuple[str, ...],
) -> None:
    """Compare the code with itself: how small a slowdown shows on this machine.

    Counts false alarms, works out the smallest slowdown that would be found in 9 of 10
    comparisons, and says what to change on the machine. Ends with 1 after a false alarm.
    """
    from veperf.abtest.selfcheck import selfcheck as gate_selfcheck

    found = gate_selfcheck(
        *patterns, trials=trials, max_pairs=max_pairs, modules=modules, timeout_s=timeout_s
    )
    click.echo(repr(found))
    context.exit(INTERRUPTED if found.was_stopped else found.exit_code())
