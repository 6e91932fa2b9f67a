"""Sham-edit battery: the gate on versions that do the same work, and on some that do more."""

import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import cycle, islice
from pathlib import Path

from veperf.abtest.comparison import MIN_SAMPLE_NS, SAMPLES, compare_sides
from veperf.abtest.progress import ComparisonProgress, ComparisonTable
from veperf.abtest.sham.edits import SHAM_EDITS, ShamEdit, edit_name, plant_slowdown
from veperf.abtest.sham.library import MODULE, SUITE, draw_base, write_version
from veperf.abtest.sham.result import (
    ShamComparison,
    ShamResult,
    battery_noise,
    check_kinds,
)
from veperf.abtest.sham.work import KINDS
from veperf.archive.store import open_archive
from veperf.archive.version_noise import save_version_noise
from veperf.core.ab_records import ABConfig
from veperf.core.errors import StorageError, UsageError
from veperf.core.option_fields import flat_names, keyword_options
from veperf.core.options import ShamOptions
from veperf.core.text import format_duration, format_exact
from veperf.progress.output import NotebookLine, choose_display, is_in_notebook, print_status

PLANTED = 0.05
"""Share of more work in the planted slowdowns."""

_TIMEOUT_S = 60.0


@keyword_options
def sham_selfcheck(
    *select: str,
    options: ShamOptions,
    archive: str | Path | None = None,
    progress: bool = True,
) -> ShamResult:
    """Compare versions of a small library that do the same work, and keep how much they differ.

    A version differs from its base by an edit beside the work: a function that nobody calls, an
    import, another order. Called slower or faster, it is a false alarm. Some versions do 5 % more
    work in addition, which is to be found. Takes about half a minute a version.

    Args:
        select: kinds of work, such as ``sham/sorting``; all when there is none.
        options: how to compare; each field is a keyword as well.
        archive: folder or URL of the archive, which keeps the between-version noise for later
            comparisons on this machine class; the project's ``reports`` when not given.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    kinds = _check_kinds(flat_names(select))
    storage = open_archive(archive).storage
    storage.require_writable()
    seed = secrets.randbits(32)
    plan = list(_plan(options, random.Random(seed)))  # noqa: S311 - an order, no secret
    forecast = _Forecast(len(plan), is_visible=progress)
    comparisons: list[ShamComparison] = []
    for number, (edit, effect) in enumerate(plan):
        config = battery_config(options, seed + number, kinds)
        forecast.started(number, edit, effect)
        with forecast.display() as display:
            comparisons.append(compare_edit(edit, effect, config, display))
        if comparisons[-1].run.stopped:
            break
    result = ShamResult(tuple(comparisons), check_kinds(comparisons), battery_noise(comparisons))
    if result.noise is None or result.was_stopped:
        return result
    try:
        return replace(result, place=save_version_noise(storage, result.noise))
    except StorageError as error:
        error.add_note(repr(result))
        raise


def battery_config(options: ShamOptions, seed: int, select: Sequence[str] = ()) -> ABConfig:
    """Return the settings of one comparison of a battery."""
    return ABConfig(
        select=tuple(select) or (SUITE,),
        modules=(MODULE,),
        samples=SAMPLES,
        min_sample_ns=MIN_SAMPLE_NS,
        seed=seed,
        timeout_s=_TIMEOUT_S,
        max_pairs=options.max_pairs,
        fail_over=options.fail_over,
        margin=options.margin,
        min_effect=options.min_effect,
        alpha=options.alpha,
    )


def compare_edit(
    edit: ShamEdit, effect: float, config: ABConfig, progress: ComparisonProgress
) -> ShamComparison:
    """Compare a version after ``edit``, with a share of ``effect`` of more work, with its base.

    The seed of ``config`` draws both.

    Raises:
        MeasureError: a side can't be run at all.
    """
    generator = random.Random(config.seed)  # noqa: S311 - a version, no secret
    base = draw_base(generator)
    new = edit(base, generator)
    if effect:
        new = plant_slowdown(new, effect)
    with tempfile.TemporaryDirectory(prefix="veperf-sham-") as folder:
        old_side = write_version(base, Path(folder) / "old", "before the edit")
        new_side = write_version(new, Path(folder) / "new", edit_name(edit))
        run = compare_sides(old_side, new_side, config, progress, time_alone=True)
    return ShamComparison(edit_name(edit), effect, run)


def _check_kinds(select: Sequence[str]) -> Sequence[str]:
    """Return ``select``, which may name kinds of work only.

    Raises:
        UsageError: it names something else, which the edits don't touch.
    """
    names = (SUITE, *(f"{SUITE}/{kind.__name__}" for kind in KINDS))
    for pattern in select:
        if pattern == "*" or not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(
                f"{pattern!r} is no kind of work of the battery: these are named {SUITE}/..., such "
                f"as {SUITE}/sorting, and `{SUITE}/*` is all of them"
            )
    return select


def _plan(options: ShamOptions, generator: random.Random) -> Iterator[tuple[ShamEdit, float]]:
    """Yield the edits in an order drawn at random, each with the effect that is planted."""
    edits = cycle(generator.sample(SHAM_EDITS, len(SHAM_EDITS)))
    effects = [0.0] * options.edits + [PLANTED] * options.planted
    yield from zip(islice(edits, len(effects)), effects, strict=True)


class _Forecast:
    """Progress of a battery: the comparison that runs now, and the time that is left."""

    def __init__(self, total: int, *, is_visible: bool) -> None:
        self._total = total
        self._is_visible = is_visible
        self._began = time.monotonic()
        self._show = _status_line()

    def started(self, number: int, edit: ShamEdit, effect: float) -> None:
        """Show that comparison ``number`` begins, counted from 0."""
        if not self._is_visible:
            return
        planted = f", and {format_exact(100 * effect, '%')} more work" if effect else ""
        name = edit_name(edit)
        text = f"comparison {number + 1} of {self._total}: {name[0].lower()}{name[1:]}{planted}"
        if number:
            left_s = (time.monotonic() - self._began) / number * (self._total - number)
            text += f"; about {format_duration(left_s, digits=2)} left"
        self._show(text)

    def display(self) -> ComparisonProgress:
        """Return a display of one comparison: a table in a terminal, nothing elsewhere."""
        if not self._is_visible:
            return ComparisonProgress()
        return choose_display(
            notebook=ComparisonProgress, terminal=ComparisonTable, log=ComparisonProgress
        )


def _status_line() -> Callable[[str], object]:
    return NotebookLine() if is_in_notebook() else print_status
