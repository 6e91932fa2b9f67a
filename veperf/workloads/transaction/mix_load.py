"""The chain of modules as a load target, and the mix of transactions that it is offered."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Literal

from veperf.core.load import Finished
from veperf.core.mix import Mix, draw_kinds
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.durable_multistore import DurableMultiStore
from veperf.workloads.transaction.load import SHED_CODES
from veperf.workloads.transaction.modules.context import STORES
from veperf.workloads.transaction.modules.example_traffic import Traffic
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.pipeline.mixed import MIXED_SETTINGS, MixedPipeline
from veperf.workloads.transaction.pipeline.settings import PipelineSettings

_ACCOUNTS = 1_000
_BIDS_AN_ORDER = 21
_SPARE = 1.2
"""Orders / orders that are expected to be bid on."""
_SIGNED_AHEAD = 20_000
"""Transactions; those of a longer load are signed on the fly, at 0.1 ms of CPU time each."""
_KEPT_VERSIONS = 100
_SEED = 1


class MixTarget:
    """A mixed pipeline as the target of a load (``veperf.core.remote_load.RemoteTarget``)."""

    def __init__(self, pipeline: MixedPipeline, stores: DurableMultiStore | None = None) -> None:
        self._pipeline = pipeline
        self._stores = stores

    def offer(self, tag: int, item: bytes) -> bool:
        """Offer the transaction ``item``; False when it is turned away."""
        return self._pipeline.offer(tag, item)

    def step(self) -> Finished:
        """Let the pipeline work; return the transactions that it finished, with their kinds."""
        committed, kinds = list[int](), list[str]()
        failed, shed = dict[int, str](), dict[int, str]()
        for batch in self._pipeline.step():
            for tag, code in batch.failed.items():
                (shed if code in SHED_CODES else failed)[tag] = code.name
            if batch.height:
                good = [tag not in batch.failed for tag in batch.tags]
                committed += [tag for tag, ok in zip(batch.tags, good, strict=True) if ok]
                kinds += [kind for kind, ok in zip(batch.kinds, good, strict=True) if ok]
        return Finished(committed, failed, shed=shed, kinds=kinds)

    def costs(self) -> Mapping[str, float]:
        """Return CPU time in ns for each transaction, by stage of the pipeline."""
        return self._pipeline.costs()

    def close(self) -> None:
        """Close the stores."""
        if self._stores is not None:
            self._stores.close()


class MixLoadFixture:
    """Chains that start from a genesis of 1,000 accounts, each with transactions for its load."""

    def __init__(
        self,
        mix: Mix,
        state: Literal["disk", "memory"],
        settings: PipelineSettings = MIXED_SETTINGS,
    ) -> None:
        self._mix = mix
        self._state = state
        self._settings = settings
        self._folder = Path(mkdtemp(prefix="veperf-mix-"))

    def chain(self, items: int) -> tuple[MixTarget, Iterator[bytes]]:
        """Return a chain, and transactions of the mix for it, of which it takes up to ``items``."""
        traffic = Traffic(_ACCOUNTS, _SEED, orders=self._orders(items))
        transactions = mixed_transactions(traffic, self._mix)
        ahead = list(islice(transactions, min(items, _SIGNED_AHEAD)))

        def supplied() -> Iterator[bytes]:
            yield from ahead
            yield from transactions

        return self._target(traffic.genesis()), supplied()

    def close(self) -> None:
        """Delete all files."""
        rmtree(self._folder)

    def _orders(self, items: int) -> int:
        """Return the orders that ``items`` take, generously, as every bid needs one."""
        bids = self._mix.get("create_bid", 0.0) * items
        return 1 + math.ceil(_SPARE * bids / _BIDS_AN_ORDER)

    def _target(self, genesis: MultiStore) -> MixTarget:
        chain = example_data.CHAIN
        if self._state == "memory":
            genesis.commit()
            return MixTarget(MixedPipeline(genesis, chain, settings=self._settings))
        stores = DurableMultiStore(Path(mkdtemp(dir=self._folder)), STORES, keep=_KEPT_VERSIONS)
        for name, tree in genesis.trees.items():
            stores.trees[name].apply(list(tree.iterate()))
        stores.commit()
        pipeline = MixedPipeline(stores, chain, commit=stores.commit, settings=self._settings)
        return MixTarget(pipeline, stores)


def mixed_transactions(traffic: Traffic, mix: Mix, seed: int = _SEED) -> Iterator[bytes]:
    """Yield transactions of ``traffic`` without end, of kinds that are drawn from ``mix``."""
    return map(traffic.next, draw_kinds(mix, seed))
