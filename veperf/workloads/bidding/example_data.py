"""Deterministic example providers and orders: a market of clouds of all sizes.

A daemon bids for one provider of that market (``daemon_providers``), on orders that it can serve.
With more providers it bids on the same orders, so that sizes of the population can be compared.
"""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from random import Random

from msgspec.structs import replace

from veperf.workloads.bidding.bids import BidSigner
from veperf.workloads.bidding.decimals import format_decimal
from veperf.workloads.bidding.orders import Order, OrderEvent, encode_order
from veperf.workloads.bidding.providers import Pricing, Provider, Resources

CHAIN_ID = "virtengine-1"
CURRENCY = "uve"
NOW_NS = 1_790_000_000 * 10**9
"""Time of the examples, in nanoseconds since 1970, UTC."""

PROFILES = {
    "medium": Resources(4, 8, 100),
    "small": Resources(1, 2, 10),
    "large": Resources(16, 64, 500),
    "gpu_small": Resources(4, 16, 100, 1),
    "gpu_large": Resources(32, 128, 1_000, 4),
}
"""Resources of orders: the resource profiles of VirtEngine's own bidding benchmark."""

_SEED = 1
_DAEMONS_OWN = 33
"""Number of the daemon's own provider: with GPUs, in three regions."""
_REGIONS = (
    "us-east",
    "us-west",
    "eu-west",
    "eu-north",
    "ap-south",
    "ap-east",
    "sa-east",
    "af-west",
)
_GPU_TYPES = ("a100", "h100", "l40s", "rtx4090")
_TIERS = ("basic", "standard", "premium")
_CENTURY_NS = 36_525 * 24 * 3600 * 10**9


@cache
def daemon_signer() -> BidSigner:
    """Return the key of the example daemon."""
    return BidSigner(sha256(b"veperf bidding daemon").digest())


def providers(count: int) -> tuple[Provider, ...]:
    """Return ``count`` example providers; every third has GPUs, one in fifty is not active."""
    random = Random(_SEED)  # noqa: S311  # an example, not a secret
    return tuple([_provider(i, random) for i in range(count)])


def daemon_providers(count: int = 1) -> tuple[Provider, ...]:
    """Return the providers of a daemon: its own, and ``count`` - 1 others of the market.

    One provider is what VirtEngine deploys with each daemon. It can serve every profile.
    """
    market = providers(max(count, _DAEMONS_OWN + 1))
    own = market[_DAEMONS_OWN]
    return (own, *[provider for provider in market if provider is not own][: count - 1])


@cache
def daemon_orders(*profiles: str) -> tuple[Order, ...]:
    """Return orders of ``profiles`` that the daemon's own provider can serve; of all by default.

    They are for its regions and its tier, and GPUs of its type.
    """
    (own,) = daemon_providers()
    return tuple(
        example
        for example in (order(i, profile) for i in range(24) for profile in profiles or PROFILES)
        if example.region in own.regions
        and example.attributes["tier"] == own.attributes["tier"]
        and example.gpu_type in ("", own.gpu_type)
    )


def order(number: int, profile: str = "medium") -> Order:
    """Return an example order with a region, an attribute and a highest price that can be met."""
    needed = PROFILES[profile]
    return Order(
        id=f"order-{number}",
        customer=f"ve1customer{number % 1_000:04d}",
        offering="gpu" if needed.gpus else "compute",
        resources=needed,
        currency=CURRENCY,
        created_ns=NOW_NS,
        gpu_type=_GPU_TYPES[number % len(_GPU_TYPES)] if needed.gpus else "",
        region=_REGIONS[number % len(_REGIONS)],
        attributes={"tier": _TIERS[number % len(_TIERS)]},
        max_price="100",
        expires_ns=NOW_NS + _CENTURY_NS,
    )


def order_events(first: int = 1, step: int = 1) -> Iterator[OrderEvent]:
    """Yield announced orders without end, each with its own id, numbered from ``first`` on.

    The daemon's own provider can serve each of them.
    """
    kinds = daemon_orders("medium", "small")
    number = first
    while True:
        unique = replace(kinds[number % len(kinds)], id=f"order-{number}")
        yield OrderEvent(number, encode_order(unique))
        number += step


def _provider(number: int, random: Random) -> Provider:
    size = 2 ** random.randint(3, 9)
    has_gpus = number % 3 == 0
    capacity = Resources(size, 4 * size, 100 * size, size // 8 if has_gpus else 0)
    return Provider(
        id=f"ve1provider{number:06d}",
        pricing=_pricing(random),
        capacity=capacity,
        offerings=("compute", "storage", "gpu") if has_gpus else ("compute", "storage"),
        regions=tuple(random.sample(_REGIONS, random.randint(1, 3))),
        reserved=Resources(size // 16, size // 4, 0, 0),
        gpu_type=random.choice(_GPU_TYPES) if has_gpus else "",
        attributes={
            "tier": random.choice(_TIERS),
            "uptime": random.choice(("99", "99.9", "99.99")),
            "host": f"host-{number}",
        },
        active=number % 50 != 49,
    )


def _pricing(random: Random) -> Pricing:
    def random_price(atto: int) -> str:
        return format_decimal(random.randint(atto // 2, 2 * atto))

    return Pricing(
        currency=CURRENCY,
        cpu_core=random_price(10**17),
        memory_gb=random_price(5 * 10**16),
        storage_gb=random_price(10**16),
        gpu=random_price(10**18),
        markup_percent=f"{random.randint(0, 30)}.{random.randint(0, 9)}",
        minimum="0.001",
    )
