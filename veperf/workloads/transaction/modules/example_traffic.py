"""Endless traffic of several kinds of messages, valid in the order in which they are made.

What an account signs is numbered as it is made. The kinds are those of messages that can go on for
ever: transfers, delegations, deployments, bids and scores. A bid needs an order, on which 21
providers can bid; the genesis has as many as are asked for, and each deployment adds one.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice
from random import Random

from veperf.workloads.market.keeper import MAX_BIDS
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.modules import example_data, market
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules.context import BlockContext
from veperf.workloads.transaction.modules.messages import Message
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.verification.identity import keeper as identities

GAS_LIMIT = 1_000_000
RECIPIENTS = 10
"""Of a transfer to several."""


class Signing:
    """Signs transactions of example accounts, each with the account's next sequence."""

    def __init__(self) -> None:
        self._sequences: Counter[int] = Counter()
        self._fee = example_data.example_fee(GAS_LIMIT)

    def sign(self, signer: int, *messages: Message) -> bytes:
        """Return a transaction of ``messages``, which the account ``signer`` has to sign."""
        sequence = self._sequences[signer]
        self._sequences[signer] += 1
        return example_data.signed(messages, signer, sequence, fee=self._fee)


class Traffic:
    """Transactions of one message each, of any kind in ``KINDS``.

    Of ``shards`` sources each has its own accounts, validators and orders, so that its transactions
    stay valid however those of the others interleave with them.
    """

    def __init__(
        self, accounts: int, seed: int = 1, *, orders: int = 1_000, shard: int = 0, shards: int = 1
    ) -> None:
        """Make a source for a genesis of ``accounts`` and ``orders``.

        Raises:
            ValueError: ``shard`` is none of ``shards``, or there are too few accounts for a bid on
                each order by 21 providers.
        """
        own = range(shard, accounts, shards)
        if not 0 <= shard < shards or len(own) < MAX_BIDS + 2:
            raise ValueError(f"no shard {shard} of {shards} of {accounts} accounts")
        self._accounts, self._orders = accounts, orders
        self._random = Random(f"{seed}/{shard}")  # noqa: S311  # an example, not a secret
        self._signing = Signing()
        self._own = deque(own)
        self._operators = deque(range(shard, min(accounts, example_data.OPERATORS), shards))
        self._deployments: Counter[int] = Counter()
        self._open: deque[tuple[int, int, int]] = deque()
        self._bidders: deque[int] = deque()
        for number in range(orders):
            tenant = number % accounts
            dseq = number // accounts + 1
            self._deployments[tenant] = dseq
            if number % shards == shard:
                self._open.append((tenant, dseq, number))

    def genesis(self) -> MultiStore:
        """Return the state that the traffic starts from: accounts, identities and open orders."""
        stores = example_data.genesis(self._accounts)
        for account in range(self._accounts):
            address = example_data.example_address(account).data
            identities.create_record(stores.trees["veid"], address, 0)
        block = BlockContext(CHAIN, 0, 0)
        for number in range(self._orders):
            tenant, dseq = number % self._accounts, number // self._accounts + 1
            deployment = virtengine.example_deployment(tenant, dseq, number)
            market.run_create_deployment(stores.trees, deployment, block)
        return stores

    def next(self, kind: str) -> bytes:
        """Return the next transaction of ``kind``, encoded.

        Raises:
            LookupError: the kind is none of ``KINDS``, or there is no order left to bid on.
        """
        make = KINDS.get(kind)
        if make is None:
            raise LookupError(f"there is no traffic of kind {kind!r}; there is {', '.join(KINDS)}")
        return make(self)

    def take(self, kinds: Sequence[str]) -> list[bytes]:
        """Return the next transaction of each of ``kinds`` in their order."""
        return [self.next(kind) for kind in kinds]

    def _send(self) -> bytes:
        sender = _turn(self._own)
        return self._signing.sign(sender, example_data.example_send(sender, self._any(), 1))

    def _multi_send(self) -> bytes:
        sender = _turn(self._own)
        recipients = [self._any() for _ in range(RECIPIENTS)]
        return self._signing.sign(sender, example_data.example_multi_send(sender, recipients, 1))

    def _delegate(self) -> bytes:
        delegator = _turn(self._own)
        return self._signing.sign(delegator, example_data.delegation(delegator, 1))

    def _create_deployment(self) -> bytes:
        tenant = _turn(self._own)
        self._deployments[tenant] = dseq = self._deployments[tenant] + 1
        shape = self._random.randrange(16)
        self._open.append((tenant, dseq, shape))
        message = virtengine.example_deployment(tenant, dseq, shape)
        return self._signing.sign(tenant, message)

    def _create_bid(self) -> bytes:
        if not self._bidders:
            if not self._open:
                raise LookupError("no order is left to bid on: make the source with more `orders`")
            others = (account for account in self._own if account != self._open[0][0])
            self._bidders.extend(islice(others, MAX_BIDS + 1))
        tenant, dseq, shape = self._open[0]
        provider = self._bidders.popleft()
        if not self._bidders:
            self._open.popleft()
            self._own.rotate(MAX_BIDS + 1)
        cents = self._random.randrange(50, 100)
        message = virtengine.example_bid(tenant, provider, dseq, shape, cents)
        return self._signing.sign(provider, message)

    def _update_score(self) -> bytes:
        validator = _turn(self._operators)
        message = virtengine.example_score(validator, self._any(), self._random.randrange(101))
        return self._signing.sign(validator, message)

    def _any(self) -> int:
        return self._random.randrange(self._accounts)


def _turn(numbers: deque[int]) -> int:
    """Return the first of ``numbers``, which becomes the last."""
    numbers.rotate(-1)
    return numbers[-1]


KINDS: dict[str, Callable[[Traffic], bytes]] = {
    "send": Traffic._send,
    "multi_send": Traffic._multi_send,
    "delegate": Traffic._delegate,
    "create_deployment": Traffic._create_deployment,
    "create_bid": Traffic._create_bid,
    "update_score": Traffic._update_score,
}
