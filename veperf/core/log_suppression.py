"""Keep the log lines of libraries off the terminal where our own errors say it better."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NOTEBOOK_LOGGERS = ("papermill", "traitlets")


@contextmanager
def suppress_logging(*names: str) -> Iterator[None]:
    """Drop all that the loggers ``names`` and those below them log, until the block ends.

    Every logger is set, as some libraries give several of them a level of their own.
    """
    below = tuple(f"{name}." for name in names)
    known = [name for name in logging.root.manager.loggerDict if name.startswith(below)]
    loggers = [logging.getLogger(name) for name in (*names, *known)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
