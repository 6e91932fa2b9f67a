"""The ``veperf`` command, a module a subcommand."""

import os
import signal
from typing import NoReturn

# Nothing of veperf is imported here: Ctrl-C during that would be a traceback.
_INTERRUPTED = 130  # core.errors.INTERRUPTED


def stop(_number: int, _frame: object) -> NoReturn:
    """End the process without a word: a handler of SIGINT."""
    os._exit(_INTERRUPTED)


def stop_at_once_on_ctrl_c(at_once: bool) -> None:
    """Have Ctrl-C end the process without a word, or raise KeyboardInterrupt as usual.

    Whoever ignores it, such as a shell for what it runs in the background, is left alone.
    """
    usual = signal.default_int_handler
    before, after = (usual, stop) if at_once else (stop, usual)
    if signal.getsignal(signal.SIGINT) == before:
        signal.signal(signal.SIGINT, after)


def main() -> NoReturn:
    """Run the command of the command line: see ``veperf.cli.main``, which takes long to load."""
    stop_at_once_on_ctrl_c(True)
    from veperf.cli.main import main as run

    try:
        run()
    finally:  # the interpreter still ends threads and runs handlers
        stop_at_once_on_ctrl_c(True)
