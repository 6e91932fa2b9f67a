"""Statistics on arrays and runs: is it fast enough, and is it slower than it was?"""

from veperf.judge.baseline import baselines_of, make_baseline
from veperf.judge.holm import holm
from veperf.judge.independent import Independent, independent
from veperf.judge.mann_whitney import MannWhitney, mann_whitney
from veperf.judge.robust import pick_clock, process_value
from veperf.judge.screen import compare_runs, screen
from veperf.judge.series import Series, series_of
from veperf.judge.shift import Estimate, median, ratio, shift
from veperf.judge.targets import judge_targets
from veperf.judge.verdict import exit_code, verdict

__all__ = [
    "Estimate",
    "Independent",
    "MannWhitney",
    "Series",
    "baselines_of",
    "compare_runs",
    "exit_code",
    "holm",
    "independent",
    "judge_targets",
    "make_baseline",
    "mann_whitney",
    "median",
    "pick_clock",
    "process_value",
    "ratio",
    "screen",
    "series_of",
    "shift",
    "verdict",
]
