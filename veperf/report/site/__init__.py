"""The archive as a web site: its runs, its benchmarks over time, and where they got slower."""
