"""An engine process: bids on batches of events of an ``EnginePool``.

``python -m veperf.workloads.bidding.parallel.worker`` with a stream socket as its standard input.
It ends when the other side closes, or is gone.
"""

import socket
from collections import Counter
from collections.abc import Iterable
from io import BufferedRWPair

import msgspec

from veperf.workloads.bidding import example_data
from veperf.workloads.bidding.engine import BidEngine, BidOutcome
from veperf.workloads.bidding.load import create_engine
from veperf.workloads.bidding.orders import OrderEvent
from veperf.workloads.bidding.parallel.protocol import (
    EngineDisconnected,
    EventsHandled,
    HandleEvents,
    Request,
    StartEngine,
    receive,
    send,
)
from veperf.workloads.bidding.table import ProviderTable


def serve_engine(stream: BufferedRWPair) -> None:
    """Answer requests until the other side closes the connection.

    Raises:
        EngineDisconnected: it has.
    """
    decoder = msgspec.msgpack.Decoder(Request)
    engine = create_engine(ProviderTable())
    while True:
        match receive(stream, decoder):
            case StartEngine(providers):
                engine = create_engine(ProviderTable(example_data.daemon_providers(providers)))
                send(stream, EventsHandled({}))
            case HandleEvents(events):
                send(stream, EventsHandled(handle_events(engine, events)))


def handle_events(engine: BidEngine, events: Iterable[OrderEvent]) -> dict[str, int]:
    """Handle ``events`` and count outcomes; every bid loses, so that capacity does not run out."""
    decisions = [engine.handle(event) for event in events]
    for decision in decisions:
        if decision.outcome is BidOutcome.BID:
            engine.reservations.release(decision.order_id)
    return dict(Counter(decision.outcome.name for decision in decisions))


def main() -> None:
    """Serve on standard input until it is closed."""
    with socket.socket(fileno=0) as peer, peer.makefile("rwb") as stream:
        try:
            serve_engine(stream)
        except EngineDisconnected:
            return


if __name__ == "__main__":
    main()
