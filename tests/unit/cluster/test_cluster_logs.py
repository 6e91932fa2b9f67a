"""dask's log is kept back where veperf says what happened."""

import logging

import distributed  # noqa: F401 - its loggers are there once it is imported

from veperf.cluster.logs import quiet


def test_dask_says_nothing_meanwhile() -> None:
    """None of its loggers does; before and after they are as somebody set them."""
    client, core = logging.getLogger("distributed.client"), logging.getLogger("distributed.core")
    ours = logging.getLogger("veperf")
    before = client.level, core.level

    assert client.isEnabledFor(logging.ERROR)
    with quiet():
        assert not client.isEnabledFor(logging.CRITICAL)
        assert not core.isEnabledFor(logging.CRITICAL)
        assert ours.isEnabledFor(logging.ERROR)
    assert before == (client.level, core.level)
