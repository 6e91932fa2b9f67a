"""What a screen against a recorded baseline suspects, decided side by side with that code."""

from collections.abc import Sequence

from veperf.errors import UsageError
from veperf.gate import git
from veperf.judge.baseline import matching
from veperf.model import TIME, Baseline, ChangeStatus, Run, Verdict


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
