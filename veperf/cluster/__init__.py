"""Sweeps: many runs on many machines, by a dask.distributed scheduler (extra ``cluster``).

A specification becomes tasks (``plan``), of which each is one ``veperf run``, or one ``veperf ab``,
on a worker of the machine class that it names (``work``), one at a time on a host (``host``). What
comes back goes to the archive at once, and into a ledger (``ledger``), so that a sweep goes on
where it was stopped.
dask does the scheduling; ``conduct`` hands tasks over and takes runs in.
"""
