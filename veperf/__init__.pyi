from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pandas import DataFrame

from veperf import cpu as cpu
from veperf import memory as memory
from veperf.abtest.ab_result import ABResult as ABResult
from veperf.abtest.fleet_result import FleetResult as FleetResult
from veperf.abtest.run import Folder
from veperf.abtest.run import load_ab as load_ab
from veperf.abtest.selfcheck import SelfCheckResult as SelfCheckResult
from veperf.abtest.sham.result import ShamResult as ShamResult
from veperf.api.comparator import Comparator as Comparator
from veperf.api.history import History as History
from veperf.api.history import Trends as Trends
from veperf.api.reports import export as export
from veperf.api.reports import investigate as investigate
from veperf.api.reports import report_view as report_view
from veperf.api.results import Comparison as Comparison
from veperf.api.results import PolicyLike, RunLike
from veperf.api.results import RunResult as RunResult
from veperf.api.results import VerdictResult as VerdictResult
from veperf.api.runs import import_runs as import_runs
from veperf.api.runs import load as load
from veperf.api.runs import query as query
from veperf.api.runs import read as read
from veperf.api.runs import resume as resume
from veperf.api.sweep import load_fleet as load_fleet
from veperf.api.sweep import load_sweep as load_sweep
from veperf.archive.missing_runs import Progress
from veperf.archive.storage.location import Location
from veperf.cli.notebook import load_ipython_extension as load_ipython_extension
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import SweepOutcome
from veperf.core.option_fields import select_options as select_options
from veperf.core.options import ABOptions as ABOptions
from veperf.core.options import CommandOptions as CommandOptions
from veperf.core.options import CompareOptions as CompareOptions
from veperf.core.options import FleetOptions as FleetOptions
from veperf.core.options import GoOptions as GoOptions
from veperf.core.options import HistoryOptions as HistoryOptions
from veperf.core.options import ListOptions as ListOptions
from veperf.core.options import LoadOptions as LoadOptions
from veperf.core.options import ResultOptions as ResultOptions
from veperf.core.options import RunFilterOptions, SitePageOptions
from veperf.core.options import RunOptions as RunOptions
from veperf.core.options import SelfCheckOptions as SelfCheckOptions
from veperf.core.options import ShamOptions as ShamOptions
from veperf.core.options import SoakOptions as SoakOptions
from veperf.core.options import SweepOptions as SweepOptions
from veperf.core.version import __version__ as __version__
from veperf.jupyter.explorer import Explorer as Explorer
from veperf.jupyter.explorer import explore as explore
from veperf.profiling.memory.budget import MemoryBudget
from veperf.runner.soak_verdict import SoakResult

def ab(  # veperf.abtest.run
    base: str,
    *select: str,
    comparisons: int = 1,
    fail_over: float | str | None = None,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    time_budget_s: float | str | None = None,
    compare_all: bool = False,
    witness: Sequence[Literal["instructions", "bytecodes"]] = (),
    decide_by: Literal["time", "instructions"] = "time",
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    levels: Sequence[Literal["micro", "component", "integration", "load"]] = (),
    expression: str = "",
    seed: int | None = None,
    options: ABOptions | None = None,
    head: str | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult: ...
def ab_commands(  # veperf.abtest.run
    command_a: str,
    command_b: str,
    *,
    value: Literal["time", "cpu", "printed"] = "time",
    better: Literal["lower", "higher"] = "lower",
    unit: str = "",
    fail_over: float | str | None = None,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    time_budget_s: float | str | None = None,
    witness: Sequence[Literal["instructions", "bytecodes"]] = (),
    decide_by: Literal["time", "instructions"] = "time",
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    options: CommandOptions | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult: ...
def ab_fleet(  # veperf.api.sweep
    base: str,
    *select: str,
    machine_classes: Sequence[str] = (),
    fail_over: float | str | None = None,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    time_budget_s: float | str | None = None,
    compare_all: bool = False,
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    levels: Sequence[Literal["micro", "component", "integration", "load"]] = (),
    expression: str = "",
    seed: int | None = None,
    scheduler: str | None = None,
    wait_s: float | str = 600.0,
    options: FleetOptions | None = None,
    head: str | None = None,
    archive: Folder = None,
) -> FleetResult: ...
def ab_go(  # veperf.programs.run
    base: str,
    *packages: str,
    bench: str = ".",
    tags: str = "",
    processors: str = "",
    layouts: int = 16,
    fail_over: float | str | None = None,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    time_budget_s: float | str | None = None,
    timeout_s: float | str = 60.0,
    seed: int | None = None,
    options: GoOptions | None = None,
    head: str | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult: ...
def ab_results(  # veperf.programs.run
    command_a: str,
    command_b: str,
    *,
    bench_format: str = "",
    fail_over: float | str | None = None,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    time_budget_s: float | str | None = None,
    timeout_s: float | str = 60.0,
    options: ResultOptions | None = None,
    archive: Folder = None,
    progress: bool = True,
) -> ABResult: ...
def benchmarks(  # veperf.api.runs
    *select: str | Sequence[str],
    modules: Sequence[str] = (),
    levels: Sequence[Literal["micro", "component", "integration", "load"]] = (),
    expression: str = "",
    options: ListOptions | None = None,
) -> DataFrame: ...
def compare(  # veperf.api.runs
    base: RunLike,
    new: RunLike,
    archive: Folder = None,
    *,
    fail_over: float | str | None = None,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    alpha: float | str = 0.05,
    same_machine: bool = False,
    options: CompareOptions | None = None,
    policy: PolicyLike = None,
) -> Comparison: ...
def history(  # veperf.api.history
    benchmark: str,
    *,
    metric: str = "",
    machine: str = "",
    last: int | None = None,
    since: str = "",
    branch: str = "",
    commit: str = "",
    limit: int | None = None,
    options: HistoryOptions | None = None,
    archive: Folder = None,
    progress: Progress | None = None,
) -> History: ...
def resume_sweep(  # veperf.api.sweep
    sweep: str = "last",
    *,
    scheduler: str | None = None,
    wait_s: float | str = 600.0,
    options: SweepOptions | None = None,
    archive: Folder = None,
) -> SweepOutcome: ...
def run(  # veperf.api.runs
    *select: str | Sequence[str],
    profile: Literal["quick", "standard", "thorough"] = "quick",
    processes: int | None = None,
    min_time_s: float | str | None = None,
    short: bool = False,
    memory: bool = False,
    time_budget_s: float | str | None = None,
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    levels: Sequence[Literal["micro", "component", "integration", "load"]] = (),
    expression: str = "",
    seed: int | None = None,
    options: RunOptions | None = None,
    archive: Folder = None,
    baselines: Folder = None,
    progress: bool = True,
) -> RunResult: ...
def run_load(  # veperf.api.runs
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    seconds: float | str = 10.0,
    warmup_s: float | str = 2.0,
    arrivals: Literal["poisson", "constant"] = "poisson",
    shape: Literal["soak", "ramp", "burst"] = "soak",
    seed: int | None = None,
    shards: int = 0,
    scheduler: str | None = None,
    target: str | None = None,
    target_class: str = "",
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    options: LoadOptions | None = None,
    archive: Folder = None,
    baselines: Folder = None,
    progress: bool = True,
) -> RunResult: ...
def runs(  # veperf.api.history
    archive: Folder = None,
    *,
    machine: str = "",
    since: str = "",
    branch: str = "",
    commit: str = "",
    limit: int | None = None,
    options: RunFilterOptions | None = None,
) -> DataFrame: ...
def selfcheck(  # veperf.abtest.selfcheck
    *select: str,
    trials: int = 1,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    fail_over: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    timeout_s: float | str = 60.0,
    modules: Sequence[str] = (),
    options: SelfCheckOptions | None = None,
    progress: bool = True,
) -> SelfCheckResult: ...
def sham_selfcheck(  # veperf.abtest.sham.battery
    *select: str,
    edits: int = 6,
    planted: int = 1,
    max_pairs: int = 48,
    alpha: float | str = 0.05,
    fail_over: float | str = 0.05,
    margin: float | str = 0.03,
    min_effect: float | str = 0.01,
    options: ShamOptions | None = None,
    archive: str | Path | None = None,
    progress: bool = True,
) -> ShamResult: ...
def site(  # veperf.api.reports
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
    *,
    commit_url: str = "",
    machine: str = "",
    since: str = "",
    branch: str = "",
    commit: str = "",
    limit: int | None = None,
    options: SitePageOptions | None = None,
) -> Location: ...
def soak(  # veperf.runner.soak
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    minutes: float = 10.0,
    seed: int = 1,
    modules: Sequence[str] = (),
    options: SoakOptions | None = None,
    budget: MemoryBudget | None = None,
    flamegraph: str | Path | None = None,
) -> SoakResult: ...
def sweep(  # veperf.api.sweep
    spec: SweepSpec | str | Path,
    *,
    scheduler: str | None = None,
    wait_s: float | str = 600.0,
    options: SweepOptions | None = None,
    archive: Folder = None,
) -> SweepOutcome: ...
def trends(  # veperf.api.history
    *,
    metric: str = "",
    machine: str = "",
    last: int | None = None,
    since: str = "",
    branch: str = "",
    commit: str = "",
    limit: int | None = None,
    options: HistoryOptions | None = None,
    archive: Folder = None,
    progress: Progress | None = None,
) -> Trends: ...
