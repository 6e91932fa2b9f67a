"""A chain's transaction work: codec, signatures, execution and state, as in the Cosmos SDK.

Nothing is handed on here, so that a part can be had without importing all of them: ``iavl.Tree``,
``cache.Cache`` and ``store.Store`` for state, ``codec`` and ``validation`` for transactions,
``execution.process_block`` for blocks, ``sample`` for examples.
"""
