"""Hypothesis without a limit on the time of an example: the machine may be busy.

py_ecc, the oracle of several tests, raises the recursion limit to 100,000 for good, at which deeply
nested JSON ends the process: it is loaded here, and the limit put back.
"""

import sys
from importlib import import_module

from hypothesis import settings

_limit = sys.getrecursionlimit()
import_module("py_ecc")
sys.setrecursionlimit(_limit)

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
