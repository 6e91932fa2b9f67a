"""A/B comparisons of programs, saved in the archive: Go benchmarks, and what commands print."""

import random
import secrets

from msgspec.structs import replace

from veperf.abtest.ab_result import ABResult
from veperf.abtest.progress import ComparisonProgress, comparison_progress
from veperf.abtest.run import Folder, judging_config, save_comparison, writable_archive
from veperf.core.option_fields import flat_names, keyword_options
from veperf.core.options import GoOptions, ResultOptions
from veperf.core.policy import find_policy
from veperf.programs.command_results import compare_printed
from veperf.programs.go_comparison import compare_go
from veperf.programs.go_discovery import SAMPLE_NS
from veperf.programs.go_packages import GoSelection
from veperf.programs.go_pairs import RUNS as GO_RUNS
from veperf.programs.go_sampling import SAMPLES
from veperf.programs.go_sides import GoSettings, default_processors
from veperf.programs.printed_results import AUTO, require_format

_ALL = "./..."
_MOST_LAYOUTS = 1 << 20
_GO = "go"


@keyword_options
def ab_go(
    base: str,
    *packages: str,
    options: GoOptions,
    head: str | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Find out whether Go benchmarks got slower since ``base``, and keep the answer.

    The test binaries of both commits are built once, and each benchmark runs in pairs of fresh
    processes with equal iterations until it is decided; see docs/verdicts.md. The repository is
    that of the current folder, and needs nothing of veperf's. Ctrl-C keeps what is decided by then.

    Args:
        base: a commit, branch or tag.
        packages: patterns of Go packages, relative to the current folder; all when there is none.
        options: how to compare; each field is a keyword as well.
        head: the new code's commit; the working tree, uncommitted changes included, when not given.
        archive: folder or URL of the archive; the project's ``reports`` when not given.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    policy, storage = find_policy(), writable_archive(archive)
    patterns = flat_names(packages) or (_ALL,)
    processors = tuple(dict.fromkeys(map(int, filter(None, options.processors.split(",")))))
    # The same orders each time, so that binaries are built once; others for another seed.
    layouts = list(range(1, options.layouts + 1))
    if options.seed is not None:
        generator = random.Random(options.seed)  # noqa: S311 - an order, no secret
        layouts = generator.sample(range(1, _MOST_LAYOUTS), options.layouts)
    settings = GoSettings(
        GoSelection(patterns, options.bench, options.tags),
        processors or (default_processors(),),
        tuple(layouts),
    )
    config = replace(
        judging_config(options, options.timeout_s),
        select=() if options.bench == GoOptions.bench else (options.bench,),
        samples=GO_RUNS * SAMPLES,
        min_sample_ns=SAMPLE_NS,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        packages=patterns,
        results_format=_GO,
    )
    with comparison_progress() if progress else ComparisonProgress() as display:
        run = compare_go(base, head, settings, config, display)
    return save_comparison(run, storage, policy)


@keyword_options
def ab_results(
    command_a: str,
    command_b: str,
    *,
    options: ResultOptions,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult:
    """Compare two commands that print many results, one by one: which of them are slower?

    Args:
        command_a: the old one.
        command_b: the new one.
        options: how to compare; each field is a keyword as well. ``bench_format`` is the format of
            what both print, as of a file for ``veperf import``; it is detected when not given.
        archive: folder or URL of the archive.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    format = options.bench_format or AUTO
    require_format(format)
    config = replace(
        judging_config(options, options.timeout_s),
        results_format=format,
    )
    policy, storage = find_policy(), writable_archive(archive)
    with comparison_progress() if progress else ComparisonProgress() as display:
        run = compare_printed((command_a, command_b), config, display)
    return save_comparison(run, storage, policy)
