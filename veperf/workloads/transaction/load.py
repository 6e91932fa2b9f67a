"""The chain under load: a pipeline, and the transfers that it is offered."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Literal

from veperf.core.load import Finished
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load_source import Feed
from veperf.workloads.transaction.pipeline import Pipeline, Settings
from veperf.workloads.transaction.store import Store

State = Literal["disk", "memory"]
"""Whether a block is durable before its transactions count as committed."""

CAPACITY = Settings().capacity
"""Transfers that a chain has on their way at once, at most."""
_SIGNED_AHEAD = 300_000
"""Transfers, 100 MB of them. A longer load is signed as it goes, 10 µs of CPU time each."""
_KEPT_VERSIONS = 100
"""At least, so that a load of any length needs a bounded amount of disk."""
_WARM_UP = -1
_NOTHING = Finished()


class Rig:
    """A state of accounts on which chains start, one after the other, and are offered the same.

    The state is made when the first chain starts: who only wants transfers does without.
    """

    def __init__(self, accounts: int, state: State) -> None:
        self._accounts = accounts
        self._state = state
        self._signed: list[bytes] = []
        self._genesis: _Genesis | None = None

    def chain(self, items: int) -> tuple["ChainTarget", Iterator[bytes]]:
        """A chain that forgets its state when it is closed, and ``items`` transfers for it."""
        transfers = self._transfers(items)
        return self._chain(next(transfers)), transfers

    def target(self) -> "ChainTarget":
        """A chain that takes the transfers of ``source``, from all shards in any order."""
        return self._chain(next(self._transfers(0)))

    def source(self, shard: int, shards: int) -> Iterator[bytes]:
        """The transfers of shard k of n, valid in order, whatever comes of others between them."""
        feed = Feed(self._accounts, shard=shard, shards=shards)
        if shard == 0:
            next(feed)  # its first sender's first is what a target warms up with
        return feed

    def close(self) -> None:
        """Delete all files."""
        if self._genesis is not None:
            self._genesis.close()

    @cached_property
    def _feed(self) -> Feed:
        """Of what is signed ahead."""
        return Feed(self._accounts)

    def _chain(self, first: bytes) -> "ChainTarget":
        if self._genesis is None:
            self._genesis = _Genesis(self._feed.genesis())
        return self._genesis.chain(self._state, first)

    def _transfers(self, items: int) -> Iterator[bytes]:
        # One to warm up with, and one that is never taken.
        needed = items + 2
        if needed > _SIGNED_AHEAD:
            feed = Feed(self._accounts)
            return chain(feed.take(_SIGNED_AHEAD), feed)
        self._signed += self._feed.take(max(0, needed - len(self._signed)))
        return iter(self._signed)


class _Genesis:
    """A state, in memory and in a folder for temporary files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._folder = Path(mkdtemp(prefix="veperf-load-"))
        with Store(self._folder / "genesis") as store:
            store.commit(tree)

    def chain(self, state: State, first: bytes) -> "ChainTarget":
        """A chain that starts here, warmed up with the transfer ``first``."""
        if state == "memory":
            return ChainTarget(Pipeline(self._tree.branch(), example_data.CHAIN), None, first)
        folder = Path(mkdtemp(dir=self._folder))
        copyfile(self._folder / "genesis" / "data.mdb", folder / "data.mdb")
        store = Store(folder, keep=_KEPT_VERSIONS)
        pipeline = Pipeline(self._tree.branch(), example_data.CHAIN, commit=store.commit)
        return ChainTarget(pipeline, store, first)

    def close(self) -> None:
        """Delete all files."""
        rmtree(self._folder)


class ChainTarget:
    """A pipeline whose transfers come from elsewhere (``veperf.core.registry.Target``)."""

    def __init__(self, pipeline: Pipeline, store: Store | None, first: bytes) -> None:
        """Wait until verifiers are at work: the transfer ``first`` is committed here."""
        self._pipeline = pipeline
        self._store = store
        pipeline.offer(_WARM_UP, first)
        pipeline.flush()

    def offer(self, tag: int, item: bytes) -> bool:
        """Offer the transfer ``item``; False where the pipeline is full."""
        return self._pipeline.offer(tag, item)

    def step(self) -> Finished:
        """Let the pipeline work; the blocks that it committed."""
        batches = self._pipeline.step()
        if not batches:
            return _NOTHING
        failed = {tag: code.name for batch in batches for tag, code in batch.failed.items()}
        tags = [tag for batch in batches for tag in batch.tags]
        if failed:
            tags = [tag for tag in tags if tag not in failed]
        return Finished(tags, failed)

    def costs(self) -> dict[str, float]:
        """CPU time in ns of each transaction, by stage of the pipeline."""
        return self._pipeline.statistics().stages_each()

    def close(self) -> None:
        """End the verifiers and close the store."""
        self._pipeline.close()
        if self._store is not None:
            self._store.close()
