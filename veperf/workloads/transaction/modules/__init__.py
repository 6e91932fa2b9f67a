"""A chain of several modules: any messages and signers, gas, and a store for each module.

Nothing is exported here, so that a part can be imported without all others: ``blocks`` for blocks
of transactions and ``ante`` for their checks, ``transactions`` for their encoding, ``messages`` for
all kinds of them; ``bank``, ``staking``, ``fee_grants``, ``market`` (with ``deployments`` and
``escrow``) and ``identity`` for what they do; ``multisig`` and ``amino_json`` for how they are
signed, ``gas`` for what they cost; ``example_data``, ``example_virtengine`` and ``example_traffic``
for examples. The stores are a ``multistore.MultiStore``.

Deliver a block of a delegation, and prove its record under the block's app hash:

>>> from veperf.workloads.transaction.example_data import CHAIN
>>> from veperf.workloads.transaction.modules import example_data
>>> from veperf.workloads.transaction.modules.blocks import deliver_block
>>> from veperf.workloads.transaction.multistore import verify_value
>>> stores = example_data.genesis(accounts=2)
>>> raw = example_data.signed([example_data.delegation(0, 500)], signer=0)
>>> block = deliver_block(stores, [raw], CHAIN, time=1)
>>> block.results[0].code.name, block.results[0].gas_used
('OK', 47668)
>>> key, value = next(stores.trees["staking"].iterate(b"1"))
>>> verify_value(block.app_hash, stores.prove("staking", key), "staking", key, value)
True
"""
