"""The glossary section: every figure of a report, in the words of docs/glossary.md."""

from veperf.report.html import markup
from veperf.report.html.fragment import Fragment

_TERMS: tuple[tuple[str, str], ...] = (
    (
        "Process value",
        "Every benchmark runs in several fresh processes, because two processes differ more "
        "than two samples of the same process. Each contributes one process value: the mean of "
        "its fastest samples, which are those that the rest of the machine disturbed least. "
        "Each is a dot in the charts.",
    ),
    (
        "Value and interval",
        "The value of a benchmark is the median of its process values. The interval lies "
        "between two of the dots and covers the true median with the probability given beside "
        "it, whatever the distribution. With six processes that is 97 %, with three only 75 %.",
    ),
    (
        "Calls a sample",
        "Loops: the number of calls in a sample, so that reading the clock does not count. "
        "Where it is multiplied by a second number, a call does that many operations, and the "
        "value is that of one operation.",
    ),
    (
        "Spread",
        "The range of the process values as a share of their median: it shows how restless the "
        "machine was, or how much depends on chance in each process.",
    ),
    (
        "CPU time and wall time",
        "Work that keeps the CPU busy is judged by CPU time, which a busy machine disturbs "
        "less; work that waits (for a disk, for other processes) is judged by wall time.",
    ),
    (
        "Typical and p99",
        "The median and the 99th percentile of the wall times of all samples, disturbances "
        "included. They show what the value hides, such as slow outliers. They may warn, never "
        "fail.",
    ),
    (
        "Targets",
        "Met: no more than 10 % beyond the limit. Warning: up to 20 %. Missed: beyond that. "
        "(The two percentages are set in targets.json.) A known miss is a target that is known "
        "to be missed, with a reason; it is shown, but does not fail the run.",
    ),
    (
        "Headroom",
        "The room that a value leaves to its target, as a multiple or as a share of the limit.",
    ),
    (
        "Lower bound",
        "What no implementation on this machine beats, such as the library call alone. Where "
        "even the lower bound is beyond the limit, no change of the code can meet the target.",
    ),
    (
        "Open loop",
        "Arrivals are fixed beforehand and don't wait for each other. Latency counts from the "
        "scheduled arrival until the item is committed, so a system that stalls can't hide the "
        "items that had to wait.",
    ),
    (
        "p50, p95, p99, p99.9",
        "50, 95, 99 and 99.9 % of all items took no longer than that. The charts combine the "
        "latencies of all processes; a target is judged by the median of the processes' "
        "percentiles.",
    ),
    (
        "Lag, void",
        "Lag is how far the generator was behind its schedule for 99 % of the items. A load "
        "that was not offered as planned is void: it is shown, but meets no target.",
    ),
    (
        "Sustained rate",
        "The offered rate at which latency and errors stay within their limits, in most of the "
        "loads of full length at that rate: each is in a fresh process, and the first two that "
        "agree decide. Where the machine was too busy, a load counts neither way.",
    ),
    (
        "Capacity, gave out",
        "Capacity is how fast a backlog is drained, whatever the latency: it is measured in each "
        "process, so that it can be compared. What gave out is the stage with the largest share "
        "of the CPU time, or the load generator.",
    ),
    (
        "CPU time by stage",
        "The CPU time that each stage of the work took for one item, in all processes together. "
        "It hardly depends on how busy the machine is, and shows how many items a core can "
        "process.",
    ),
    (
        "Change",
        "The shift is the Hodges-Lehmann estimate: the median ratio over all pairs of a base "
        "and a new process value. A single outlier can't move it far. The interval beside it "
        "holds the changes that these samples don't rule out.",
    ),
    (
        "p",
        "The probability that the Mann-Whitney test sees such a difference by chance alone if "
        "the code did not become slower. It is corrected by Holm's method for the number of "
        "comparisons of the whole run: with twenty tests at 0.05 each, a false alarm would be the "
        "rule.",
    ),
    (
        "Within 3 %, suspect, slower",
        "Within 3 %: a slowdown of 3 % or more has been ruled out; one of 2 % may be there, and "
        "passes in up to half of all comparisons. Suspect: the values differ, but "
        "the baseline was recorded at another time, and machines drift; an A/B comparison of "
        "old and new code decides. Slower: the difference is too large for drift, and the "
        "calibration runs show that the machine's speed has not changed.",
    ),
    (
        "Inconclusive, not enough samples",
        "The samples neither show a slowdown nor rule one out. That is no pass: measure again "
        "with more processes (--profile standard or thorough).",
    ),
    (
        "Earlier runs",
        "A point for each of the last 20 runs on this machine, the dot for this one. The band "
        "is 5 % to either side of their median: a change beyond it would fail an A/B "
        "comparison.",
    ),
    (
        "Exponent",
        "The slope b of the line through the logarithms, of cost = a n^b by least squares: 1 is "
        "in proportion to the size, 2 its square, 0 independent of size. Its 95 % interval goes by "
        "how much fresh processes differ at each size. It is told only where that interval "
        "excludes 0 and no point is off by more than a factor of 1.25.",
    ),
    (
        "Calibration run",
        "Fixed work that belongs to no suite, timed in every process: it shows the machine's "
        "speed. If it changes from one run to another, the machine has changed, not the code.",
    ),
)


def glossary_section() -> Fragment:
    """Return the glossary, folded into one line."""
    html = markup.folded("Every figure explained", markup.definitions(_TERMS))
    return Fragment(html, "Glossary: see the HTML.")
