"""``python -m veperf``."""

from veperf.cli.main import main

main()
