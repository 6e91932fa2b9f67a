"""An A/B comparison from the question to the file in the archive."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from veperf.abtest import git
from veperf.abtest.checkouts import prepared
from veperf.abtest.loop import RUNS, SAMPLES, compare_commands, compare_sides
from veperf.abtest.progress import Silent, for_here
from veperf.abtest.result import ABResult
from veperf.archive.comparisons import ab_folder, read_ab, save_ab
from veperf.archive.open import open_archive
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.writer import advice, needs_spare, spare_folder
from veperf.core.ab import ABConfig, ABRun, CommandValue
from veperf.core.case import TIME, Better, Metric
from veperf.core.errors import StorageError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import Baseline, ChangeStatus, Verdict
from veperf.measure.profiles import MIN_SAMPLE_NS
from veperf.stats.look_schedule import LOOKS
from veperf.verdicts.baseline import matching

Folder = str | Path | None


def ab(
    base: str,
    *select: str,
    head: str | None = None,
    modules: Sequence[str] = (),
    max_pairs: int = LOOKS[-1],
    fail_percent: float = 5.0,
    time_budget_s: float | None = None,
    timeout_s: float = 60.0,
    seed: int | None = None,
    among: int = 1,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Find out whether the code got slower since ``base``, and keep the answer in the archive.

    Old and new code run in pairs of fresh processes, sample by sample in turn, and no more of them
    than it takes to decide each benchmark; see docs/verdicts.md. The repository is that of the
    current folder. Ctrl-C (or interrupting the kernel) keeps what is decided by then.

    Args:
        base: a commit, branch or tag.
        select: suites, benchmarks or globs; all when there is none. Load is left out, and so are
            slow cases that are not named.
        head: the new code's commit; the working tree, uncommitted changes included, when not given.
        modules: more modules with benchmarks; each side imports its own.
        max_pairs: after so many a benchmark is inconclusive. 96 decide more than 48, and cost more.
        fail_percent: a slowdown that is surely more than this fails, a smaller one warns.
        time_budget_s: what is undecided then gets a last look.
        timeout_s: for one benchmark in one process.
        seed: of the order of measuring; drawn when not given.
        among: how many comparisons of the same change are made, this one included: one of so many
            must be the more certain, for the chance of a false alarm among them to stay the same.
        archive: folder or URL of the archive; the project's ``reports`` when not given.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    _check_times(timeout_s, time_budget_s)
    if among < 1:
        raise UsageError(f"it is one among 1 comparison or more, not {among}")
    config = ABConfig(
        select=select,
        modules=tuple(modules),
        samples=SAMPLES,
        min_sample_ns=MIN_SAMPLE_NS,
        seed=secrets.randbits(32) if seed is None else seed,
        timeout_s=timeout_s,
        max_pairs=max_pairs,
        fail_effect=fail_percent / 100,
        time_budget_s=time_budget_s,
        among=among,
    )
    folder = _writable(archive)
    with prepared(base, head) as (old, new), for_here() if progress else Silent() as shown:
        found = compare_sides(old, new, config, shown)
    return _kept(found, folder)


def ab_commands(
    command_a: str,
    command_b: str,
    *,
    value: CommandValue = "time",
    better: Better = "lower",
    unit: str = "",
    max_pairs: int = LOOKS[-1],
    fail_percent: float = 5.0,
    time_budget_s: float | None = None,
    timeout_s: float = 60.0,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Compare two shell commands as ``ab`` compares commits: is the second slower?

    Args:
        command_a: the old one.
        command_b: the new one.
        value: ``time`` is the CPU time of a command and its children where they keep one CPU
            busy, else how long it takes; ``cpu`` the CPU time in any case, which other work on the
            machine disturbs less; ``printed`` the number in the last line that it prints.
        better: whether a ``lower`` or a ``higher`` number is better.
        unit: of what is printed.
        max_pairs: as in ``ab``, and so are the rest.
        fail_percent: beyond which a slowdown fails.
        time_budget_s: what is undecided then gets a last look.
        timeout_s: for one run of one command.
        archive: folder or URL of the archive.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    if value != "printed" and (better != "lower" or unit):
        raise UsageError("a time is in ns, and lower is better: both are for printed values")
    _check_times(timeout_s, time_budget_s)
    config = ABConfig(
        select=(),
        modules=(),
        samples=RUNS,
        min_sample_ns=0,
        seed=0,
        timeout_s=timeout_s,
        max_pairs=max_pairs,
        fail_effect=fail_percent / 100,
        time_budget_s=time_budget_s,
    )
    folder, printed = _writable(archive), Metric("value", unit, better)
    with for_here() if progress else Silent() as shown:
        found = compare_commands((command_a, command_b), value, printed, config, shown)
    return _kept(found, folder)


def load_ab(name: str = "last", archive: Folder = None) -> ABResult:
    """A comparison from the archive: ``last``, an id, or the beginning of one.

    Raises:
        UnknownRunError, CorruptFileError, NewerFormatError: what they say.
    """
    folder = _archive(archive)
    found = read_ab(folder, name)
    return ABResult(found, ab_folder(folder, found.id))


def _check_times(timeout_s: float, time_budget_s: float | None) -> None:
    if not timeout_s > 0:
        raise UsageError(f"the timeout must be more than 0 seconds, not {timeout_s}")
    if time_budget_s is not None and not time_budget_s > 0:
        raise UsageError(f"the time budget must be more than 0 seconds, not {time_budget_s}")


def _writable(archive: Folder) -> Storage:
    folder = _archive(archive)
    folder.require_writable()
    return folder


def _kept(found: ABRun, archive: Storage) -> ABResult:
    """What took minutes is not lost, whatever happens to the archive."""
    try:
        save_ab(archive, found)
    except StorageError as error:
        if needs_spare(archive):
            folder = spare_folder()
            save_ab(LocalStorage(folder), found)
            error.add_note(f"it is kept in {folder}; {advice(folder, archive)}")
        error.add_note(repr(ABResult(found, archive)))
        raise
    return ABResult(found, ab_folder(archive, found.id))


def _archive(folder: Folder) -> Storage:
    return open_archive(folder).storage


def suspects(run: Run, verdict: Verdict, baselines: Sequence[Baseline]) -> dict[str, list[str]]:
    """The cases that ``verdict``, of ``run``, suspects, by the commit of their baseline.

    Only those that can be measured again: ``run`` is of the code that is checked out, and the
    baseline was recorded at a commit, without changes on top, that is in the repository.
    """
    try:
        top = git.repository()
    except UsageError:
        return {}
    if not run.revision.commit or git.has_commit(top, "HEAD") != run.revision.commit:
        return {}
    recorded = matching(run, baselines)
    found: dict[str, list[str]] = {}
    for change in verdict.changes:
        if change.status is ChangeStatus.SUSPECT and change.metric == TIME.name:
            baseline, _ = recorded[change.case, change.metric, change.unit]
            commit = baseline.revision.commit
            if commit and not baseline.revision.dirty and git.has_commit(top, commit):
                found.setdefault(commit, []).append(change.case)
    return found
