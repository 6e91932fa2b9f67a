"""How to read a report: every figure in it, explained in plain words."""

from veperf.report.html import markup

_TERMS: tuple[tuple[str, str], ...] = (
    (
        "Value of a process",
        "Every benchmark runs in several fresh processes, because two processes differ more than "
        "two samples of one. Each process gives one value: the mean of its fastest samples, which "
        "are those that the rest of the machine disturbed least. Each is a dot in the pictures.",
    ),
    (
        "Value and interval",
        "The value of a benchmark is the median over its processes. The interval lies between two "
        "of the dots and covers the true median with the probability given beside it, whatever "
        "the distribution. With six processes that is 97 %, with three only 75 %.",
    ),
    (
        "Calls a sample",
        "How often the work was done between two looks at the clock, so that the clock's own cost "
        "does not count. Times a second number: one call does that many operations, and the "
        "value is that of one.",
    ),
    (
        "Spread",
        "From the lowest to the highest of the processes' values, as a share of their median: how "
        "restless the machine was, or how much depends on a process's luck.",
    ),
    (
        "CPU time and wall time",
        "Work that keeps the CPU busy is judged by CPU time, which a busy machine disturbs less; "
        "work that waits (for a disk, for other processes) is judged by wall time.",
    ),
    (
        "Typical and p99",
        "The median and the 99th percentile of all samples by wall time, disturbances included. "
        "They show what the value hides, such as slow outliers. They may warn, never fail.",
    ),
    (
        "Targets",
        "Met: no more than 10 % beyond the limit. Warning: up to 20 %. Missed: beyond that. "
        "(The two percentages are set in targets.json.) A known miss is a target that is announced "
        "as missed; it is shown, but it does not fail the run.",
    ),
    (
        "Floor",
        "A benchmark of what another one can't do without, such as a library's call by itself. "
        "Where even the floor is beyond the limit, nothing of ours can meet it.",
    ),
    (
        "Under load",
        "Arrivals are fixed beforehand (open loop) and don't wait for each other. Latency counts "
        "from the moment something was to arrive until it was committed, so a system that stalls "
        "can't hide those that had to wait meanwhile.",
    ),
    (
        "p50, p95, p99, p99.9",
        "Half, 95, 99 of 100, 999 of 1,000 took no longer than that. For a picture the latencies "
        "of all processes are put together; a target is judged by the median of the processes' "
        "percentiles.",
    ),
    (
        "Lag, invalid",
        "How late the generator handed 99 of 100 over at most. A load that was not offered as "
        "planned is invalid: it is shown, but no target passes by it.",
    ),
    (
        "Rate sustained",
        "The highest rate at which latencies and errors stayed within their limits, found by "
        "trials in each process and confirmed by a longer run.",
    ),
    (
        "CPU time by stage",
        "What each step of the work cost for one item, in all processes together. It hardly "
        "depends on how busy the machine is, and tells how many a core could do.",
    ),
    (
        "Change",
        "The Hodges-Lehmann shift: of all pairs of one earlier and one new value, the middle "
        "ratio. One odd process can't move it far. The interval beside it says which changes "
        "these samples don't rule out.",
    ),
    (
        "p",
        "How often the Mann-Whitney test would see such a difference by chance alone if the code "
        "had not become slower. It is corrected by Holm's method for the number of benchmarks "
        "tested: with twenty tests at 0.05 each, one false alarm would be the rule.",
    ),
    (
        "No slower, suspect, slower",
        "No slower: a slowdown that matters has been ruled out. Suspect: the values differ, but "
        "they were recorded at another time, and machines drift; run old and new code side by "
        "side before you believe it. Slower: the difference is too large for that, and the "
        "yardstick says that the machine has not drifted.",
    ),
    (
        "Inconclusive, not enough samples",
        "The samples neither show a slowdown nor rule one out. That is no pass: measure again "
        "with more processes (--profile standard or thorough).",
    ),
    (
        "Earlier runs",
        "A point for each of the last 20 runs on this machine, the dot for this one. The band is "
        "5 % to either side of their median: a change beyond it would fail a comparison side by "
        "side.",
    ),
    (
        "Exponent",
        "The slope b of the line through the logarithms, of cost = a n^b by least squares: 1 is "
        "in proportion to the size, 2 its square, 0 no matter what size. Where a point is off by "
        "more than a factor of 1.25, no single exponent is given.",
    ),
    (
        "Yardstick",
        "A fixed piece of work that is no part of any benchmark, timed in every process. If it "
        "changes from one run to another, the machine has changed, not the code.",
    ),
)


def guide() -> str:
    """The explanation, folded into one line."""
    return markup.folded("Every figure, in plain words", markup.definitions(_TERMS))
