"""State sync: snapshots of a chain's state as the Cosmos SDK makes, serves and restores them.

Nothing is exported here, so that a part can be imported without all others: ``snapshot`` makes the
chunks of a state and their metadata, ``snapshot_store`` keeps them on disk, ``restore`` makes a
state of them again, ``example_data`` has examples. What proves a state is its app hash, of
``transaction.multistore``.

Export a state of three stores, and restore it:

>>> from veperf.workloads.state_sync import example_data
>>> from veperf.workloads.state_sync.restore import restore_state
>>> from veperf.workloads.state_sync.snapshot import describe_chunks, export_chunks
>>> state = example_data.example_state(1_000)
>>> chunks = list(export_chunks(state, 1, chunk_bytes=100_000))
>>> snapshot = describe_chunks(1, chunks)
>>> restored = restore_state(snapshot, chunks, example_data.state_hash(state))
>>> len(chunks), {name: len(store) for name, store in restored.items()}
(3, {'bank': 500, 'market': 250, 'veid': 250})

A chunk that is not the one that belongs there is refused:

>>> chunks[0], chunks[1] = chunks[1], chunks[0]
>>> restore_state(snapshot, chunks, example_data.state_hash(state))
Traceback (most recent call last):
    ...
veperf.workloads.state_sync.errors.ChunkHashError: chunk 0: it is out of order: it has the hash \
of chunk 1
"""
