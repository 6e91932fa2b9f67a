"""The bids that a daemon's limits count are on disk before they are placed."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, StorageError
from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import BidStore
from veperf.workloads.bidding.checkpoint import BidJournal, CheckpointFile
from veperf.workloads.bidding.daemon import Daemon, EventQueue
from veperf.workloads.bidding.engine import BidEngine, BidOutcome, EngineSettings
from veperf.workloads.bidding.orders import OrderEvent, encode_order
from veperf.workloads.bidding.rate_limit import HOUR_NS, MINUTE_NS, RateLimiter
from veperf.workloads.bidding.table import ProviderTable

ONE, OTHER = bytes([1]) * 32, bytes([2]) * 32
NOW_NS = example_data.NOW_NS


def test_recorded_bids_are_returned(tmp_path: Path) -> None:
    """They come back in order, for the same checkpoint; further ones are appended."""
    journal = BidJournal(tmp_path / "bids")
    assert [] == journal.resume(ONE)
    for moment in (5, 0, -1, 2**63 - 1):
        journal.append(ONE, moment)

    assert [5, 0, -1, 2**63 - 1] == journal.resume(ONE)
    BidJournal(tmp_path / "bids").append(ONE, 7)
    assert [5, 0, -1, 2**63 - 1, 7] == journal.resume(ONE)


def test_a_journal_of_another_checkpoint(tmp_path: Path) -> None:
    """It is deleted: the daemon was killed after saving the checkpoint and before clearing it."""
    journal = BidJournal(tmp_path / "bids")
    journal.append(ONE, 5)

    assert [] == journal.resume(OTHER)
    journal.append(OTHER, 6)
    assert [6] == journal.resume(OTHER)
    journal.clear()
    journal.clear()
    assert [] == list(tmp_path.iterdir())


def test_a_journal_that_was_cut_off_anywhere(tmp_path: Path) -> None:
    """Whole entries count, and the next one is appended after them."""
    path = tmp_path / "bids"
    journal = BidJournal(path)
    for moment in (3, 4):
        journal.append(ONE, moment)
    data = path.read_bytes()

    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        whole = [3, 4][: max(0, length - 32) // 8]
        assert whole == journal.resume(ONE)
        journal.append(ONE, 9)
        assert [*whole, 9] == journal.resume(ONE)
        journal.clear()


def test_unusable_paths(tmp_path: Path) -> None:
    """The errors are those of a checkpoint."""
    with pytest.raises(StorageError):
        BidJournal(tmp_path / "none" / "bids").append(ONE, 1)
    with pytest.raises(CorruptFileError):
        BidJournal(tmp_path).resume(ONE)


class World:
    """Successive daemons of one chain, on one clock."""

    def __init__(self, folder: Path, limiter: RateLimiter | None = None) -> None:
        self.now = NOW_NS
        self.file = folder / "checkpoint"
        self.store = BidStore(example_data.CHAIN_ID)
        self.limiter = limiter
        self.sequence = 0
        self.start()

    def start(self) -> None:
        """Start a process, with its own monotonic clock."""
        file = CheckpointFile(self.file)
        zero = self.now
        engine = BidEngine(
            EngineSettings(example_data.CHAIN_ID),
            ProviderTable(example_data.providers(100)),
            example_data.daemon_signer(),
            self.store,
            self.limiter or RateLimiter(2, 3, lambda: self.now - zero),
            clock=lambda: self.now,
            checkpoint=file.load(),
        )
        self.daemon = Daemon(engine, EventQueue(10), file)

    def announce(self) -> BidOutcome:
        """Announce a new order and return its outcome; earlier ones are not announced again."""
        self.sequence += 1
        order = replace(example_data.order(1), id=f"order-{self.sequence}")
        self.daemon.queue.offer(OrderEvent(self.sequence, encode_order(order)))
        decision = self.daemon.step()
        assert decision is not None
        return decision.outcome


@pytest.mark.parametrize("saves", [False, True])
def test_limits_hold_though_every_bid_is_by_another_process(tmp_path: Path, saves: bool) -> None:
    """The daemon is killed after each event, with or without a checkpoint."""
    world = World(tmp_path)
    outcomes = []
    for moment in (0, 1, 2, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1, HOUR_NS - 1, HOUR_NS):
        world.now = NOW_NS + moment
        world.start()
        outcomes.append(world.announce() is BidOutcome.BID)
        if saves:
            world.daemon.save()

    assert [True, True, False, False, True, False, False, True] == outcomes
    assert 4 == len(world.store)


def test_without_limits_nothing_is_recorded(tmp_path: Path) -> None:
    """Recording would be useless work."""
    world = World(tmp_path, RateLimiter(None, None))

    assert BidOutcome.BID is world.announce()
    assert [] == list(tmp_path.iterdir())


def test_a_checkpoint_takes_the_journal_s_place(tmp_path: Path) -> None:
    """The checkpoint has the bids, each once."""
    world = World(tmp_path)
    assert [BidOutcome.BID] * 2 == [world.announce(), world.announce()]
    assert ["checkpoint", "checkpoint.bids"] == sorted(path.name for path in tmp_path.iterdir())
    world.daemon.save()
    loaded = CheckpointFile(world.file).load()

    assert [world.file] == list(tmp_path.iterdir())
    assert loaded is not None
    assert [NOW_NS] * 2 == list(loaded.bids_ns)
