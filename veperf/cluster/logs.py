"""dask's own log, which is for whoever runs the cluster, kept from who only uses it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Keep dask's log back for the time of the block; what it is about is said in our words.

    Every logger is set: dask gives several of them a handler and a level of their own.
    """
    found = [
        logging.getLogger(name)
        for name in logging.root.manager.loggerDict
        if name.partition(".")[0] == "distributed"
    ]
    levels = [logger.level for logger in found]
    try:
        for logger in found:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(found, levels, strict=True):
            logger.setLevel(level)
