"""Load on a system in one process, with items that come from other processes, the shards.

A shard does::

    connection = join_load(address, k, n, subject=load_subject(...), token=token)
    result = run_open_loop(
        lambda items: RemoteSystem(connection, remote_load.source(k, n), items),
        schedule,
        start=connection.wait_for_start,
    )
    connection.clock, connection.clock_after, connection.lost

For loopback and trusted networks only: whoever has the load's token may take part, and messages
are neither encrypted nor signed. Nothing that comes over the wire is executed, imported or
unpickled, and a connection that breaks the rules is closed without harm to the others.
"""
