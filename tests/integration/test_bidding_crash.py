"""A daemon that is killed at any moment bids on every order, and on none twice."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.bids import SignedBid, decode_bid, encode_bid, verify_bid
from veperf.workloads.bidding.checkpoint import CheckpointFile
from veperf.workloads.bidding.daemon import Daemon, EventQueue
from veperf.workloads.bidding.engine import BidEngine, EngineSettings
from veperf.workloads.bidding.rate_limit import RateLimiter
from veperf.workloads.bidding.table import ProviderTable

ORDERS = 200
KILLS = 8
LIMIT = 120
"""Bids an hour: fewer orders can be served, many times fewer than are read if each crash counts."""


class ChainFile:
    """The chain as a file: a line for each bid, written before the next one is accepted."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        self._file.seek(0)
        self.lines = [decode_bid(line) for line in self._file]
        self._standing = {signed.bid.order_id: signed for signed in self.lines}

    def submit(self, signed: SignedBid) -> SignedBid:
        known = self._standing.get(signed.bid.order_id)
        if known is not None:
            return known
        # One write: a kill comes before it or after it.
        os.write(self._file.fileno(), encode_bid(signed) + b"\n")
        self._standing[signed.bid.order_id] = signed
        return signed

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        return self._standing.get(order_id)

    def close(self) -> None:
        self._file.close()


def daemon(folder: Path) -> tuple[Daemon, ChainFile]:
    """Return a daemon that continues where the last one was killed."""
    file = CheckpointFile(folder / "checkpoint")
    chain = ChainFile(folder / "chain")
    engine = BidEngine(
        EngineSettings(example_data.CHAIN_ID),
        ProviderTable(example_data.providers(100)),
        example_data.daemon_signer(),
        chain,
        RateLimiter(LIMIT, LIMIT),
        checkpoint=file.load(),
    )
    return Daemon(engine, EventQueue(ORDERS), file, checkpoint_every=7), chain


def main(folder: Path) -> None:
    """Read the stream of events from the checkpoint on, and print a line at each one."""
    started, _ = daemon(folder)
    for event in islice(example_data.order_events(started.engine.last_sequence + 1), ORDERS):
        if event.sequence > ORDERS:
            break
        started.queue.offer(event)
    while started.step() is not None:
        os.write(1, b".")
    started.save()


def run_until_killed(folder: Path, steps: int) -> bool:
    """Start a daemon and kill it after about ``steps`` events; False if it finished before."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import *; main(Path({str(folder)!r}))"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    with process.stdout as output:
        seen = 0
        while seen < steps and (dots := os.read(output.fileno(), steps - seen)):
            seen += len(dots)
        process.send_signal(signal.SIGKILL)
        process.wait()
    if seen < steps:
        assert 0 == process.returncode
        return False
    return True


@pytest.mark.slow
def test_kill_and_restart(tmp_path: Path) -> None:
    """After several kills every order that can be served has one bid, properly signed."""
    moments = random.Random(1)
    kills = 0
    while kills < KILLS and run_until_killed(tmp_path, moments.randint(1, 40)):
        kills += 1
        loaded = CheckpointFile(tmp_path / "checkpoint").load()
        assert loaded is None or loaded.last_sequence <= ORDERS
    run_until_killed(tmp_path, 2 * ORDERS)

    whole, chain = daemon(tmp_path)
    chain.close()
    assert kills >= 5
    assert ORDERS == whole.engine.last_sequence
    bids = Counter(signed.bid.order_id for signed in chain.lines)
    assert {1} == set(bids.values())
    for signed in chain.lines:
        verify_bid(signed, example_data.daemon_signer().public_key, example_data.CHAIN_ID)
    # What was reserved is what the bids that stand need: no more, no less.
    held = whole.engine.reservations.all()
    assert {(s.bid.order_id, s.bid.provider) for s in chain.lines} == {
        (reservation.order_id, reservation.provider) for reservation in held
    }
    undisturbed = bids_without_crashes(tmp_path / "other")
    assert set(bids) == undisturbed


def bids_without_crashes(folder: Path) -> set[str]:
    """Return the orders that get a bid without crashes."""
    folder.mkdir()
    started, chain = daemon(folder)
    for event in islice(example_data.order_events(), ORDERS):
        started.queue.offer(event)
    while started.step() is not None:
        pass
    chain.close()
    return {reservation.order_id for reservation in started.engine.reservations.all()}
