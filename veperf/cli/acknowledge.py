"""``veperf archive acknowledge``: say why a regression is accepted, or that it is known."""

import click

from veperf.cli.options import ExampleCommand, archive_option
from veperf.cli.output import echo
from veperf.core.escape import one_line


@click.command(
    "acknowledge",
    cls=ExampleCommand,
    examples=[
        'veperf archive acknowledge last shop/pay --reason "checks the signature, too"',
        "veperf archive acknowledge last shop/pay --withdraw",
        'veperf archive acknowledge last shop/pay --drift --reason "more orders each month"',
    ],
)
@click.argument("run")
@click.argument("benchmark")
@click.option("--reason", default="", metavar="TEXT", help="Why it is accepted, or what is known.")
@click.option("--withdraw", is_flag=True, help="Take back what was said of it.")
@click.option("--drift", is_flag=True, help="It is the drift that is meant, not a change point.")
@click.option("--metric", default="", metavar="NAME", help="The metric.  [default: time]")
@archive_option
def acknowledge_command(
    run: str,
    benchmark: str,
    reason: str,
    withdraw: bool,
    drift: bool,
    metric: str,
    archive: str | None,
) -> None:
    """Acknowledge the regression of BENCHMARK that RUN shows.

    RUN is the first run after the change, or one between it and the next change. The site and
    `veperf history` then show the reason beside the change, and the site's first page counts it no
    more. With --drift RUN is any run of the slow movement. No gate turns green by that:
    `--known-miss` and baselines are for gates.
    """
    from veperf.archive.acknowledgements import (
        acknowledged_metric,
        change_of,
        is_drifting,
        withdraw_acknowledgement,
        write_acknowledgement,
    )
    from veperf.archive.store import open_archive
    from veperf.archive.summary import load_summary
    from veperf.archive.trend import case_trend
    from veperf.report.case_summary import measured_name
    from veperf.report.tables.trend_tables import drift_effect, run_date, trend_effect

    if bool(reason) == withdraw:
        raise click.UsageError("give either --reason or --withdraw")
    store = open_archive(archive)
    chosen_run = store.load(run)
    name = one_line(measured_name(benchmark, acknowledged_metric(chosen_run, benchmark, metric)))
    if withdraw:
        if not withdraw_acknowledgement(store.storage, chosen_run, benchmark, metric, drift=drift):
            raise click.UsageError(f"{name} is not acknowledged in run {chosen_run.id}")
        echo(f"{name} is no longer acknowledged in run {chosen_run.id}")
        return
    entry = write_acknowledgement(store.storage, chosen_run, benchmark, reason, metric, drift=drift)
    trend = case_trend(
        load_summary(store), benchmark, metric=entry.metric, machine=chosen_run.machine.name
    )
    change = change_of(trend, chosen_run.id)
    if drift and is_drifting(trend, chosen_run.id):
        echo(f"acknowledged {name}: {drift_effect(trend)}")
    elif drift:
        echo(f"acknowledged {name}, which does not drift at run {chosen_run.id} yet")
    elif change is None:
        hint = "; it drifts: for that add --drift" if is_drifting(trend, chosen_run.id) else ""
        echo(f"acknowledged {name}, which has no change point up to run {chosen_run.id} yet{hint}")
    else:
        effect = f"{trend_effect(trend, change)} since {run_date(change.bad)}"
        echo(f"acknowledged {name}: {effect}, run {change.bad.id}")
