"""How to read a report: every figure in it, explained in plain words."""

from veperf.report import markup

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
        "Yardstick",
        "A fixed piece of work that is no part of any benchmark, timed in every process. If it "
        "changes from one run to another, the machine has changed, not the code.",
    ),
)


def guide() -> str:
    """The explanation, folded into one line."""
    return markup.folded("Every figure, in plain words", markup.definitions(_TERMS))
