"""What a daemon's limits count is on disk before the bid is placed."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from veperf.core.errors import CorruptFileError, StorageError
from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bid_journal import BidJournal
from veperf.workloads.bidding.bid_store import Ledger
from veperf.workloads.bidding.checkpoint import CheckpointFile
from veperf.workloads.bidding.daemon import Daemon
from veperf.workloads.bidding.engine import Engine, Outcome, Settings
from veperf.workloads.bidding.orders import encode_order
from veperf.workloads.bidding.queue import Event, EventQueue
from veperf.workloads.bidding.rate_limit import HOUR_NS, MINUTE_NS, RateLimiter
from veperf.workloads.bidding.table import ProviderTable

ONE, OTHER = bytes([1]) * 32, bytes([2]) * 32
NOW_NS = example_data.NOW_NS


def test_what_is_noted_is_told(tmp_path: Path) -> None:
    """In its order, to whoever knows the checkpoint; further moments follow."""
    journal = BidJournal(tmp_path / "bids")
    assert [] == journal.resume(ONE)
    for moment in (5, 0, -1, 2**63 - 1):
        journal.note(ONE, moment)

    assert [5, 0, -1, 2**63 - 1] == journal.resume(ONE)
    BidJournal(tmp_path / "bids").note(ONE, 7)
    assert [5, 0, -1, 2**63 - 1, 7] == journal.resume(ONE)


def test_a_journal_of_another_checkpoint(tmp_path: Path) -> None:
    """Is deleted: the daemon was killed after it saved that one, and before it cleared this."""
    journal = BidJournal(tmp_path / "bids")
    journal.note(ONE, 5)

    assert [] == journal.resume(OTHER)
    journal.note(OTHER, 6)
    assert [6] == journal.resume(OTHER)
    journal.clear()
    journal.clear()
    assert [] == list(tmp_path.iterdir())


def test_a_journal_that_was_cut_off_anywhere(tmp_path: Path) -> None:
    """Whole moments count, and the next one is added behind them."""
    path = tmp_path / "bids"
    journal = BidJournal(path)
    for moment in (3, 4):
        journal.note(ONE, moment)
    data = path.read_bytes()

    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        whole = [3, 4][: max(0, length - 32) // 8]
        assert whole == journal.resume(ONE)
        journal.note(ONE, 9)
        assert [*whole, 9] == journal.resume(ONE)
        journal.clear()


def test_places_that_can_not_be_used(tmp_path: Path) -> None:
    """The errors are those of a checkpoint."""
    with pytest.raises(StorageError):
        BidJournal(tmp_path / "none" / "bids").note(ONE, 1)
    with pytest.raises(CorruptFileError):
        BidJournal(tmp_path).resume(ONE)


class World:
    """Daemons of one chain, each in the place of the one before, on one clock."""

    def __init__(self, folder: Path, limiter: RateLimiter | None = None) -> None:
        self.now = NOW_NS
        self.file = folder / "checkpoint"
        self.ledger = Ledger(example_data.CHAIN_ID)
        self.limiter = limiter
        self.sequence = 0
        self.start()

    def start(self) -> None:
        """A process that begins, with a steady clock of its own."""
        file = CheckpointFile(self.file)
        zero = self.now
        engine = Engine(
            Settings(example_data.CHAIN_ID),
            ProviderTable(example_data.providers(100)),
            example_data.signer(),
            self.ledger,
            self.limiter or RateLimiter(2, 3, lambda: self.now - zero),
            clock=lambda: self.now,
            checkpoint=file.load(),
        )
        self.daemon = Daemon(engine, EventQueue(10), file)

    def announce(self) -> Outcome:
        """A new order's outcome; what came before is not announced again."""
        self.sequence += 1
        order = replace(example_data.order(1), id=f"order-{self.sequence}")
        self.daemon.queue.offer(Event(self.sequence, encode_order(order)))
        decision = self.daemon.step()
        assert decision is not None
        return decision.outcome


@pytest.mark.parametrize("saves", [False, True])
def test_limits_hold_though_every_bid_is_by_another_process(tmp_path: Path, saves: bool) -> None:
    """Killed after each event, with a checkpoint or without one: two a minute, three an hour."""
    world = World(tmp_path)
    outcomes = []
    for moment in (0, 1, 2, MINUTE_NS - 1, MINUTE_NS, MINUTE_NS + 1, HOUR_NS - 1, HOUR_NS):
        world.now = NOW_NS + moment
        world.start()
        outcomes.append(world.announce() is Outcome.BID)
        if saves:
            world.daemon.save()

    assert [True, True, False, False, True, False, False, True] == outcomes
    assert 4 == len(world.ledger)


def test_without_limits_nothing_is_noted(tmp_path: Path) -> None:
    """It would be work for nothing."""
    world = World(tmp_path, RateLimiter(None, None))

    assert Outcome.BID is world.announce()
    assert [] == list(tmp_path.iterdir())


def test_a_checkpoint_takes_the_journal_s_place(tmp_path: Path) -> None:
    """The bids are in it, once."""
    world = World(tmp_path)
    assert [Outcome.BID] * 2 == [world.announce(), world.announce()]
    assert ["checkpoint", "checkpoint.bids"] == sorted(path.name for path in tmp_path.iterdir())
    world.daemon.save()
    loaded = CheckpointFile(world.file).load()

    assert [world.file] == list(tmp_path.iterdir())
    assert loaded is not None
    assert [NOW_NS] * 2 == list(loaded.bids_ns)
