"""A task as a command line of ``veperf``, and what that leaves behind."""

from itertools import chain
from pathlib import Path

from veperf.cluster.plan import Job, Pairs, Task
from veperf.errors import COULD_NOT_MEASURE, FAILED, OK


def command(task: Task, archive: Path) -> list[str]:
    """The words after ``veperf`` that do ``task`` and keep what it finds in ``archive``."""
    options = {
        "--seed": str(task.seed),
        "--timeout": str(task.timeout_s),
        "--archive": str(archive),
    }
    job = task.job
    if isinstance(job, Pairs):
        options |= {
            "--head": job.head.commit,
            "--max-pairs": str(job.max_pairs),
            "--threshold": str(job.fail_percent),
            "--among": str(job.among),
        }
        if job.time_budget_s is not None:
            options["--time-budget"] = f"{job.time_budget_s:f}"
        words, flags = ["ab"], []
        rest = [job.base.commit, *job.patterns]
    else:
        options["--profile"] = job.profile
        words, flags = ["run"], ["--memory"] if job.memory else []
        rest = [job.pattern]
    given = chain.from_iterable(options.items())
    modules = chain.from_iterable(("--module", module) for module in task.modules)
    return [*words, *given, *modules, *flags, "--", *rest]


def result_in(archive: Path, job: Job, code: int) -> str | None:
    """What the command for ``job``, which ended with ``code``, left; None where it failed."""
    if isinstance(job, Pairs):
        # A slowdown, or a benchmark that is broken on one side, is what it found.
        found = list(archive.glob("ab-*/ab.json"))
        good = code in (OK, FAILED, COULD_NOT_MEASURE)
    else:
        found = [path.with_name("run.json") for path in archive.glob("*/complete.json")]
        good = code == OK
    return found[0].read_text(encoding="utf-8") if good and len(found) == 1 else None
