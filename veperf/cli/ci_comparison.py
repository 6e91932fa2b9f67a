"""The part of ``veperf ci`` that runs old and new code side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from veperf.cli.options import shown, time_budget_option
from veperf.core.errors import COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK, MeasureError, UsageError

if TYPE_CHECKING:
    from veperf.abtest.result import ABResult
    from veperf.core.run import Run
    from veperf.core.verdict import Verdict

_WORST_FIRST = (COULD_NOT_MEASURE, FAILED, INCONCLUSIVE, OK)

_against = click.option(
    "--against",
    metavar="COMMIT",
    help="Also run the code of COMMIT and this code side by side, as `veperf ab` does.",
)

_confirm = click.option(
    "--confirm/--no-confirm",
    default=True,
    show_default=True,
    help="Run what a recorded baseline suspects side by side with the baseline's commit.",
)

_Command = TypeVar("_Command", bound=Callable[..., object])


def against_options(command: _Command) -> _Command:
    """What to compare with side by side, and for how long."""
    return _against(time_budget_option(_confirm(command)))


def compare_with(
    base: str,
    patterns: Sequence[str],
    modules: Sequence[str],
    time_budget_s: float | None,
    timeout_s: float,
    seed: int | None,
    archive: str | None,
) -> "ABResult":
    """Compare the working tree with the commit ``base``, print the result and where it is kept.

    Raises:
        KeyboardInterrupt: it was stopped by hand; what was decided by then is kept.
        VeperfError: as ``gate.ab``.
    """
    from veperf.abtest.run import ab

    result = ab(
        base,
        *patterns,
        modules=modules,
        time_budget_s=time_budget_s,
        timeout_s=timeout_s,
        seed=seed,
        archive=archive,
    )
    click.echo(f"{result!r}\n\nkept in {shown(result.place)}\n")
    if result.ab.stopped == "hand":
        raise KeyboardInterrupt
    return result


def confirm_suspects(
    run: "Run",
    verdict: "Verdict",
    baselines: Path | None,
    time_budget_s: float | None,
    archive: str | None,
) -> "list[ABResult]":
    """Compare what ``verdict`` suspects with the code that its baseline was recorded of.

    Where that can't be had, or is too old to be run, it stays a warning.

    Raises:
        KeyboardInterrupt: as ``compare_with``.
    """
    from veperf.abtest.run import suspects
    from veperf.archive.baselines import load_baselines
    from veperf.core import paths
    from veperf.core.escape import one_line

    recorded = load_baselines(
        baselines or paths.baselines(), sorted({case.suite for case in run.cases})
    )
    asked, found = run.config, []
    for commit, cases in suspects(run, verdict, recorded).items():
        try:
            found.append(
                compare_with(
                    commit, cases, asked.modules, time_budget_s, asked.timeout_s, None, archive
                )
            )
        except (MeasureError, UsageError) as error:
            click.echo(one_line(f"{', '.join(cases)}: not confirmed, {error}"))
    return found


def worst(codes: Sequence[int]) -> int:
    """The exit code that says most of several."""
    return min(codes, key=_WORST_FIRST.index)
