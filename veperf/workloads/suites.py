"""The built-in suites: which module registers the benchmarks of each."""

SUITES = {
    "transaction": "veperf.workloads.transaction.benchmarks",
    "verification": "veperf.workloads.verification.benchmarks",
    "bidding": "veperf.workloads.bidding.benchmarks",
    "zk_proof": "veperf.workloads.zk.benchmarks",
}

ON_REQUEST = {"memory": "veperf.profiling.memory.benchmarks"}
"""Those that runs leave out unless they are named."""
