"""Processes whose clocks differ from ours: in time namespaces of their own (time_namespaces(7)).

``CLOCK_MONOTONIC``, by which Python's ``perf_counter`` and ``monotonic`` go, is ahead in there by
as many seconds as one likes; what it shows otherwise, and the time of day, is the same.
"""

import os
import subprocess
from functools import cache


def ahead_by(seconds: int) -> list[str]:
    """The words before a command that have it run in a namespace of its own."""
    user = ["--user", "--map-root-user"] if os.geteuid() else []
    return [
        "unshare", *user, "--time", "--monotonic", str(seconds), "--fork", "--kill-child", "--",
    ]  # fmt: skip


@cache
def why_not() -> str:
    """What keeps this machine from having such namespaces; empty if nothing does."""
    try:
        subprocess.run([*ahead_by(1_000), "true"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return f"no time namespaces here: {error}"
    return ""
