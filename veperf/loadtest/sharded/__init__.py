"""Load on a system in one process, put on by several other processes, the shards.

One schedule is divided among them, item i to shard i mod n. They start at one instant and measure
by their own clocks; their results are merged, and are invalid if any shard is lost, late or behind.
Target and shards are processes of this machine (``local_processes``) or of others (any
``messages.Launcher``).
"""
