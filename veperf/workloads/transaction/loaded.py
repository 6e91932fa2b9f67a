"""The chain under load: a pipeline, and the transfers that it is offered."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp

from veperf.model import Finished
from veperf.workloads.transaction import sample
from veperf.workloads.transaction.feed import Feed
from veperf.workloads.transaction.pipeline import Pipeline
from veperf.workloads.transaction.store import Store

_SIGNED_AHEAD = 300_000
"""Transfers, 100 MB of them. A longer load is signed as it goes, 10 µs of CPU time each."""
_KEPT_VERSIONS = 100
"""At least, so that a load of any length needs a bounded amount of disk."""
_WARM_UP = -1
_NOTHING = Finished()


class Rig:
    """A state of accounts on which chains start, one after the other, and are offered the same."""

    def __init__(self, accounts: int) -> None:
        """Make the state, in memory and in a folder for temporary files."""
        self._accounts = accounts
        self._feed = Feed(accounts)
        self._signed: list[bytes] = []
        self._tree = self._feed.genesis()
        self._folder = Path(mkdtemp(prefix="veperf-load-"))
        with Store(self._folder / "genesis") as store:
            store.commit(self._tree)

    def in_memory(self, items: int) -> "LoadedChain":
        """A chain that takes ``items`` transfers, and forgets its state when it is closed."""
        pipeline = Pipeline(self._tree.branch(), sample.CHAIN)
        return LoadedChain(pipeline, self._transfers(items), None)

    def on_disk(self, items: int) -> "LoadedChain":
        """The same, with every block durable before its transactions count as committed."""
        folder = Path(mkdtemp(dir=self._folder))
        copyfile(self._folder / "genesis" / "data.mdb", folder / "data.mdb")
        store = Store(folder, keep=_KEPT_VERSIONS)
        pipeline = Pipeline(self._tree.branch(), sample.CHAIN, commit=store.commit)
        return LoadedChain(pipeline, self._transfers(items), store)

    def close(self) -> None:
        """Delete all files."""
        rmtree(self._folder)

    def _transfers(self, items: int) -> Iterator[bytes]:
        # One to warm up with, and one that is never taken.
        needed = items + 2
        if needed > _SIGNED_AHEAD:
            feed = Feed(self._accounts)
            return chain(feed.take(_SIGNED_AHEAD), feed)
        self._signed += self._feed.take(max(0, needed - len(self._signed)))
        return iter(self._signed)


class LoadedChain:
    """A pipeline, as a load generator sees it (``veperf.registry.System``)."""

    def __init__(self, pipeline: Pipeline, transfers: Iterator[bytes], store: Store | None) -> None:
        """Wait until verifiers are at work: the first transfer is committed here."""
        self._pipeline = pipeline
        self._transfers = transfers
        self._store = store
        pipeline.offer(_WARM_UP, next(transfers))
        pipeline.flush()
        self._next = next(transfers)

    def offer(self, tag: int) -> bool:
        """Offer the next transfer; one that is turned away is offered again under the next tag.

        Left out, it would make all that its sender signed after it invalid.
        """
        if not self._pipeline.offer(tag, self._next):
            return False
        self._next = next(self._transfers)
        return True

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
