"""Verification under load: verifier processes, a state on disk, and requests that arrive."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import msgspec
from msgspec import Struct

from veperf.core.load import Finished
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.store import Store
from veperf.workloads.verification import example_data
from veperf.workloads.verification.load_source import Feed
from veperf.workloads.verification.parallel import Pool, Settings, Verified
from veperf.workloads.verification.pipeline import Moment, Outcome, Request

CAPACITY = 1_000
"""Requests, 100 KB each, that may wait."""
_SIGNED_AHEAD = 2_000
"""Requests. A longer load is signed as it goes."""
_KEPT_VERSIONS = 100
_WAIT_S = 0.001
_WARM_UP = -1
_WARM_UP_ACCOUNTS = 1 << 32
"""From here on: no load has as many."""
_NOTHING = Finished()


class _Item(Struct, frozen=True, array_like=True):
    """A request as it travels."""

    account: bytes
    envelopes: tuple[bytes, ...]


_encode_item = msgspec.msgpack.Encoder().encode
_decode_item = msgspec.msgpack.Decoder(_Item).decode


def requests(shard: int, shards: int) -> Iterator[bytes]:
    """Requests without end, each of an account of its own: those of shard k of n, encoded."""
    for upload in Feed(shard, shards):
        request = upload.request()
        yield _encode_item(_Item(request.account, tuple(map(bytes, request.envelopes))))


class VerificationTarget:
    """Verifications of requests that come from elsewhere (``veperf.core.registry.Target``).

    What gets through while one block is committed to disk is the next block; it counts when that is
    committed, too. Committing waits for the disk, so it has a thread of its own.
    """

    def __init__(self, genesis: Tree, workers: int | None = None) -> None:
        """Start with the state ``genesis``; one request a process is verified here to warm up.

        ``workers`` verify; by default one a core, but for the one that all else runs on.
        """
        workers = workers or max(1, len(os.sched_getaffinity(0)) - 1)
        self._folder = Path(mkdtemp(prefix="veperf-verification-"))
        self._store = Store(self._folder, keep=_KEPT_VERSIONS)
        self._tree = genesis.branch()
        self._store.commit(self._tree)
        self._state = Cache(self._tree)
        self._height = self._tree.version + 1
        self._block: list[Verified] = []
        self._committer = ThreadPoolExecutor(1)
        self._commit: Future[list[Verified]] | None = None
        self._malformed: dict[int, str] = {}
        self._through = 0
        self._commit_ns = 0
        self._pool = Pool(workers, settings())
        try:
            for upload in islice(Feed(_WARM_UP_ACCOUNTS), workers):
                self._pool.submit(_WARM_UP, upload.request())
            while self._through < workers:
                self.step()
        except BaseException:
            self.close()
            raise

    @property
    def has_room(self) -> bool:
        """Whether fewer requests wait than may."""
        return self._pool.pending < CAPACITY

    def offer(self, tag: int, item: bytes) -> bool:
        """Take in the request ``item``, unless too many wait already; bytes that are none fail."""
        if not self.has_room:
            return False
        try:
            found = _decode_item(item)
        except msgspec.DecodeError:
            self._malformed[tag] = "MALFORMED"
        else:
            self.submit(tag, Request(found.account, found.envelopes))
        return True

    def submit(self, tag: int, request: Request) -> None:
        """Take in ``request``."""
        self._pool.submit(tag, request)

    def step(self) -> Finished:
        """Pass on what waits, have committed what got through; what is committed."""
        moment = Moment(self._height, example_data.NOW_S)
        self._block += self._pool.step(self._state, moment, _WAIT_S)
        finished = _NOTHING
        if self._commit is not None and self._commit.done():
            finished = self._finish(self._commit.result())
            self._commit = None
        if self._commit is None and self._block:
            self._commit = self._committer.submit(self._commit_block, self._end_block())
        if self._malformed:
            finished = Finished(finished.committed, {**finished.failed, **self._malformed})
            self._malformed = {}
        return finished

    def costs(self) -> dict[str, float]:
        """CPU time in ns of each verification: in its process, on the way, and at the commit."""
        spent = {
            "verify": self._pool.verify_ns,
            "transport": self._pool.transport_ns,
            "commit": self._commit_ns,
        }
        return {name: ns / self._through for name, ns in spent.items()}

    def close(self) -> None:
        """End the processes and delete all files."""
        self._pool.close()
        self._committer.shutdown()
        self._store.close()
        rmtree(self._folder)

    def _end_block(self) -> list[Verified]:
        block, self._block = self._block, []
        self._state.write()
        # While the block is committed the tree is only read, by the next block's cache.
        self._state = Cache(self._tree)
        self._height += 1
        return block

    def _commit_block(self, block: list[Verified]) -> list[Verified]:
        started = time.thread_time_ns()
        self._store.commit(self._tree)
        self._tree.prune(self._tree.version - 1)
        self._commit_ns += time.thread_time_ns() - started
        return block

    def _finish(self, block: list[Verified]) -> Finished:
        self._through += len(block)
        failed = {
            verified.tag: ",".join(verified.result.reasons)
            for verified in block
            if verified.result.outcome is not Outcome.SUCCESS
        }
        return Finished([v.tag for v in block if v.tag not in failed], failed)


class LoadedVerification:
    """Verifications and the requests that they are of (``veperf.core.registry.System``)."""

    def __init__(self, genesis: Tree, items: int, workers: int | None = None) -> None:
        """As a target; the first ``items`` requests are signed here, unless they are very many."""
        feed = Feed()
        self._uploads = chain([next(feed) for _ in range(min(items, _SIGNED_AHEAD))], feed)
        self._target = VerificationTarget(genesis, workers)

    def offer(self, tag: int) -> bool:
        """Take in the next request, unless too many wait already."""
        if not self._target.has_room:
            return False
        self._target.submit(tag, next(self._uploads).request())
        return True

    def step(self) -> Finished:
        """Pass on what waits, have committed what got through; what is committed."""
        return self._target.step()

    def costs(self) -> dict[str, float]:
        """CPU time in ns of each verification, by stage."""
        return self._target.costs()

    def close(self) -> None:
        """End the processes and delete all files."""
        self._target.close()


def settings() -> Settings:
    """What the processes of the first example validator work with."""
    return Settings(bytes(example_data.validator(0)), example_data.CLIENTS, "exact")
