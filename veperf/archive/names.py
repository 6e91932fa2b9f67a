"""Names of runs and comparisons, which are names of folders in the archive, too."""

PACKS = "packs"
"""The folder of the packs."""
NO_NAME = (
    "no run id: that is 1 to 255 bytes of printable characters without a slash, and begins with "
    "no dot; `veperf report --help` shows what else a run may be called by"
)
_LONGEST_BYTES = 255  # on most file systems


def is_name(id: str) -> bool:
    """Whether ``id`` can name a folder in the archive, and no path elsewhere.

    Nothing that would break a line, or turn it round, in a terminal or a log.
    """
    if not id.isprintable() or not id or id.startswith(".") or "/" in id or id == PACKS:
        return False
    return len(id.encode()) <= _LONGEST_BYTES
