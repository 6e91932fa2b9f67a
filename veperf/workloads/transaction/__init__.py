"""A chain's transaction work: codec, signatures, execution and state, as in the Cosmos SDK.

Nothing is handed on here, so that a part can be had without importing all of them: ``iavl.Tree``,
``cache.Cache`` and ``store.Store`` for state, ``codec`` and ``validation`` for transactions,
``execution.process_block`` for blocks, ``pipeline.Pipeline`` for a chain core that takes
transactions one by one, ``sample`` for examples.

A block of three transfers, and the proof of something that it left in the state:

>>> from veperf.workloads.transaction import sample
>>> from veperf.workloads.transaction.execution import process_block
>>> from veperf.workloads.transaction.iavl import prove, verify_membership
>>> work = sample.workload(accounts=10, transactions=3)
>>> block = process_block(work.tree, work.transactions, sample.CHAIN)
>>> [result.code.name for result in block.results]
['OK', 'OK', 'OK']
>>> key, value = next(work.tree.iterate())
>>> verify_membership(block.root_hash, prove(work.tree, key), key, value)
True

The same in a pipeline; with a store's ``commit`` every block would be on disk, too:

>>> from veperf.workloads.transaction.pipeline import Pipeline
>>> work = sample.workload(accounts=10, transactions=3)
>>> with Pipeline(work.tree, sample.CHAIN, verifiers=0) as pipeline:
...     taken = [pipeline.offer(tag, raw) for tag, raw in enumerate(work.transactions)]
...     (batch,) = pipeline.flush()
>>> batch.tags, batch.failed, batch.root_hash == block.root_hash
([0, 1, 2], {}, True)
"""
