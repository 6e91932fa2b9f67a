"""Addresses of schedulers."""

import dask
import pytest

from veperf.cluster.scheduler import check_scheduler
from veperf.core.errors import UsageError


@pytest.mark.parametrize(
    "address", [None, "tcp://10.0.0.1:8786", "10.0.0.1:8786", "tcp://[::1]:80", "tcp://box:8786"]
)
def test_what_can_be_one(address: str | None) -> None:
    """Whether there is a scheduler shows later."""
    check_scheduler(address)


@pytest.mark.parametrize(
    "address",
    ["", "box", "tcp://", "tcp://box", "foo://box:1", "box:port", "tcp://box:99999", "tcp://:0",
     "tcp://box:8786/x", "inproc://x", "\0"],
)  # fmt: skip
def test_what_can_t_be_one(address: str) -> None:
    """Is refused before anything is begun."""
    with pytest.raises(UsageError):
        check_scheduler(address)


def test_tls_needs_certificates() -> None:
    """That is said with the names of the settings, and so is a file that is not there."""
    with pytest.raises(UsageError, match="ca-file"):
        check_scheduler("tls://box:8786")
    tls = "distributed.comm.tls"
    nowhere = {f"{tls}.{name}": "/no/such.pem" for name in ("ca-file", "client.cert", "client.key")}
    with dask.config.set(nowhere), pytest.raises(UsageError, match="can't be used"):
        check_scheduler("tls://box:8786")
