"""Log lines of libraries are kept off the terminal where veperf reports what happened."""

import logging

import distributed  # noqa: F401 - its loggers exist once it is imported

from veperf.core.log_suppression import suppress_logging


def test_dask_logs_nothing_meanwhile() -> None:
    """None of its loggers does; before and after they are as they were set."""
    client, core = logging.getLogger("distributed.client"), logging.getLogger("distributed.core")
    other = logging.getLogger("veperf")
    before = client.level, core.level

    assert client.isEnabledFor(logging.ERROR)
    with suppress_logging("distributed"):
        assert not client.isEnabledFor(logging.CRITICAL)
        assert not core.isEnabledFor(logging.CRITICAL)
        assert other.isEnabledFor(logging.ERROR)
    assert before == (client.level, core.level)
