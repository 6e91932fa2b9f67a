"""The last green commit: the newest one before this code that passed the gate."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from veperf.abtest import git
from veperf.abtest.gate import decide_comparison
from veperf.api.results import RunResult, baselines_folder
from veperf.archive.baselines import load_baselines
from veperf.archive.comparisons import read_ab
from veperf.archive.completion_order import COMPARISON, read_stamps
from veperf.archive.manifest import is_run_id
from veperf.archive.store import Archive, open_archive
from veperf.core.errors import DataError, UsageError
from veperf.core.policy import find_policy
from veperf.core.project import project_selection
from veperf.core.registry import SUITES
from veperf.core.run import Revision

GREEN = "green"
"""Name of the last run or comparison that passed."""
_MOST_READ = 200
_COMPARISON_FOLDER = "ab-"


def find_since(
    name: str,
    select: Sequence[str] = (),
    head: str | None = None,
    archive: str | Path | None = None,
) -> str:
    """Return the commit that was measured by a run of the archive.

    Args:
        name: ``green``, ``last``, an id of a run, or the beginning of one. ``green`` is the run or
            comparison that passed last, among those of everything or of the same selection, and of
            a commit before ``head`` without uncommitted changes; without one, that of the newest
            baseline.
        select: suites, benchmarks and globs that are to be compared.
        head: the code that is to be compared; the commit that is checked out when not given.
        archive: folder or URL of the archive; the project's ``reports`` when not given.

    Raises:
        UsageError: none passed, or the run's commit is not in the repository.
        UnknownRunError, CorruptFileError: as ``veperf.load``.
    """
    repository = git.find_repository()
    store = open_archive(archive)
    if name != GREEN:
        run = store.load(name)
        commit = git.find_commit(repository, run.revision.commit) if run.revision.commit else None
        if commit is None or run.revision.dirty:
            raise UsageError(
                f"run {run.id} measured no commit of {repository}, or one with uncommitted changes"
            )
        return commit
    newest = git.resolve_commit(repository, head or "HEAD")

    def is_before(revision: Revision) -> bool:
        return (
            bool(revision.commit)
            and not revision.dirty
            and git.is_ancestor(repository, revision.commit, newest)
        )

    for revision in _passed(store, project_selection(tuple(select))):
        if is_before(revision):
            return revision.commit
    baselines = load_baselines(baselines_folder(None), sorted(SUITES))
    recorded = [b for b in baselines if is_before(b.revision)]
    if recorded:
        return max(recorded, key=lambda baseline: baseline.recorded).revision.commit
    raise UsageError(
        f"no run or comparison in {store.location} passed that was made of a commit before "
        f"{newest[:10]}, and there is no baseline of one: name the commit to compare with"
    )


def _passed(store: Archive, select: tuple[str, ...]) -> Iterator[Revision]:
    """Yield the code of each run and comparison that passed, the last one first.

    One of other benchmarks than ``select`` says nothing about these.
    """
    selections = ((), select)
    policy = find_policy()
    stamps = store.completion_stamps() | read_stamps(store.storage, COMPARISON)
    for name in sorted(stamps, key=stamps.__getitem__, reverse=True)[:_MOST_READ]:
        try:
            if name.startswith(_COMPARISON_FOLDER):
                comparison = read_ab(store.storage, name)
                config, revision = comparison.config, comparison.new.revision
                if config.select not in selections or config.levels or config.expression:
                    continue
                decision = decide_comparison(comparison, policy)
            elif is_run_id(name):
                run = store.read(name)
                revision = run.revision
                if run.config.select not in selections or run.source != "veperf":
                    continue
                decision = RunResult(run, store.at(name)).verdict().decision
            else:
                continue
        except DataError:
            continue  # `veperf archive verify` names it
        if decision.exit_code == 0:
            yield revision
