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

from veperf.core.load import GENERATOR, Finished
from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.tree_store import Store
from veperf.workloads.verification import example_data
from veperf.workloads.verification.load_source import UploadSource
from veperf.workloads.verification.parallel.pool import IdentityVerifierPool, VerifiedRequest
from veperf.workloads.verification.parallel.protocol import VerifierSettings
from veperf.workloads.verification.pipeline import (
    BlockInfo,
    VerificationOutcome,
    VerificationRequest,
)

CAPACITY = 1_000
"""The most requests that may wait, 100 KB each."""
_SIGNED_AHEAD = 2_000
"""Requests signed before the load starts; a longer load is signed as it runs."""
_KEPT_VERSIONS = 100
_WAIT_S = 0.001
_WARM_UP = -1
_WARM_UP_ACCOUNTS = 1 << 32
"""The first account for warm-up; no load has as many."""
_NOTHING = Finished()


class _Item(Struct, frozen=True, array_like=True):
    """A request in its encoded form."""

    account: bytes
    envelopes: tuple[bytes, ...]


_encode_item = msgspec.msgpack.Encoder().encode
_decode_item = msgspec.msgpack.Decoder(_Item).decode


def encoded_requests(shard: int, shards: int) -> Iterator[bytes]:
    """Generate encoded requests without end, each of another account, for one shard."""
    for upload in UploadSource(shard, shards):
        request = upload.request()
        yield _encode_item(_Item(request.account, tuple(map(bytes, request.envelopes))))


class VerificationTarget:
    """Verifications of requests from another process (``veperf.core.remote_load.RemoteTarget``).

    Requests that are verified while a block is committed to disk form the next block; they are
    finished when that is committed, too. Committing waits for the disk, so it has its own thread.
    """

    def __init__(self, genesis: Tree, workers: int | None = None) -> None:
        """Start with the state ``genesis`` and verify one request a process to warm up.

        ``workers`` processes verify; by default one a core, except the core of this process.
        """
        workers = workers or max(1, len(os.sched_getaffinity(0)) - 1)
        self._folder = Path(mkdtemp(prefix="veperf-verification-"))
        self._store = Store(self._folder, keep=_KEPT_VERSIONS)
        self._tree = genesis.branch()
        self._store.commit(self._tree)
        self._state = Cache(self._tree)
        self._height = self._tree.version + 1
        self._block: list[VerifiedRequest] = []
        self._committer = ThreadPoolExecutor(1)
        self._commit: Future[list[VerifiedRequest]] | None = None
        self._malformed: dict[int, str] = {}
        self._through = 0
        self._commit_ns = 0
        self._pool = IdentityVerifierPool(workers, example_verifier_settings())
        try:
            for upload in islice(UploadSource(_WARM_UP_ACCOUNTS), workers):
                self._pool.submit(_WARM_UP, upload.request())
            while self._through < workers:
                self.step()
        except BaseException:
            self.close()
            raise

    @property
    def has_room(self) -> bool:
        """True if another request can be accepted."""
        return self._pool.pending < CAPACITY

    def offer(self, tag: int, item: bytes) -> bool:
        """Accept the request ``item``, unless too many wait; an invalid encoding fails later."""
        if not self.has_room:
            return False
        try:
            request = _decode_item(item)
        except msgspec.DecodeError:
            self._malformed[tag] = "MALFORMED"
        else:
            self.submit(tag, VerificationRequest(request.account, request.envelopes))
        return True

    def submit(self, tag: int, request: VerificationRequest) -> None:
        """Accept ``request``."""
        self._pool.submit(tag, request)

    def step(self) -> Finished:
        """Hand out waiting requests, start the next commit; return the committed requests."""
        block_info = BlockInfo(self._height, example_data.NOW_S)
        self._block += self._pool.step(self._state, block_info, _WAIT_S)
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
        """Return CPU time in ns of a verification: in its process, in transport, in the commit."""
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

    def _end_block(self) -> list[VerifiedRequest]:
        block, self._block = self._block, []
        self._state.write()
        # While the block is committed the tree is only read, by the next block's cache.
        self._state = Cache(self._tree)
        self._height += 1
        return block

    def _commit_block(self, block: list[VerifiedRequest]) -> list[VerifiedRequest]:
        started = time.thread_time_ns()
        self._store.commit(self._tree)
        self._tree.prune(self._tree.version - 1)
        self._commit_ns += time.thread_time_ns() - started
        return block

    def _finish(self, block: list[VerifiedRequest]) -> Finished:
        self._through += len(block)
        failed = {
            verified.tag: ",".join(verified.result.reasons)
            for verified in block
            if verified.result.outcome is not VerificationOutcome.SUCCESS
        }
        return Finished([v.tag for v in block if v.tag not in failed], failed)


class VerificationSystem:
    """Verifications with their own source of requests (``veperf.core.registry.System``)."""

    def __init__(self, genesis: Tree, items: int, workers: int | None = None) -> None:
        """Start a target, and sign the first ``items`` requests, up to a limit."""
        source = UploadSource()
        self._uploads = chain([next(source) for _ in range(min(items, _SIGNED_AHEAD))], source)
        self._target = VerificationTarget(genesis, workers)
        self._making_ns = 0
        self._accepted = 0

    def offer(self, tag: int) -> bool:
        """Accept the next request, unless too many wait."""
        if not self._target.has_room:
            return False
        began = time.thread_time_ns()
        request = next(self._uploads).request()
        self._making_ns += time.thread_time_ns() - began
        self._accepted += 1
        self._target.submit(tag, request)
        return True

    def step(self) -> Finished:
        """Hand out waiting requests, start the next commit; return the committed requests."""
        return self._target.step()

    def costs(self) -> dict[str, float]:
        """Return CPU time in ns of a verification, by stage; the generator makes the request."""
        if not self._accepted:
            return self._target.costs()
        return {GENERATOR: self._making_ns / self._accepted, **self._target.costs()}

    def close(self) -> None:
        """End the processes and delete all files."""
        self._target.close()


def example_verifier_settings() -> VerifierSettings:
    """Return the settings for processes of the first example validator."""
    return VerifierSettings(bytes(example_data.validator_key(0)), example_data.CLIENTS, "exact")
