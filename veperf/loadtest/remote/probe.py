"""Asking a target what machine it is on, without taking part in a load."""

import os
from contextlib import closing

from veperf.core.errors import MeasureError
from veperf.core.run import Machine
from veperf.loadtest.remote.address import Address
from veperf.loadtest.remote.auth import NONCE_BYTES, TARGET, VISITOR, is_proved, prove
from veperf.loadtest.remote.connection import SET_UP_S, call
from veperf.loadtest.remote.messages import Card, Visit

_ANSWER_S = 10.0


def machine_at(address: Address, token: str, timeout_s: float = SET_UP_S) -> Machine:
    """The machine of the target at ``address``.

    Args:
        address: where the target listens.
        token: of its loads.
        timeout_s: how long to wait for it; it may be setting up, or have a load on.

    Raises:
        MeasureError: there is no such target, it is another's, or it says what no machine is.
    """
    line, greeting = call(address, timeout_s)
    with closing(line):
        nonce = os.urandom(NONCE_BYTES)
        line.send(Visit(nonce, prove(token, VISITOR, greeting.nonce)))
        card = line.wait_for(Card, _ANSWER_S)
    if card is None:
        raise MeasureError(f"the target at {address} did not answer within {_ANSWER_S:g} s")
    if not is_proved(token, TARGET, nonce, card.proof):
        raise MeasureError("who listens there is no target of this load: it has another token")
    if not _is_plain(card.machine):
        raise MeasureError(f"the target at {address} says what no machine is")
    return card.machine


def _is_plain(machine: Machine) -> bool:
    """Whether it can be shown and compared: it comes from elsewhere."""
    texts = (machine.name, machine.cpu_model, machine.system, machine.python)
    versions = (text for pair in machine.versions.items() for text in pair)
    return bool(machine.name) and all(text.isprintable() for text in (*texts, *versions))
