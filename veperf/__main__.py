"""``python -m veperf``."""

import os
import signal

# First of all, as what is imported next takes time, and Ctrl-C then is no traceback.
if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from veperf.cli import stop

    signal.signal(signal.SIGINT, stop)

from veperf.cli import main

main()
