"""Performance analysis for VirtEngine: is it fast enough, is it slower than it was, and why.

>>> import veperf
>>> result = veperf.run("transaction")     # measure in fresh processes, keep in the archive
>>> result.verdict()                       # against the published targets and the baseline
>>> veperf.compare("20261120", "last")     # two runs
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

# The public names and their modules stand once, in the stub; each is imported on first use, so that
# a worker process and `veperf --help` pay only for what they use.
_MODULE_OF = {
    name: module
    for module, name in re.findall(
        r"^from (\S+) import (\w+) as \w+$",
        Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
}
__all__ = [*_MODULE_OF]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'veperf' has no attribute {name!r}")
    module = import_module(_MODULE_OF[name])
    return getattr(module, name, None) or import_module(f"{module.__name__}.{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
