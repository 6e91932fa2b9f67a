"""The overview of a run that is still being measured: written between passes, without a kernel."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.cli_hints import command_hint
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.core.case import Level
from veperf.core.escape import as_html
from veperf.core.policy import find_policy
from veperf.core.run import Run
from veperf.core.target import MIN_PROCESSES
from veperf.core.text import as_sentence, plural
from veperf.report.case_summary import summarise_cases
from veperf.report.html import markup
from veperf.report.html.page import html_page
from veperf.report.load_summary import load_summaries
from veperf.report.pages.page_list import INDEX
from veperf.report.sections.overview import overview_table
from veperf.report.sections.target_grid import target_grid
from veperf.report.sections.verdict_sections import failures_section
from veperf.report.view import ReportView
from veperf.verdicts.verdict import run_verdict

# A refresh takes a browser some 0.1 s of CPU time, perhaps of the machine that measures.
_REFRESH_S = 30
# What is left on a disk is for the passes.
_SPARE_BYTES = 4 << 20


class PreliminaryPage:
    """The overview of a run, rewritten after each of its passes; its report takes its place.

    There is one only in archives on this machine: elsewhere, each write would be a transfer while
    the run waits.
    """

    def __init__(
        self, archive: Storage, run: Run, baselines: Path, notify: Callable[[str], None]
    ) -> None:
        """``baselines`` is the folder of targets and baselines; ``notify`` is told of an error."""
        folder = archive.at(run.id)
        self._folder = folder
        self.file = folder.folder / f"{INDEX}.html" if isinstance(folder, LocalStorage) else None
        """Its path; None where there is no such page."""
        self._archive = archive
        self._baselines = baselines
        self._notify = notify
        self._is_broken = False

    def write(self, run: Run, stopped: str = "") -> None:
        """Write the page from the passes that ``run`` has; ``stopped`` says why there are no more.

        An error is told once, and stops no run. On a disk that is nearly full there is no page.
        """
        if self.file is None or self._is_broken:
            return
        try:
            if disk_usage(self.file.parent).free < _SPARE_BYTES:
                self._folder.delete([self.file.name])
                return
            self._folder.write(self.file.name, self._page(run, stopped).encode())
        except Exception as error:  # noqa: BLE001 - minutes of measuring are worth more than a page
            self._is_broken = True
            self._notify(f"the overview is not kept up to date: {error}")

    def _page(self, run: Run, stopped: str) -> str:
        body = self._banner(run, stopped)
        if run.passes:
            body += _figures(run, self._baselines)
        return html_page(f"Run {run.id}", body, (), "", refresh_s=None if stopped else _REFRESH_S)

    def _banner(self, run: Run, stopped: str) -> str:
        done, planned = len(run.passes), run.config.passes
        is_whole = done >= planned
        if stopped:
            title, sentence = "Interrupted", stopped
        elif is_whole:
            report = command_hint("report", run.id, archive=self._archive)
            title, sentence = "Measured", f"{report} judges it, and takes the place of this page"
        else:
            sentence = "It refreshes by itself; the verdict is given when all are measured"
            title = f"Preliminary: pass {done + 1} of {planned} is being measured"
        passes = plural(planned, "pass", "passes")
        written = f"As of {datetime.now(UTC):%H:%M:%S} UTC, {done} of {passes}."
        tone = "warn" if stopped else "quiet"
        return (
            f'<div class="vp"><div class="vp-banner vp-{tone}">'
            f'<p class="vp-outcome">{as_html(title)}</p>'
            f'<p class="vp-sentence">{_with_commands(as_sentence(sentence))}</p>'
            f"{markup.paragraph(written)}</div></div>"
        )


def _with_commands(text: str) -> str:
    """Return ``text`` as HTML, with what stands in backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", as_html(text))


def _figures(run: Run, baselines: Path) -> str:
    """Return failures, targets and cases so far; outcomes are left to the verdict on all passes."""
    recorded = load_baselines(baselines, sorted({case.suite for case in run.cases}))
    targets = load_targets(baselines)
    verdict = run_verdict(run, targets, recorded, policy=find_policy())
    few = f"A time is judged from {MIN_PROCESSES} processes on: until then it is not measured."
    parts = [failures_section(verdict.failures), "<h3>Targets so far</h3>"]
    parts += [markup.paragraph(few), target_grid(verdict).html]
    timed = [m for m in summarise_cases(run) if m.case.level is not Level.LOAD and not m.is_memory]
    loads = load_summaries(run)
    for suite in dict.fromkeys(case.suite for case in run.cases):
        table = overview_table(
            [metric for metric in timed if metric.case.suite == suite],
            [load for load in loads if load.case.suite == suite],
            verdict,
            {},
            f"Every case of {suite} so far",
        )
        parts.append(f"<h3>{as_html(suite)}</h3>{markup.html_table(table)}")
    parts.append(ReportView(run, verdict, recorded).identity.html)
    return f'<div class="vp">{"".join(parts)}</div>'
