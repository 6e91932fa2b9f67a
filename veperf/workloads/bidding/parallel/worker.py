"""An engine process: bids on batches of events. Started by ``pool``.

``python -m veperf.workloads.bidding.parallel.worker`` with a stream socket as its standard input.
It ends when the other side closes, or is gone.
"""

import socket
from collections import Counter
from collections.abc import Iterable
from io import BufferedRWPair

import msgspec

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.engine import Engine, Outcome
from veperf.workloads.bidding.load import engine_for
from veperf.workloads.bidding.parallel.protocol import (
    Batch,
    Done,
    Ended,
    Request,
    Start,
    receive,
    send,
)
from veperf.workloads.bidding.queue import Event
from veperf.workloads.bidding.table import ProviderTable


def serve(stream: BufferedRWPair) -> None:
    """Answer batches, for ever.

    Raises:
        Ended: the other side has enough.
    """
    decoder = msgspec.msgpack.Decoder(Request)
    engine = engine_for(ProviderTable())
    while True:
        match receive(stream, decoder):
            case Start(providers):
                engine = engine_for(ProviderTable(example_data.providers(providers)))
                send(stream, Done({}))
            case Batch(events):
                send(stream, Done(bid_all(engine, events)))


def bid_all(engine: Engine, events: Iterable[Event]) -> dict[str, int]:
    """Handle ``events``; every bid loses, so that capacity does not run out. Outcomes by name."""
    decisions = [engine.handle(event) for event in events]
    for decision in decisions:
        if decision.outcome is Outcome.BID:
            engine.reservations.release(decision.order_id)
    return dict(Counter(decision.outcome.name for decision in decisions))


def main() -> None:
    """Serve on standard input until it is closed."""
    with socket.socket(fileno=0) as peer, peer.makefile("rwb") as stream:
        try:
            serve(stream)
        except Ended:
            return


if __name__ == "__main__":
    main()
