"""``veperf load``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    modules_option,
    params_option,
    rate_option,
    shown,
    timeout_option,
)
from veperf.core.load import Arrivals

if TYPE_CHECKING:
    from veperf.core.run import CaseResult

INTERRUPTED = 130


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf load                                       transfers at 5,000 a second for 10 s",
        "veperf load --rate 8000 --seconds 600             at 8,000, for ten minutes",
        "veperf load --rate 2000 --param state=memory      a parameter other than the rate",
        "veperf load --arrivals constant --seed 1          evenly spaced",
        "veperf load mine/load --module mine.benchmarks    a load of your own",
        "veperf load --shards 2                            the system in a process of its own, and",
        "                                                  its load from two others",
        "veperf load --shards 4 --scheduler tcp://10.0.0.1:8786      each on a dask worker",
        "veperf load --shards 4 --target tcp://10.0.0.7:7000         on a `veperf serve`",
    ],
)
@click.argument("benchmark", default="transaction/load")
@rate_option
@params_option
@click.option(
    "--seconds", type=float, default=10.0, show_default=True, help="How long, after the warm-up."
)
@click.option(
    "--warmup",
    "warmup_s",
    type=float,
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Load that is in no figure.",
)
@click.option(
    "--arrivals",
    type=click.Choice(get_args(Arrivals)),
    default="poisson",
    show_default=True,
    help="At random, as from many clients, or evenly spaced.",
)
@click.option("--seed", type=int, help="Of the arrivals.  [default: drawn]")
@click.option(
    "--shards",
    type=int,
    default=0,
    metavar="NUMBER",
    help="Put the load on by so many processes, with the system in another one.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Of dask: each shard and the target are on a worker of their own.",
)
@click.option(
    "--target",
    metavar="ADDRESS",
    help="Of a `veperf serve`, its token in VEPERF_LOAD_TOKEN.  [default: one is started]",
)
@click.option(
    "--target-class",
    default="",
    metavar="NAME",
    help="The machine class of the scheduler's worker that is to be the target.",
)
@timeout_option
@modules_option
@archive_option
@baselines_option
@click.pass_context
def load(
    context: click.Context,
    benchmark: str,
    rate: str | None,
    params: tuple[str, ...],
    seconds: float,
    warmup_s: float,
    arrivals: Arrivals,
    seed: int | None,
    shards: int,
    scheduler: str | None,
    target: str | None,
    target_class: str,
    timeout_s: float,
    modules: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Put one load on a system, for seconds or an hour, and say how it bears it.

    The load is open loop: arrivals are fixed beforehand, and latency counts from when an item was
    to arrive. A load during which the generator itself fell behind is invalid, and ends with 3.

    Ctrl-C ends the load, shows and keeps what was measured so far, and ends with 130; a second
    one drops it.

    With --shards, one schedule is divided among processes that start at one instant and measure by
    their own clocks; a load of which a shard was lost, late or behind is invalid.
    """
    from veperf.api.runs import run_load
    from veperf.archive.cli_hints import command
    from veperf.report import text

    result = run_load(
        benchmark,
        parameters(params if rate is None else [*params, f"rate={rate}"]),
        seconds=seconds,
        warmup_s=warmup_s,
        arrivals=arrivals,
        archive=archive,
        baselines=baselines,
        seed=seed,
        timeout_s=timeout_s,
        modules=modules,
        shards=shards,
        scheduler=scheduler,
        target=target,
        target_class=target_class,
    )
    click.echo(text.load(result.run))
    how = command("report", result.run.id, archive=archive)
    click.echo(f"\nkept in {shown(result.place)}; {how} shows it")
    (found,) = result.run.passes[0].results
    context.exit(_exit_code(found))


def parameters(given: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE``, by name.

    Raises:
        click.UsageError: one of them is none, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"--param is NAME=VALUE, not {text!r}")
        if name in found:
            raise click.UsageError(f"{name} is given twice")
        found[name] = value
    return found


def _exit_code(found: "CaseResult") -> int:
    from veperf.core.errors import COULD_NOT_MEASURE, OK

    if found.stopped_after_s is not None:
        return INTERRUPTED
    return OK if found.failure is None else COULD_NOT_MEASURE
