"""The fault campaign: processes killed, disks full, bits flipped, clocks set back, many writers.

`python -m tests.faults --scale 10` runs it at ten times the length of the slow tests, and prints
the figures of docs/reliability.md. Each campaign raises an AssertionError that names the trial and
its seed where something is lost, half written, silently wrong, or raises an error that isn't typed.
"""
