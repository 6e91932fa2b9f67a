"""A/B comparison of commits or commands, saved in the archive."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from veperf.abtest import git
from veperf.abtest.ab_result import ABResult
from veperf.abtest.comparison import MIN_SAMPLE_NS, RUNS, SAMPLES, compare_commands, compare_sides
from veperf.abtest.counts import require_counter
from veperf.abtest.progress import ComparisonProgress, comparison_progress
from veperf.abtest.sides import prepare_sides
from veperf.archive.comparisons import ab_folder, read_ab, save_ab
from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.store import open_archive
from veperf.archive.version_noise import read_version_noise
from veperf.archive.writer import fallback_folder, import_hint, needs_fallback
from veperf.core.ab_records import ABConfig, ABRun
from veperf.core.baseline import Baseline
from veperf.core.case import TIME, Metric
from veperf.core.errors import StorageError, UsageError
from veperf.core.option_fields import flat_names, keyword_options
from veperf.core.options import ABOptions, CommandOptions, EffectOptions, JudgeOptions
from veperf.core.policy import GatePolicy, find_policy
from veperf.core.project import project_selection
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus, Verdict
from veperf.measure.machine import describe_machine
from veperf.verdicts.baseline import match_baselines

Folder = str | Path | None


@keyword_options
def ab(
    base: str,
    *select: str,
    options: ABOptions,
    head: str | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Find out whether the code got slower since ``base``, and keep the answer in the archive.

    >>> change = veperf.ab("main", "transaction", time_budget_s=600)
    >>> change.frame()
    >>> change.figure_pairs()

    Old and new code run in pairs of fresh processes, sample by sample in turn, and no more of them
    than it takes to decide each benchmark; see docs/verdicts.md. The repository is that of the
    current folder. Between-version noise that ``selfcheck --sham`` left in the archive for this
    machine class is allowed for. Ctrl-C (or interrupting the kernel) keeps what is decided by then.

    Benchmarks that the change can't affect are not compared, unless ``compare_all`` is set.

    Args:
        base: a commit, branch or tag.
        select: suites, benchmarks or globs; all when there is none. Load is left out, and so are
            slow cases that are not named.
        options: how to compare; each field is a keyword as well. Each side imports ``modules`` of
            its own.
        head: the new code's commit; the working tree, uncommitted changes included, when not given.
        archive: folder or URL of the archive; the project's ``reports`` when not given.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    policy, storage = find_policy(), writable_archive(archive)
    noise = read_version_noise(storage, describe_machine().name)
    config = replace(
        judging_config(options, options.timeout_s),
        select=project_selection(flat_names(select)),
        levels=options.levels,
        expression=options.expression,
        compare_all=options.compare_all,
        modules=options.all_modules,
        samples=SAMPLES,
        min_sample_ns=MIN_SAMPLE_NS,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        comparisons=options.comparisons,
        version_noise=0.0 if noise is None else noise.overall.added,
        witness=options.witness,
        decide_by=options.decide_by,
    )
    require_counter(config)
    with (
        prepare_sides(base, head) as (old, new),
        comparison_progress() if progress else ComparisonProgress() as display,
    ):
        run = compare_sides(old, new, config, display)
    return save_comparison(run, storage, policy)


@keyword_options
def ab_commands(
    command_a: str,
    command_b: str,
    *,
    options: CommandOptions,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Compare two shell commands as ``ab`` compares commits: is the second slower?

    Args:
        command_a: the old one.
        command_b: the new one.
        options: how to compare; each field is a keyword as well. Of ``value``, ``time`` is the CPU
            time of a command and its children where they keep one CPU busy, else how long it takes;
            ``cpu`` the CPU time in any case, which other work on the machine disturbs less;
            ``printed`` the number in the last line that it prints.
        archive: folder or URL of the archive.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    if options.value != "printed" and (options.better != "lower" or options.unit):
        raise UsageError("a time is in ns, and lower is better: both are for printed values")
    if "bytecodes" in options.witness:
        raise UsageError("bytecodes are counted of benchmarks, not of commands")
    if options.value != "time" and options.decide_by != "time":
        raise UsageError("instructions decide, or the value of a command: --by or --value")
    config = replace(
        judging_config(options, options.timeout_s),
        witness=options.witness,
        decide_by=options.decide_by,
    )
    require_counter(config)
    policy, storage = find_policy(), writable_archive(archive)
    printed = Metric("value", options.unit, options.better)
    with comparison_progress() if progress else ComparisonProgress() as display:
        run = compare_commands((command_a, command_b), options.value, printed, config, display)
    return save_comparison(run, storage, policy)


def load_ab(name: str = "last", archive: Folder = None) -> ABResult:
    """Load a comparison from the archive: ``last``, an id, or the beginning of one.

    Raises:
        UnknownRunError, CorruptFileError, NewerFormatError: as their names say.
    """
    storage = open_archive(archive).storage
    run = read_ab(storage, name)
    return ABResult(run, ab_folder(storage, run.id))


def judging_config(options: JudgeOptions, timeout_s: float) -> ABConfig:
    """Return the settings of a comparison by which it is judged; the others are of one command."""
    fail_over = options.fail_over
    if fail_over is None:  # below the smallest change that matters nothing is slower
        fail_over = max(EffectOptions.fail_over, options.min_effect)
    return ABConfig(
        select=(),
        modules=(),
        samples=RUNS,
        min_sample_ns=0,
        seed=0,
        timeout_s=timeout_s,
        max_pairs=options.max_pairs,
        fail_over=fail_over,
        fail_over_given=options.fail_over is not None,
        margin=options.margin,
        min_effect=options.min_effect,
        time_budget_s=options.time_budget_s,
        alpha=options.alpha,
    )


def writable_archive(archive: Folder) -> Storage:
    """Open an archive for writing.

    Raises:
        StorageError: it can't be written.
    """
    storage = open_archive(archive).storage
    storage.require_writable()
    return storage


def save_comparison(run: ABRun, archive: Storage, policy: GatePolicy) -> ABResult:
    """Save ``run``; if that fails, in a fallback folder, as measuring took minutes."""
    try:
        save_ab(archive, run)
    except StorageError as error:
        if needs_fallback(archive):
            folder = fallback_folder()
            save_ab(LocalStorage(folder), run)
            error.add_note(f"it is kept in {folder}; {import_hint(folder, archive)}")
        error.add_note(repr(ABResult(run, archive, policy)))
        raise
    return ABResult(run, ab_folder(archive, run.id), policy)


def suspect_cases(
    run: Run, verdict: Verdict, baselines: Sequence[Baseline]
) -> dict[str, list[str]]:
    """Return the cases that ``verdict``, of ``run``, suspects, by the commit of their baseline.

    Only those that can be measured again: ``run`` is of the code that is checked out, and the
    baseline was recorded at a commit in the repository, without uncommitted changes.
    """
    try:
        top = git.find_repository()
    except UsageError:
        return {}
    if not run.revision.commit or git.find_commit(top, "HEAD") != run.revision.commit:
        return {}
    recorded = match_baselines(run, baselines)
    suspects: dict[str, list[str]] = {}
    for change in verdict.changes:
        if change.status is ChangeStatus.SUSPECT and change.metric == TIME.name:
            baseline, _ = recorded[change.case, change.metric, change.unit]
            commit = baseline.revision.commit
            if commit and not baseline.revision.dirty and git.find_commit(top, commit):
                suspects.setdefault(commit, []).append(change.case)
    return suspects
