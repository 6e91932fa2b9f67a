"""A load whose system is one process, and whose items come from others: the shards.

A shard does::

    connection = connect(address, k, n, subject=subject_of(...), token=token)
    result = run_load(
        lambda items: RemoteSystem(connection, apart.source(k, n), items),
        schedule,
        start=connection.wait_for_start,
    )
    connection.clock, connection.clock_after, connection.lost

For loopback and networks that are trusted: who has the load's token may take part, and what is
sent is neither encrypted nor signed. Nothing that comes over the wire is executed, imported or
unpickled, and a connection that breaks the rules is closed without harm to the others.
"""

from veperf.measure.load.apart.address import Address, Listener, parse_address
from veperf.measure.load.apart.benchmark import apart_of, checked_apart, subject_of
from veperf.measure.load.apart.clock import ClockOffset
from veperf.measure.load.apart.connection import Connection, connect
from veperf.measure.load.apart.process import TargetProcess, TargetSpec
from veperf.measure.load.apart.secret import TOKEN_VARIABLE, draw_token, given_token
from veperf.measure.load.apart.server import Served, serve
from veperf.measure.load.apart.surroundings import Surroundings
from veperf.measure.load.apart.system import RemoteSystem
from veperf.measure.load.apart.visit import machine_at

__all__ = [
    "TOKEN_VARIABLE",
    "Address",
    "ClockOffset",
    "Connection",
    "Listener",
    "RemoteSystem",
    "Served",
    "Surroundings",
    "TargetProcess",
    "TargetSpec",
    "apart_of",
    "checked_apart",
    "connect",
    "draw_token",
    "given_token",
    "machine_at",
    "parse_address",
    "serve",
    "subject_of",
]
