"""Every format that a run can be written in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veperf.core.errors import UsageError
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.formats import (
    bencher,
    github_action,
    go_test,
    junit,
    markdown,
    pyperf,
    pytest_benchmark,
    rows,
)
from veperf.formats.exported_values import Written
from veperf.formats.judged import Judged, JudgedRun


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name, what it is in a few words, and what writes it."""

    name: str
    what: str
    write: Callable[[Run], Written] | None = None
    write_judged: Callable[[Sequence[Judged]], Written] | None = None
    """In place of ``write`` where verdicts are what is written."""


FORMATS = (
    Format("pytest-benchmark", "JSON for pytest-benchmark compare", pytest_benchmark.write),
    Format("pyperf", "JSON for pyperf show and compare_to", pyperf.write),
    Format("bencher", "Bencher Metric Format, JSON", bencher.write),
    Format(
        "github-action-smaller",
        "JSON for github-action-benchmark's customSmallerIsBetter",
        github_action.write_smaller,
    ),
    Format(
        "github-action-bigger",
        "JSON for github-action-benchmark's customBiggerIsBetter",
        github_action.write_bigger,
    ),
    Format("go", "Go benchmark text, for benchstat", go_test.write),
    Format("csv", "a row a value", rows.write_csv),
    Format("parquet", "the same, for DataFrames", rows.write_parquet),
    Format("junit", "the verdict as JUnit XML", write_judged=junit.write),
    Format("summary", "the verdict as Markdown, under 1 MiB", write_judged=markdown.write_summary),
    Format(
        "comment",
        "the verdict as a pull request's comment, under 64 KB",
        write_judged=markdown.write_comment,
    ),
)
NAMES = tuple(one.name for one in FORMATS)


def named(format: str) -> Format:
    """The format of that name.

    Raises:
        UsageError: there is none.
    """
    found = next((one for one in FORMATS if one.name == format), None)
    if found is None:
        raise UsageError(f"no format {format!r}; known are {', '.join(NAMES)}")
    return found


def write(run: Run, format: str, judge: Callable[[], Verdict]) -> Written:
    """``run`` in one of the formats ``NAMES``.

    Args:
        run: whichever tool measured it.
        format: one of ``NAMES``.
        judge: gives the verdict on the run; asked only by formats that show one.

    Raises:
        UsageError: there is no such format, or it can hold nothing of the run.
    """
    found = named(format)
    if found.write_judged is not None:
        return found.write_judged([JudgedRun(run, judge())])
    assert found.write is not None
    return found.write(run)


def write_judged(judged: Sequence[Judged], format: str) -> Written:
    """What was judged in one of the formats ``NAMES``; its first run where that is no verdict's.

    Raises:
        UsageError: there is no such format, or it can hold nothing of ``judged``.
    """
    found = named(format)
    if found.write_judged is not None:
        return found.write_judged(judged)
    assert found.write is not None
    for one in judged:
        if isinstance(one, JudgedRun):
            return found.write(one.run)
    raise UsageError(f"an A/B comparison has nothing that can be written as {format}")
