"""Keep papermill's and nbclient's own log lines off the terminal: our errors say it better."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_TALKATIVE = ("papermill", "papermill.translators", "papermill.utils", "traitlets")


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what they log, errors too, until the block ends."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
