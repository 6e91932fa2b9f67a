"""A source of transfers that makes faulty transactions, too, with the codes that reject them."""

from collections.abc import Iterator, Mapping
from enum import Enum
from random import Random

from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.signature import SECP256K1_ORDER


class Fault(Enum):
    """A fault of a transaction, and the code with which a pipeline rejects it."""

    DUPLICATE = ("the same bytes again", Code.DUPLICATE)
    REPLAY = ("signed anew with a used sequence", Code.REPLAY)
    GAP = ("signed with a sequence that is too high", Code.WRONG_SEQUENCE)
    OVERDRAFT = ("sends more than the balance", Code.INSUFFICIENT_FUNDS)
    WRONG_CHAIN = ("signed for another chain", Code.WRONG_SIGNATURE)
    WRONG_NUMBER = ("signed for another account number", Code.WRONG_SIGNATURE)
    HIGH_S = ("signed with s over half the order", Code.HIGH_S)
    TRUNCATED = ("cut off", Code.MALFORMED)
    GARBAGE = ("random bytes", Code.MALFORMED)

    @property
    def code(self) -> Code:
        return self.value[1]


class FaultySource(TransferSource):
    """Transfers, and on request a faulty transaction by the sender of the last one."""

    _last = b""

    def __next__(self) -> bytes:
        self._last = super().__next__()
        return self._last

    def make_faulty(self, fault: Fault) -> bytes:
        """Return a transaction that is valid except for ``fault``; later transfers stay valid."""
        sender = self._senders[(self._turn - 1) % len(self._senders)]
        match fault:
            case Fault.DUPLICATE:
                return self._last
            case Fault.REPLAY:
                return self._transfer(sender, sender.sequence - 1)
            case Fault.GAP:
                return self._transfer(sender, sender.sequence + 1_000)
            case Fault.OVERDRAFT:
                sender.sequence += 1  # it pays its fee and uses the sequence
                return self._transfer(sender, sender.sequence - 1, 10**18)
            case Fault.WRONG_CHAIN:
                return self._transfer(sender, sender.sequence, chain_id="elsewhere-1")
            case Fault.WRONG_NUMBER:
                return self._transfer(sender, sender.sequence, number=sender.number + 1)
            case Fault.HIGH_S:
                raw = self._transfer(sender, sender.sequence)
                s = SECP256K1_ORDER - int.from_bytes(raw[-32:], "big")
                return raw[:-32] + s.to_bytes(32, "big")
            case Fault.TRUNCATED:
                raw = self._transfer(sender, sender.sequence)
                # Within the signature, which is last: a cut between fields can leave a message.
                return raw[: -self._random.randrange(1, 65)]
            case Fault.GARBAGE:
                # Field number 0: no protobuf message starts like that.
                return b"\0" + self._random.randbytes(300)


def mix_faults(
    source: FaultySource, shares: Mapping[Fault, float], seed: int = 1
) -> Iterator[tuple[bytes, Code]]:
    """Yield transactions of ``source`` with the codes they must end with; some are faulty.

    ``shares`` are of all transactions; the first one is always valid.
    """
    random = Random(seed)
    faults = [*shares, None]
    weights = [*shares.values(), 1 - sum(shares.values())]
    yield next(source), Code.OK
    while True:
        (fault,) = random.choices(faults, weights)
        yield (next(source), Code.OK) if fault is None else (source.make_faulty(fault), fault.code)
