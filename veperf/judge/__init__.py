"""Statistics on arrays and runs: is it fast enough, and is it slower than it was?"""

from veperf.judge.baseline import baselines_of, make_baseline, pooled
from veperf.judge.change_points import ChangePoint, change_points
from veperf.judge.holm import holm
from veperf.judge.independent import Independent, independent
from veperf.judge.looks import LOOKS, Plan, looks_up_to, plan
from veperf.judge.mann_whitney import MannWhitney, mann_whitney
from veperf.judge.paired import PairedVerdict, paired
from veperf.judge.pairs import PairRule
from veperf.judge.robust import pick_clock, process_value
from veperf.judge.screen import compare_runs, screen
from veperf.judge.sequential import (
    Look,
    Sequential,
    SequentialVerdict,
    sequential,
    sequential_suite,
)
from veperf.judge.series import Series, series_of
from veperf.judge.shift import Estimate, median, ratio, shift
from veperf.judge.targets import judge_targets
from veperf.judge.verdict import exit_code, verdict
from veperf.judge.walsh import pseudomedian
from veperf.judge.wilcoxon import Wilcoxon, wilcoxon
from veperf.model import Severity

__all__ = [
    "LOOKS",
    "ChangePoint",
    "Estimate",
    "Independent",
    "Look",
    "MannWhitney",
    "PairRule",
    "PairedVerdict",
    "Plan",
    "Sequential",
    "SequentialVerdict",
    "Series",
    "Severity",
    "Wilcoxon",
    "baselines_of",
    "change_points",
    "compare_runs",
    "exit_code",
    "holm",
    "independent",
    "judge_targets",
    "looks_up_to",
    "make_baseline",
    "mann_whitney",
    "median",
    "paired",
    "pick_clock",
    "plan",
    "pooled",
    "process_value",
    "pseudomedian",
    "ratio",
    "screen",
    "sequential",
    "sequential_suite",
    "series_of",
    "shift",
    "verdict",
    "wilcoxon",
]
