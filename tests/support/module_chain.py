"""A chain of several modules with a few accounts, and what tests ask it."""

from veperf.workloads.transaction.address import Address
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules.blocks import DeliveredTransaction, deliver_block
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.state import Account, get_account, get_balance

ACCOUNTS = 4
DENOM = CHAIN.fee_denom
FEE = chain.example_fee().amount[0].amount
TIME = 1_000_000


def deliver(stores: MultiStore, *raws: bytes, time: int = TIME) -> list[DeliveredTransaction]:
    """Deliver a block; return its results."""
    return list(deliver_block(stores, raws, CHAIN, time).results)


def codes(stores: MultiStore, *raws: bytes, time: int = TIME) -> list[Code]:
    """Deliver a block; return its codes."""
    return [result.code for result in deliver(stores, *raws, time=time)]


def balance(stores: MultiStore, owner: int | Address) -> int:
    """Return the balance of an example account, or of an address."""
    address = chain.example_address(owner) if isinstance(owner, int) else owner
    return get_balance(stores.trees["bank"], address.data, DENOM)


def account(stores: MultiStore, index: int) -> Account:
    """Return the record of an example account."""
    record = get_account(stores.trees["acc"], chain.example_address(index).data)
    assert record is not None
    return record


def contents(stores: MultiStore) -> dict[str, list[tuple[bytes, bytes]]]:
    """Return all keys and values, by store."""
    return {name: list(tree.iterate()) for name, tree in stores.trees.items()}


def coins(amount: int) -> tuple[Coin, ...]:
    """Return an amount of the chain's coin."""
    return (Coin(DENOM, amount),)
