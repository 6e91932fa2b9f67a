"""``veperf sweep``."""

from pathlib import Path

import click

from veperf.cli.fleet import scheduler_option, tell_sweep, wait_option
from veperf.cli.options import ExampleCommand, archive_option
from veperf.cli.step_summary import summary_option


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf sweep nightly.toml --local                 on this machine",
        "veperf sweep nightly.toml --scheduler tcp://10.0.0.1:8786",
        "veperf sweep --resume --local                     go on with the last one",
        "veperf sweep --show                               what came of the last one",
        "",
        "nightly.toml:",
        '  name = "nightly"',
        '  benchmarks = ["transaction", "zk_proof/age_proof"]',
        '  profile = "standard"                # quick, standard or thorough',
        '  machine_classes = ["small", "large"]',
        '  refs = ["main", "v1.2.0"]           # commits; what is installed when left out',
        "  repeats = 3",
        "",
        '  [parameters."transaction/state_write"]',
        "  accounts = [1000, 100000]",
        "",
        "release.toml, which compares two commits on each class in place of making runs:",
        '  name = "release"',
        '  machine_classes = ["small", "large"]',
        '  benchmarks = ["transaction"]        # all of them when left out',
        "",
        "  [ab]",
        '  base = "v1.2.0"',
        '  head = "main"                       # what is checked out when left out',
        "  threshold = 5.0                     # percent: surely slower by more is a failure",
        "  max_pairs = 48",
        '  time_budget = "20m"                 # of each comparison; none when left out',
        "",
        "A worker says what it is by its resources:",
        "  dask worker tcp://10.0.0.1:8786 --nthreads 1 --resources 'veperf=1 class:small=1'",
    ],
)
@click.argument("spec", required=False, type=click.Path(dir_okay=False, path_type=Path))
@scheduler_option
@click.option("--local", is_flag=True, help="Start a cluster of one worker on this machine.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Go on with a sweep that was stopped: the last one, or the one named.",
)
@click.option(
    "--show",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Only show what came of a sweep: the last one, or the one named.",
)
@wait_option
@click.option("--strict", is_flag=True, help="End with 4 where a comparison is inconclusive.")
@summary_option("the result")
@archive_option
@click.pass_context
def sweep(
    context: click.Context,
    spec: Path | None,
    scheduler: str | None,
    local: bool,
    resume: str | None,
    show: str | None,
    wait_s: float,
    strict: bool,
    summary: Path | None,
    archive: str | None,
) -> None:
    """Make many runs on many machines, as SPEC says, by a dask.distributed scheduler.

    Every combination of benchmark, commit, machine class and repeat is a task: one `veperf run` on
    a worker of that class, one at a time on a host. With [ab], every combination of machine class
    and repeat is one `veperf ab`, and the exit code is that of the worst. Results come into the
    archive as they are finished; Ctrl-C keeps them, and --resume goes on. Whoever can reach a
    scheduler can run code on its workers: use it within a trusted network, or with TLS.
    """
    from veperf.api import sweep as sweeps

    if sum(given is not None for given in (spec, resume, show)) != 1:
        raise click.UsageError("give one of a SPEC, --resume or --show")
    if show is not None:
        found = sweeps.load_sweep(show, archive)
    elif (scheduler is None) != local:
        raise click.UsageError("say where: --scheduler ADDRESS, or --local")
    elif spec is not None:
        found = sweeps.sweep(spec, scheduler=scheduler, wait_s=wait_s, archive=archive)
    else:
        assert resume is not None
        found = sweeps.resume_sweep(resume, scheduler=scheduler, wait_s=wait_s, archive=archive)
    tell_sweep(found, archive, summary)
    context.exit(found.exit_code(strict=strict))
