"""``veperf upstream``: what changed in VirtEngine's repository since veperf was written for it."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import click

from veperf.archive.baselines import load_targets
from veperf.cli.options import (
    ExampleCommand,
    baselines_option,
    display_path,
    new_baselines_option,
)
from veperf.cli.output import CommandGroup, echo
from veperf.core import paths
from veperf.core.errors import FAILED, OK, UsageError
from veperf.core.text import plural

_clone_argument = click.argument("clone", type=click.Path(path_type=Path), metavar="CLONE")
_revision_option = click.option(
    "--revision",
    default="HEAD",
    show_default=True,
    metavar="REV",
    help="A commit, branch or tag of the clone. Only what is committed counts.",
)


@click.group("upstream", cls=CommandGroup)
def upstream_command() -> None:
    """Check a clone of VirtEngine against the mapping and the targets, and record it.

    git is needed, Go is not. Nothing of the clone is run or changed.
    """


@upstream_command.command(
    "check",
    cls=ExampleCommand,
    examples=[
        "veperf upstream check ~/virtengine",
        "veperf upstream check ~/virtengine --revision origin/main",
        "veperf upstream check virtengine.git --format json >drift.json",
        'veperf upstream check . --format markdown >>"$GITHUB_STEP_SUMMARY"',
    ],
)
@_clone_argument
@_revision_option
@click.option(
    "--format",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="Form of the result.",
)
@baselines_option
@click.pass_context
def check_command(
    context: click.Context,
    clone: Path,
    revision: str,
    format: Literal["table", "json", "markdown"],
    baselines: Path | None,
) -> None:
    """Say what drifted in VirtEngine since the mapping and the targets were written.

    CLONE is the top folder of a checkout, or a bare clone. Three things are compared: its
    benchmark functions with go_benchmarks.json (new, gone, renamed), the figures of
    BASELINE_METRICS.json and SCALE_BASELINES.json with those that targets were made from, and the
    functions behind each target, the benchmark's own and those of the module that it calls
    directly, with those at the revision whose code the target's limit was set for. Comments and
    layout are no difference.

    Ends with 0 where nothing drifted, 1 where something did, 2 where CLONE is none of VirtEngine.
    """
    from veperf.formats.source import load_source
    from veperf.formats.virtengine import load_go_benchmarks
    from veperf.upstream import rendering
    from veperf.upstream.check import check_clone
    from veperf.upstream.clone import Clone
    from veperf.upstream.record import load_record

    folder = baselines or paths.default_baselines_folder()
    drift = check_clone(
        Clone(clone),
        revision,
        load_targets(folder),
        load_source(paths.published_file(folder, "targets.json")),
        load_go_benchmarks(folder),
        load_record(folder),
    )
    match format:
        case "table":
            echo(rendering.drift_text(drift))
        case "json":
            click.echo(rendering.drift_json(drift))
        case "markdown":
            click.echo(rendering.drift_markdown(drift))
    context.exit(FAILED if drift.has_drifted else OK)


@upstream_command.command(
    "record",
    cls=ExampleCommand,
    examples=[
        "veperf upstream record ~/virtengine",
        "veperf upstream record ~/virtengine --revision v1.2.0 --baselines data/baselines",
    ],
)
@_clone_argument
@_revision_option
@new_baselines_option
def record_upstream_command(clone: Path, revision: str, baselines: Path | None) -> None:
    """Record the hashes that `upstream check` compares with, in upstream.json.

    Of the benchmark functions and SCALE_BASELINES.json those at --revision, of the functions behind
    each target those at the target's own `revision` in targets.json: set that to accept what
    changed, once the limit is right for it. Hashes are kept, no code.
    """
    from veperf.formats.virtengine import load_go_benchmarks
    from veperf.upstream.clone import Clone
    from veperf.upstream.record import make_record, save_record

    folder = baselines or paths.default_baselines_folder()
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}; `veperf init` makes one with targets")
    record = make_record(Clone(clone), revision, load_targets(folder), load_go_benchmarks(folder))
    path = save_record(folder, record)
    benchmarks = sum(map(len, record.benchmarks.packages.values()))
    echo(
        f"recorded {plural(benchmarks, 'benchmark function')} at {record.benchmarks.revision[:12]} "
        f"and {plural(len(record.targets), 'target')} in {display_path(path)}"
    )


@upstream_command.command(
    "slos",
    cls=ExampleCommand,
    examples=[
        "veperf upstream slos ~/virtengine >slo.json",
        "veperf upstream slos ~/virtengine --only 'k6 hpc_burst*' >slo.json",
        "veperf gate hpc_burst_summary.json --slo slo.json",
    ],
)
@_clone_argument
@_revision_option
@click.option("--only", default="*", metavar="GLOB", help="Only those whose name fits.")
def slos_command(clone: Path, revision: str, only: str) -> None:
    """Print VirtEngine's service levels as an SLO file for `veperf gate`.

    They are those of pkg/chaos/slo, out of the Go source, and the thresholds of the k6 scripts in
    tests/load/k6, each named after its script and metric.
    """
    from veperf.archive.files import encode_json
    from veperf.formats.slo_file import slo_document
    from veperf.upstream.chaos_slos import read_chaos_slos
    from veperf.upstream.clone import Clone
    from veperf.upstream.k6_thresholds import read_k6_thresholds

    checkout = Clone(clone)
    tree = checkout.tree(checkout.resolve(revision))
    every = (*read_chaos_slos(tree), *read_k6_thresholds(tree))
    levels = [level for level in every if fnmatchcase(level.name, only)]
    if not levels:
        found_in = f"in {display_path(clone)} at {tree.commit[:12]}"
        raise UsageError(
            f"no service level fits {only!r} {found_in}"
            if every
            else f"no service levels {found_in}"
        )
    click.echo(encode_json(slo_document(levels)).decode(), nl=False)
