"""The stores by name, the block, and the accounts of modules, with which every module works."""

from collections.abc import Mapping
from hashlib import sha256

from msgspec import Struct

from veperf.workloads.transaction.address import Address, address_from_bytes
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.execution import Chain

STORES = (
    "acc", "bank", "deployment", "escrow", "feegrant", "market", "provider", "staking", "veid",
)  # fmt: skip
"""Names of the modules' stores, those of the SDK's and of VirtEngine's store keys."""

Stores = Mapping[str, KeyValueStore]


class BlockContext(Struct, frozen=True):
    """The block that a transaction is in."""

    chain: Chain
    height: int
    time: int
    """Seconds since 1970."""


def module_account(name: str) -> Address:
    """Return a module's account: the first 20 bytes of SHA-256 of its name (ADR-028)."""
    return address_from_bytes(sha256(name.encode()).digest()[:20])


BONDED_POOL = module_account("bonded_tokens_pool")
NOT_BONDED_POOL = module_account("not_bonded_tokens_pool")
ESCROW = module_account("escrow")
COMMUNITY_POOL = module_account("distribution")
