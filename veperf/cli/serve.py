"""``veperf serve``."""

import click

from veperf.cli.load import INTERRUPTED, parameters
from veperf.cli.options import ExampleCommand, modules_option, params_option


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf serve                                       transfers, from this host only",
        "veperf serve --listen tcp://10.0.0.5:7700          from other hosts, too",
        "veperf serve --listen unix:///tmp/veperf.sock      by a socket in a folder",
        "veperf serve mine/load --module mine.benchmarks    a load of your own",
    ],
)
@click.argument("benchmark", default="transaction/load")
@click.option(
    "--listen",
    default="tcp://127.0.0.1:0",
    show_default=True,
    metavar="ADDRESS",
    help="tcp://HOST:PORT or unix:///PATH; port 0 is any free one.",
)
@params_option
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="How many processes every load must come from.  [default: as the first one says]",
)
@modules_option
@click.pass_context
def serve(
    context: click.Context,
    benchmark: str,
    listen: str,
    params: tuple[str, ...],
    shards: int | None,
    modules: tuple[str, ...],
) -> None:
    """Make the system of a load alone, for loads that other processes or hosts put on it.

    The first line is the address, for `veperf load --target`. Who wants to put a load on it needs
    the token, too: in VEPERF_LOAD_TOKEN on both sides, or else drawn and said in the second line.
    What is sent is not encrypted: use it on one host or a trusted network.

    It serves one load after the other, each on a fresh system, until Ctrl-C.
    """
    from veperf.runner.serve import serve_loads

    in_the_middle = serve_loads(
        benchmark,
        parameters(params),
        listen=listen,
        shards=shards,
        modules=modules,
        tell=click.echo,
    )
    if in_the_middle:
        click.echo("ended in the middle of a load", err=True)
        context.exit(INTERRUPTED)
