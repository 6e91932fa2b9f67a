"""The built-in suites: which module registers the benchmarks of each."""

SUITES = {
    "transaction": "veperf.workloads.transaction.benchmarks",
}
