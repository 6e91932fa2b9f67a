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
