"""Sweeps: many runs on many machines, by a dask.distributed scheduler (extra ``cluster``).

A specification becomes tasks (``plan``), of which each is one ``veperf run``, or one ``veperf ab``,
on a worker of the machine class that it names (``work``), one at a time on a host (``host``). What
comes back goes to the archive at once, and into a ledger (``ledger``), so that a sweep goes on
where it was stopped.
dask does the scheduling; ``conduct`` hands tasks over and takes runs in.
"""

from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import Plan, Task
from veperf.cluster.spec import AB, Spec, load_spec

__all__ = ["AB", "Ledger", "Plan", "Spec", "Task", "load_spec"]
