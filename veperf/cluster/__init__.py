"""Sweeps and loads on many machines, by a dask.distributed scheduler (extra ``cluster``).

The specification of a sweep becomes tasks (``plan``), of which each is one ``veperf run``, or one
``veperf ab``, on a worker of the machine class that it names (``task_worker``), one at a time on a
host (``host_lock``). Results go to the archive at once, and into a journal (``sweep_journal``), so
that a sweep goes on where it was stopped. dask does the scheduling; ``session`` hands tasks over
and takes results in, once ``preflight`` has taken out the workers that don't fit. Without dask,
any engine runs tasks by their numbers (``task_array``).
"""
