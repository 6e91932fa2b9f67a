"""``veperf gate``: judge runs, or files of other tools, by objectives in files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import click
from msgspec import Meta

from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    directions_option,
    format_option,
    options_of,
)
from veperf.cli.output import echo
from veperf.core.direction import parse_directions, require_units, with_directions
from veperf.core.errors import UsageError
from veperf.core.gate import Answer, GateDecision, GateItem
from veperf.core.option_fields import about
from veperf.core.options import DecisionOptions, Names

if TYPE_CHECKING:
    from veperf.core.objectives import ScaleBaselines, ServiceLevel
    from veperf.core.policy import GatePolicy
    from veperf.core.run import Run

_SCALE_PACKAGE = "tests/load/scale"


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions(DecisionOptions):
    """Options of ``veperf gate``."""

    slo_files: Annotated[
        Names,
        about("Service levels: TOML or JSON, see docs/upstream.md.", flag="--slo", metavar="FILE"),
    ] = ()
    scale: Annotated[
        str,
        Meta(max_length=4096),
        about("Limits and rules of degradation: a SCALE_BASELINES.json.", metavar="FILE"),
    ] = ""
    match: Annotated[
        Names,
        about("Only these benchmarks are held to the rules of --scale: a glob.", metavar="GLOB"),
    ] = ()
    per_item: Annotated[
        bool, about("Hold the cost of one of n things to the rules of --scale, not of all n.")
    ] = False


@click.command(
    "gate",
    cls=ExampleCommand,
    examples=[
        "veperf gate k6_summary.json --slo slo.toml",
        "veperf gate last --slo slo.toml --explain       a load that veperf put on",
        "veperf gate scale.txt --scale SCALE_BASELINES.json",
        "veperf gate last --scale SCALE_BASELINES.json --match 'market/*'",
        "veperf gate identity.json market.json --slo slo.toml --output json",
    ],
)
@click.argument("results", nargs=-1, required=True, metavar="RESULT...")
@options_of(ObjectiveOptions)
@click.option(
    "--output",
    type=click.Choice(["table", "json", "markdown"]),
    default="table",
    show_default=True,
    help="Form of the verdict.",
)
@format_option
@directions_option
@archive_option
@baselines_option
@click.pass_context
def gate_command(
    context: click.Context,
    results: tuple[str, ...],
    options: ObjectiveOptions,
    output: Literal["table", "json", "markdown"],
    format: str,
    directions: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Judge results by service levels, or by limits at sizes, and gate by the exit code.

    RESULT is a run in the archive or a file of another tool: of k6, of a load tester, of go test.
    An objective is answered by any of them; one that none answers does not pass.

    Ends as `veperf ci` does: 0 all met, or warnings; 1 missed; 2 wrong usage or a broken file; 3
    not answered, or failed; 4 inconclusive (with --strict).
    """
    from veperf.formats.scale_baselines import read_scale_baselines
    from veperf.formats.slo_file import read_slo_file
    from veperf.formats.source import load_source
    from veperf.verdicts.gate import decide

    if not options.slo_files and not options.scale:
        raise UsageError("nothing to judge by: give --slo FILE, --scale FILE, or both")
    if not options.scale and (options.match or options.per_item):
        raise UsageError("--match and --per-item are about the rules of --scale: give it as well")
    policy = chosen_policy(context, options)
    levels = [level for file in options.slo_files for level in read_slo_file(Path(file))]
    scale = read_scale_baselines(load_source(Path(options.scale))) if options.scale else None
    known = parse_directions(directions)
    runs = [_resolve(result, format, archive) for result in results]
    require_units(runs, known)
    runs = [with_directions(run, known) for run in runs]
    _require_curves(runs, options)
    items = [_items(run, levels, scale, policy, options, baselines) for run in runs]
    decision = decide(_answered(items), strict=policy.strict)
    _print_decision(decision, output)
    if options.explain:
        print_explanation(decision)
    context.exit(decision.exit_code)


def _resolve(result: str, format: str, archive: str | None) -> "Run":
    """Return the run of that name, or of the file."""
    from veperf.api.runs import read, resolve_run
    from veperf.formats.source import is_readable_file

    path = Path(result)
    return read(path, format=format).run if is_readable_file(path) else resolve_run(result, archive)


def _require_curves(runs: "Sequence[Run]", options: ObjectiveOptions) -> None:
    """Check that --match fits a benchmark that was measured at several sizes.

    Raises:
        UsageError: it fits none.
    """
    from veperf.verdicts.scaling import size_curves

    if options.match and not any(size_curves(run, options.match) for run in runs):
        names = sorted({curve.name for run in runs for curve in size_curves(run)})
        known = f"there are {', '.join(names[:5])}" if names else "there are none"
        raise UsageError(f"--match fits no benchmark that was timed at several sizes: {known}")


def _items(
    run: "Run",
    levels: "Sequence[ServiceLevel]",
    scale: "ScaleBaselines | None",
    policy: "GatePolicy",
    options: ObjectiveOptions,
    baselines: Path | None,
) -> list[GateItem]:
    from veperf.formats.virtengine import load_go_benchmarks
    from veperf.verdicts.scaling import scaling_items
    from veperf.verdicts.service_levels import service_level_items

    items = [*service_level_items(run, levels, policy)]
    if scale is not None:
        counterparts = load_go_benchmarks(baselines).counterparts.get(_SCALE_PACKAGE, {})
        items += scaling_items(
            run, scale, policy, counterparts, patterns=options.match, per_item=options.per_item
        )
    return items


def _answered(items: Sequence[Sequence[GateItem]]) -> list[GateItem]:
    """Return the items of all results; of what none answers, one.

    A load that was void is an item of its own: another one is no answer for it.
    """
    every = [item for of_run in items for item in of_run]
    blank = [item for item in every if item.answer is Answer.NOT_MEASURED and not item.case]
    unanswered = {item.target: item for item in blank}
    answers = [item for item in every if item not in blank]
    names = {item.target for item in answers}
    return answers + [item for name, item in unanswered.items() if name not in names]


def _print_decision(decision: GateDecision, output: Literal["table", "json", "markdown"]) -> None:
    from veperf.archive.files import encode_json
    from veperf.report.rendering import decision_text
    from veperf.report.tables.gate_table import answers_list, gate_table
    from veperf.report.tables.table import markdown_table

    match output:
        case "json":
            click.echo(encode_json(decision).decode(), nl=False)
        case "markdown":
            click.echo(markdown_table(gate_table(decision, decision.headline)))
        case "table":
            echo(f"{answers_list(decision)}\n\n{decision_text(decision)}")
