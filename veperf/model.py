"""What is stored and passed around: frozen, typed, free of behaviour.

Everything here is a msgspec struct, so that a file read from elsewhere is checked against these
types before anything believes it. Bare numbers carry their unit in the name.
"""

"""What a load run yields beside its rates, ``offered`` and ``achieved``, whose unit is the suite's.

``lag_p99`` is how late the generator handed items over; that is part of their latency, too.
"""
"""What an operation holds at most, and what it allocates, freed or not; see ``veperf.profiling.memory``.

A run has them where it was asked to measure memory. They are counts: load and speed of the machine
don't change them.
"""
"""What counts of a command: wall or CPU time, CPU time, or the last line that it prints."""
