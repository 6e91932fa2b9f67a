"""Statistics of memory in which nothing happens."""

from veperf.profiling.memory.snapshot_stats import MemoryStats, Range

CALM = Range(min=1, max=2, mean=1.5, first=1, last=1)
STATS = MemoryStats(
    snapshots=2,
    duration_s=1.0,
    rss=CALM,
    peak_rss_bytes=2,
    blocks=CALM,
    objects=CALM,
    threads=CALM,
    tasks=CALM,
    processes=CALM,
    concurrent=CALM,
    gc_cycles=(0, 0, 0),
    gc_total_ns=0,
    gc_longest_ns=(0, 0, 0),
    gc_longest_cpu_ns=(0, 0, 0),
    gc_forced_cycles=0,
    gc_forced_longest_ns=0,
    gc_forced_longest_cpu_ns=0,
)
