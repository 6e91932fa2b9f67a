"""Load on a system in one process, put on by several others: the shards.

One schedule is divided among them, item i to shard i mod n. They start at one instant and measure
by their own clocks; their results are merged, and are invalid where any of them was lost, late or
behind. Target and shards are processes of this machine (``here``) or of others (``hands.Place``).
"""
