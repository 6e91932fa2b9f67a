"""Performance analysis for VirtEngine: is it fast enough, is it slower than it was, and why.

>>> import veperf
>>> result = veperf.run("transaction")     # measure in fresh processes, keep in the archive
>>> result.verdict()                       # against the published targets and the baseline
>>> veperf.compare("20261120", "last")     # two runs
"""

import re
from importlib import import_module
from typing import Any

# The public names and their modules stand once, in the stub; each is imported on first use, so that
# a worker process and `veperf --help` pay only for what they use (pathlib is for others to load).
with open(f"{__file__}i", encoding="utf-8") as _stub:  # noqa: PTH123
    _TEXT = _stub.read()
_MODULE_OF = {
    name or function: module or home
    for module, name, function, home in re.findall(
        r"^from (\S+) import (\w+) as \w+$|^def (\w+)\(  # (\S+)$",
        _TEXT,
        re.MULTILINE,
    )
}
__all__ = [*_MODULE_OF]
_RENAMED = {"present": "report_view"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        hint = f"; it is now {_RENAMED[name]!r}" if name in _RENAMED else ""
        raise AttributeError(f"module 'veperf' has no attribute {name!r}{hint}")
    home = _MODULE_OF[name]
    # The name of a module beside this one, such as veperf.memory, which can be imported as well.
    return import_module(f"{home}.{name}") if home == __name__ else vars(import_module(home))[name]


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
