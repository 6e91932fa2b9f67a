"""``veperf load``, ``veperf soak`` and ``veperf serve``: loads on a system."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.files import require_writable_file, write_file
from veperf.cli.completion import complete_benchmarks
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
    params_option,
    parse_params,
    print_kept,
    rate_option,
)
from veperf.cli.output import echo
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, INTERRUPTED, OK
from veperf.core.options import LoadOptions, ServeOptions, SoakOptions, StrictOptions
from veperf.core.run import CaseResult

if TYPE_CHECKING:
    from veperf.runner.soak_verdict import SoakResult

_benchmark_argument = click.argument(
    "benchmark", default="transaction/load", shell_complete=complete_benchmarks
)


@click.command(
    "load",
    cls=ExampleCommand,
    examples=[
        "veperf load                                       transfers at 5,000 a second for 10 s",
        "veperf load --rate 8000 --seconds 600             at 8,000, for ten minutes",
        "veperf load --rate 2000 --param state=memory      a parameter other than the rate",
        "veperf load --arrivals constant --seed 1          evenly spaced",
        "veperf load --shape burst --seconds 60            in bursts of four times the rate",
        "veperf load transaction/overload                  three times what the chain can do",
        "veperf load transaction/mix_load --mix send=60,create_bid=20,update_score=20",
        "                                                  messages of several kinds",
        "veperf load mine/load --module mine.benchmarks    a load of your own",
        "veperf load --shards 2                            the system in a process of its own, and",
        "                                                  its load from two others",
        "veperf load --shards 4 --scheduler tcp://10.0.0.1:8786      each on a dask worker",
        "veperf load --shards 4 --target tcp://10.0.0.7:7000         on a `veperf serve`",
    ],
)
@_benchmark_argument
@rate_option
@click.option(
    "--mix",
    metavar="KIND=SHARE,...",
    help="Shares of the kinds of items: short for --param mix=...",
)
@params_option
@options_of(LoadOptions)
@archive_option
@baselines_option
@click.pass_context
def load_command(
    context: click.Context,
    benchmark: str,
    rate: str | None,
    mix: str | None,
    params: tuple[str, ...],
    options: LoadOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Put one load on a system, and report its latency.

    The load is open loop: arrivals are fixed beforehand, and latency counts from when an item was
    to arrive. A load during which the generator itself fell behind is invalid, and ends with 3.

    Ctrl-C ends the load, shows and keeps what was measured so far, and ends with 130; a second
    one drops it.

    With --mix, a benchmark that has several kinds of items is put under load with these shares of
    them, and latency is told for each kind; its kinds are those that `veperf list` shows in its
    parameter. What a system sheds by its own rules, as more is offered than it does, is an outcome
    of its own, and no error.

    With --shards, one schedule is divided among processes that start at one instant and measure by
    their own clocks; a load of which a shard was lost, late or behind is invalid.
    """
    from veperf.api.runs import run_load
    from veperf.report import rendering

    result = run_load(
        benchmark,
        parse_params(params if mix is None else (*params, f"mix={mix}"), rate),
        options=options,
        archive=archive,
        baselines=baselines,
    )
    echo(rendering.load_text(result.run))
    print_kept(result.place, archive)
    (case_result,) = result.run.passes[0].results
    context.exit(_exit_code(case_result))


def _exit_code(result: CaseResult) -> int:
    if result.stopped_after_s is not None:
        return INTERRUPTED
    return OK if result.failure is None else COULD_NOT_MEASURE


@dataclass(frozen=True, kw_only=True)
class SoakCommandOptions(SoakOptions, StrictOptions):
    """Options of ``veperf soak``."""


@click.command(
    "soak",
    cls=ExampleCommand,
    examples=[
        "veperf soak --minutes 60                          transfers for an hour",
        "veperf soak verification/load --minutes 30        identity verifications",
        "veperf soak --rate 500 --json soak.json           slowly, and keep what was seen",
        "veperf soak mine/load --module mine.benchmarks    a load of your own",
    ],
)
@_benchmark_argument
@rate_option
@params_option
@options_of(SoakCommandOptions)
@click.option(
    "--json",
    "output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all readings to a file.",
)
@click.option(
    "--flamegraph",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    default=Path("leak.html"),
    help="Flamegraph of what is left, where a leak is suspected.  [default: leak.html]",
)
@click.pass_context
def soak_command(
    context: click.Context,
    benchmark: str,
    rate: str | None,
    params: tuple[str, ...],
    options: SoakCommandOptions,
    output: Path | None,
    flamegraph: Path,
) -> None:
    """Put a long load on a system, and judge its memory.

    It watches the process that the system runs in, and those that it starts. The first 20 % of the
    time count as warm-up. What it takes to watch does not grow with the time. Where a leak is
    suspected, a last stretch of load, at a quarter of the rate, shows the lines that leak, and how
    much of the growth they explain.

    Ends with 1 where a leak is suspected or a limit of targets.json was passed, with 3 where
    memory is not judged, as the system had another load than was asked for, or growth was not
    measured. Other work on the machine spoils latency, which is no question here, and not memory.
    Ctrl-C ends the load and judges what there is.
    """
    from veperf.runner.soak import soak

    for file in filter(None, (output, flamegraph)):
        require_writable_file(file)
    result = soak(benchmark, parse_params(params, rate), options=options, flamegraph=flamegraph)
    echo(repr(result))
    if (evidence := result.soaked.evidence) is not None:
        echo(f"  flamegraph: {display_path(Path(evidence.flamegraph))}")
    if output is not None:
        write_file(output, result.to_json().encode())
        echo(f"\nkept in {display_path(output)}")
    context.exit(_soak_exit_code(result, strict=options.strict))


def _soak_exit_code(result: "SoakResult", *, strict: bool) -> int:
    from veperf.profiling.memory.leak_rule import LeakStatus

    if result.failed:
        return FAILED
    if result.soaked.load.stopped_after_s is not None:
        return INTERRUPTED
    if not result.answered:
        return COULD_NOT_MEASURE
    is_open = result.leak.status is LeakStatus.INCONCLUSIVE
    return INCONCLUSIVE if strict and is_open else OK


@click.command(
    "serve",
    cls=ExampleCommand,
    examples=[
        "veperf serve                                       transfers, from this host only",
        "veperf serve --listen tcp://10.0.0.5:7700          from other hosts, too",
        "veperf serve --listen unix:///tmp/veperf.sock      by a socket in a folder",
        "veperf serve mine/load --module mine.benchmarks    a load of your own",
    ],
)
@_benchmark_argument
@params_option
@options_of(ServeOptions)
@click.pass_context
def serve_command(
    context: click.Context, benchmark: str, params: tuple[str, ...], options: ServeOptions
) -> None:
    """Serve a system for loads from other processes or hosts.

    The first line printed is the address, for `veperf load --target`. The other side also needs
    the token: VEPERF_LOAD_TOKEN on both sides, or a random one, printed in the second line. An
    address that other hosts reach needs a token in VEPERF_LOAD_TOKEN. Nothing is encrypted: use it
    on one host or a trusted network, or by a tunnel: `ssh -N -L 7700:127.0.0.1:7700 HOST`.

    It serves one load after the other, each on a fresh system, until Ctrl-C.
    """
    from veperf.runner.load_server import serve_loads

    was_interrupted = serve_loads(
        benchmark, parse_params(params), options=options, notify=click.echo
    )
    if was_interrupted:
        echo("ended in the middle of a load", err=True)
        context.exit(INTERRUPTED)
