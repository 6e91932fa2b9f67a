"""``veperf sweep``."""

from pathlib import Path

import click

from veperf.cli.options import ExampleCommand, archive_option


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf sweep nightly.toml --local                 on this machine",
        "veperf sweep nightly.toml --scheduler tcp://10.0.0.1:8786",
        "veperf sweep --resume --local                     go on with the last one",
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
        "A worker says what it is by its resources:",
        "  dask worker tcp://10.0.0.1:8786 --nthreads 1 --resources 'veperf=1 class:small=1'",
    ],
)
@click.argument("spec", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--scheduler", metavar="ADDRESS", help="Of dask: tcp://host:8786 or tls://...")
@click.option("--local", is_flag=True, help="Start a cluster of one worker on this machine.")
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Go on with a sweep that was stopped: the last one, or the one named.",
)
@archive_option
@click.pass_context
def sweep(
    context: click.Context,
    spec: Path | None,
    scheduler: str | None,
    local: bool,
    resume: str | None,
    archive: Path | None,
) -> None:
    """Make many runs on many machines, as SPEC says, by a dask.distributed scheduler.

    Every combination of benchmark, commit, machine class and repeat is a task: one `veperf run` on
    a worker of that class, one at a time on a host. Runs come into the archive as they are
    finished; Ctrl-C keeps them, and --resume goes on. Whoever can reach a scheduler can run code on
    its workers: use it within a trusted network, or with TLS.
    """
    from veperf import api
    from veperf.errors import COULD_NOT_MEASURE, OK
    from veperf.report import text

    if (spec is None) == (resume is None):
        raise click.UsageError("give a SPEC, or --resume, not both")
    if (scheduler is None) != local:
        raise click.UsageError("say where: --scheduler ADDRESS, or --local")
    if resume is not None:
        result = api.resume_sweep(resume, scheduler=scheduler, archive=archive)
    else:
        assert spec is not None
        result = api.sweep(spec, scheduler=scheduler, archive=archive)
    click.echo(text.table(result.table()))
    context.exit(COULD_NOT_MEASURE if result.failed else OK)
