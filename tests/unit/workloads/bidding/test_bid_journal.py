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


HEAD = 20 + 32
ENTRY = 8 + 8 + 8


def test_recorded_bids_are_returned(tmp_path: Path) -> None:
    """They come back by event, for the same checkpoint; further ones are appended."""
    bids = {1: 5, 2: 0, 3: -1, 2**63 - 1: 2**63 - 1}
    journal = BidJournal(tmp_path / "bids")
    assert {} == journal.resume(ONE)
    for sequence, moment in bids.items():
        journal.append(ONE, sequence, moment)

    assert bids == journal.resume(ONE)
    BidJournal(tmp_path / "bids").append(ONE, 2, 7)
    assert bids | {2: 7} == journal.resume(ONE)


def test_a_journal_of_another_checkpoint(tmp_path: Path) -> None:
    """It is deleted: the daemon was killed after saving the checkpoint and before clearing it."""
    journal = BidJournal(tmp_path / "bids")
    journal.append(ONE, 1, 5)

    assert {} == journal.resume(OTHER)
    journal.append(OTHER, 2, 6)
    assert {2: 6} == journal.resume(OTHER)
    journal.clear()
    journal.clear()
    assert [] == list(tmp_path.iterdir())


def test_a_journal_that_was_cut_off_anywhere(tmp_path: Path) -> None:
    """Whole entries count, and the next one is appended after them."""
    path = tmp_path / "bids"
    journal = BidJournal(path)
    for sequence in (3, 4):
        journal.append(ONE, sequence, 0)
    data = path.read_bytes()
    assert HEAD + 2 * ENTRY == len(data)

    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        whole = dict.fromkeys([3, 4][: max(0, length - HEAD) // ENTRY], 0)
        assert whole == journal.resume(ONE)
        journal.append(ONE, 9, 1)
        assert whole | {9: 1} == journal.resume(ONE)
        journal.clear()


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    """Each flipped bit of an entry or of the magic is seen, and zeros at the end; it stays."""
    path = tmp_path / "bids"
    journal = BidJournal(path)
    for sequence in (3, 4):
        journal.append(ONE, sequence, NOW_NS)
    data = path.read_bytes()
    flipped = [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in (*range(20), *range(HEAD, len(data)))
        for bit in range(8)
    ]

    for damaged in (*flipped, data + bytes(ENTRY), b"{}", data[HEAD:]):
        path.write_bytes(damaged)
        with pytest.raises(CorruptFileError, match=r"corrupt: .*or delete it"):
            journal.resume(ONE)
        assert damaged == path.read_bytes()


def test_unusable_paths(tmp_path: Path) -> None:
    """The errors are those of a checkpoint."""
    with pytest.raises(StorageError):
        BidJournal(tmp_path / "none" / "bids").append(ONE, 1, 1)
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
        return self.read(self.sequence)

    def read(self, sequence: int) -> BidOutcome:
        """Handle the event with this number, perhaps not for the first time."""
        order = replace(example_data.order(1), id=f"order-{sequence}")
        self.daemon.queue.offer(OrderEvent(sequence, encode_order(order)))
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


@pytest.mark.parametrize("saves", [False, True])
def test_a_bid_counts_once_though_its_event_is_read_again(tmp_path: Path, saves: bool) -> None:
    """Killed after each event, a daemon reads the stream from its checkpoint: 3 an hour are bid."""
    world = World(tmp_path)
    for last in range(1, 5):
        world.now += MINUTE_NS
        world.start()
        for sequence in range(world.daemon.engine.last_sequence + 1, last + 1):
            outcome = world.read(sequence)
            if saves and sequence == 2:
                world.daemon.save()

    assert (3, BidOutcome.RATE_LIMITED) == (len(world.store), outcome)


def test_a_bid_that_was_counted_and_not_placed_is_placed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts from then on: no window has more bids than it may."""

    def kill(_: object) -> None:
        raise KeyboardInterrupt

    world = World(tmp_path)
    world.daemon.save()
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "submit", kill)
        with pytest.raises(KeyboardInterrupt):
            world.read(1)
    world.now += MINUTE_NS - 1
    world.start()

    assert [BidOutcome.BID] * 2 == [world.read(1), world.read(2)]
    world.now += 1
    assert BidOutcome.RATE_LIMITED is world.read(3)


def test_the_limiter_is_asked_before_the_price(tmp_path: Path) -> None:
    """As in VirtEngine's daemon: an order that is too dear counts, one without a provider not."""
    world = World(tmp_path)
    order = example_data.order(1)
    none = replace(order, id="none", resources=replace(order.resources, cpu_cores=10**15))
    dear = replace(order, max_price="0.000000000000000001")
    for sequence, each in enumerate(
        [none, none, none, replace(dear, id="a"), replace(dear, id="b")]
    ):
        world.daemon.queue.offer(OrderEvent(sequence + 1, encode_order(each)))

    assert [BidOutcome.NO_PROVIDER] * 3 + [BidOutcome.OVER_MAX_PRICE] * 2 == [
        decision.outcome for decision in iter(world.daemon.step, None)
    ]
    assert BidOutcome.RATE_LIMITED is world.read(6)


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
    assert {} == loaded.recorded_ns
