"""CPU profiles: the CPU time of a benchmark or a callable, by function and by line.

Never taken in the same pass as timings, because sampling costs time, too.
"""
