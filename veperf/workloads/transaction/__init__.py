"""A chain's transaction work: codec, signatures, execution and state, as in the Cosmos SDK.

Nothing is exported here, so that a part can be imported without all others: ``iavl.Tree``,
``cache.Cache`` and ``store.Store`` for state, ``codec`` for transactions,
``execution.process_block`` for blocks, ``pipeline.Pipeline`` for a chain core that takes
transactions one by one, ``example_data`` for examples. All of these are for transfers;
``modules.blocks`` has other messages and gas, on a store for each module (``multistore``).

Process a block of three transfers, and prove a value of the state after it:

>>> from veperf.workloads.transaction import example_data
>>> from veperf.workloads.transaction.execution import process_block
>>> from veperf.workloads.transaction.iavl import prove_key, verify_membership
>>> work = example_data.workload(accounts=10, transactions=3)
>>> block = process_block(work.tree, work.transactions, example_data.CHAIN)
>>> [result.code.name for result in block.results]
['OK', 'OK', 'OK']
>>> key, value = next(work.tree.iterate())
>>> verify_membership(block.root_hash, prove_key(work.tree, key), key, value)
True

Do the same in a pipeline; with a store's ``commit`` every block would be on disk, too:

>>> from veperf.workloads.transaction.pipeline import Pipeline
>>> work = example_data.workload(accounts=10, transactions=3)
>>> with Pipeline(work.tree, example_data.CHAIN, verifiers=0) as pipeline:
...     accepted = [pipeline.offer(tag, raw) for tag, raw in enumerate(work.transactions)]
...     (batch,) = pipeline.flush()
>>> batch.tags, batch.failed, batch.root_hash == block.root_hash
([0, 1, 2], {}, True)
"""
