"""The chain as a load target: a pipeline, and the transfers that it is offered."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Literal

from veperf.core.load import Finished
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import Pipeline, PipelineSettings
from veperf.workloads.transaction.tree_store import Store

StateStorage = Literal["disk", "memory"]
"""Storage of the state; on disk a block is durable before its transactions count as committed."""

CAPACITY = PipelineSettings().capacity
"""Transfers that a chain has in flight at most."""
SHED_CODES = frozenset({Code.MEMPOOL_FULL, Code.EVICTED, Code.EXPIRED})
"""What the mempool drops because more is offered than the chain does."""
_SIGNED_AHEAD = 300_000
"""Transfers, 100 MB in all. A longer load is signed on the fly, at 10 µs of CPU time each."""
_KEPT_VERSIONS = 100
"""Versions on disk at least; bounded, so that a load of any length needs a bounded disk."""
_WARM_UP = -1
_NOTHING = Finished()


class ChainLoadFixture:
    """A state of accounts for chains that start one after the other and get the same transfers.

    The state is made when the first chain starts: callers that only need transfers do without.
    """

    def __init__(
        self,
        accounts: int,
        state: StateStorage,
        settings: PipelineSettings = PipelineSettings(),  # noqa: B008  # immutable
    ) -> None:
        self._accounts = accounts
        self._state = state
        self._settings = settings
        self._signed: list[bytes] = []
        self._genesis: _Genesis | None = None

    def chain(self, items: int) -> tuple["ChainTarget", Iterator[bytes]]:
        """Return a chain that deletes its state on closing, and ``items`` transfers for it."""
        transfers = self._transfers(items)
        return self._chain(next(transfers)), transfers

    def target(self) -> "ChainTarget":
        """Return a chain for the transfers of ``source``, from all shards in any order."""
        return self._chain(next(self._transfers(0)))

    def source(self, shard: int, shards: int) -> Iterator[bytes]:
        """Return the transfers of shard k of n, valid in order however others interleave."""
        source = TransferSource(self._accounts, shard=shard, shards=shards)
        if shard == 0:
            next(source)  # a target warms up with the first transfer of the first sender
        return source

    def close(self) -> None:
        """Delete all files."""
        if self._genesis is not None:
            self._genesis.close()

    @cached_property
    def _shared_source(self) -> TransferSource:
        """The source of the transfers that are signed ahead."""
        return TransferSource(self._accounts)

    def _chain(self, first: bytes) -> "ChainTarget":
        if self._genesis is None:
            self._genesis = _Genesis(self._shared_source.genesis())
        return self._genesis.chain(self._state, first, self._settings)

    def _transfers(self, items: int) -> Iterator[bytes]:
        # One for the warm-up, and one that is never taken.
        needed = items + 2
        if needed > _SIGNED_AHEAD:
            source = TransferSource(self._accounts)
            return chain(source.take(_SIGNED_AHEAD), source)
        self._signed += self._shared_source.take(max(0, needed - len(self._signed)))
        return iter(self._signed)


class _Genesis:
    """An initial state, in memory and in a temporary folder."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._folder = Path(mkdtemp(prefix="veperf-load-"))
        with Store(self._folder / "genesis") as store:
            store.commit(tree)

    def chain(self, state: StateStorage, first: bytes, settings: PipelineSettings) -> "ChainTarget":
        """Return a chain that starts from this state, warmed up with the transfer ``first``."""
        tree, chain = self._tree.branch(), example_data.CHAIN
        if state == "memory":
            return ChainTarget(Pipeline(tree, chain, settings=settings), None, first)
        folder = Path(mkdtemp(dir=self._folder))
        copyfile(self._folder / "genesis" / "data.mdb", folder / "data.mdb")
        store = Store(folder, keep=_KEPT_VERSIONS)
        pipeline = Pipeline(tree, chain, commit=store.commit, settings=settings)
        return ChainTarget(pipeline, store, first)

    def close(self) -> None:
        """Delete all files."""
        rmtree(self._folder)


class ChainTarget:
    """A pipeline as the target of a load (``veperf.core.remote_load.RemoteTarget``)."""

    def __init__(self, pipeline: Pipeline, store: Store | None, first: bytes) -> None:
        """Commit the transfer ``first``, so that the verifiers are running."""
        self._pipeline = pipeline
        self._store = store
        pipeline.offer(_WARM_UP, first)
        pipeline.flush()

    def offer(self, tag: int, item: bytes) -> bool:
        """Offer the transfer ``item``; False when it is turned away."""
        return self._pipeline.offer(tag, item)

    def step(self) -> Finished:
        """Let the pipeline work; return the transfers that it finished."""
        batches = self._pipeline.step()
        if not batches:
            return _NOTHING
        codes = {tag: code for batch in batches for tag, code in batch.failed.items()}
        tags = [tag for batch in batches for tag in batch.tags]
        if not codes:
            return Finished(tags)
        return Finished(
            committed=[tag for tag in tags if tag not in codes],
            failed={tag: code.name for tag, code in codes.items() if code not in SHED_CODES},
            shed={tag: code.name for tag, code in codes.items() if code in SHED_CODES},
        )

    def costs(self) -> dict[str, float]:
        """Return CPU time in ns for each transaction, by stage of the pipeline."""
        return self._pipeline.statistics().stages_per_transaction()

    def close(self) -> None:
        """Stop the verifiers and close the store."""
        self._pipeline.close()
        if self._store is not None:
            self._store.close()
