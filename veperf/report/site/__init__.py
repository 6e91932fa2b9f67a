"""The archive as a web site: its runs, benchmarks over time, and regressions."""
