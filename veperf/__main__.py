"""``python -m veperf``."""

from veperf.cli import main

main()
