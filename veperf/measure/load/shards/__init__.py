"""Load on a system in one process, put on by several others: the shards.

One schedule is divided among them, item i to shard i mod n. They start at one instant and measure
by their own clocks; their results are merged, and are invalid where any of them was lost, late or
behind. Target and shards are processes of this machine (``here``) or of others (``hands.Place``).
"""

from veperf.measure.load.shards.conduct import put_load
from veperf.measure.load.shards.hands import Hand, Hear, Place
from veperf.measure.load.shards.local import Here, here
from veperf.measure.load.shards.messages import Heard, Load, Order
from veperf.measure.load.shards.passes import Ground, ShardedPasses
from veperf.measure.load.shards.report import ShardReport, shard_of

__all__ = [
    "Ground",
    "Hand",
    "Hear",
    "Heard",
    "Here",
    "Load",
    "Order",
    "Place",
    "ShardReport",
    "ShardedPasses",
    "here",
    "put_load",
    "shard_of",
]
