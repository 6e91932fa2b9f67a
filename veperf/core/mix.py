"""Mixes: the shares of the kinds of items that a load is made of, as ``send=60,create_bid=40``.

Shares are weights, so that they need not add up to 100. A benchmark that has mixes has a parameter
``mix``, whose values are texts like that; the kinds that these name are the kinds that it knows.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from random import Random

from veperf.core.case import Metric
from veperf.core.errors import UsageError

MIX = "mix"
"""The parameter of a benchmark."""
KIND_PERCENTILES = ("p50", "p95", "p99")
"""Percentiles of latency that are a figure of each kind."""

_MOST_KINDS = 100
_DRAWN_AT_ONCE = 1_024

Mix = Mapping[str, float]
"""Kinds with their shares, each above 0; they add up to 1."""


def kind_metric(percentile: str, kind: str) -> str:
    """Return the name of a percentile of a kind's latency: ``latency_p99_send``."""
    return f"latency_{percentile}_{kind}"


def kind_metrics(kinds: Iterable[str]) -> tuple[Metric, ...]:
    """Return the metrics of each of ``kinds``, in ms."""
    return tuple(Metric(kind_metric(p, kind), "ms") for kind in kinds for p in KIND_PERCENTILES)


def parse_mix(text: str, kinds: Iterable[str] = ()) -> Mix:
    """Return the mix that ``text`` says, in the order of ``kinds``, which are all that there are.

    Without ``kinds`` it may have any, in its own order.

    Raises:
        UsageError: it names no kind or more than a hundred, one that is not there, or one twice; a
            share is no number, or not above 0 and finite.
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        kind, equals, share = (word.strip() for word in part.partition("="))
        if not kind or not equals:
            raise UsageError(f"a mix is written as send=60,create_bid=40, not as {text[:200]!r}")
        if kind in shares:
            raise UsageError(f"mix {text[:200]!r} has {kind} twice")
        shares[kind] = _parse_share(kind, share)
    if len(shares) > _MOST_KINDS:
        raise UsageError(f"a mix of {len(shares)} kinds; it can have {_MOST_KINDS}")
    order = list(kinds) or list(shares)
    if unknown := [kind for kind in shares if kind not in order]:
        raise UsageError(
            f"there is no kind {unknown[0][:100]!r} to mix; there are {', '.join(order)}"
        )
    total = sum(shares.values())
    return {kind: shares[kind] / total for kind in order if kind in shares}


def format_mix(mix: Mix) -> str:
    """Return ``mix`` as text, with shares in %: equal mixes have equal texts."""
    return ",".join(f"{kind}={100 * share:.6g}" for kind, share in mix.items())


def known_kinds(texts: Iterable[str]) -> list[str]:
    """Return all kinds that the mixes ``texts`` name, each once, in their order."""
    return list(dict.fromkeys(kind for text in texts for kind in parse_mix(text)))


def draw_kinds(mix: Mix, seed: int) -> Iterator[str]:
    """Yield kinds without end, each drawn with its share; the same ones for the same ``seed``."""
    random = Random(seed)  # noqa: S311  # an example, not a secret
    kinds, shares = list(mix), list(mix.values())
    while True:
        yield from random.choices(kinds, shares, k=_DRAWN_AT_ONCE)


def _parse_share(kind: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 < share < math.inf:
        raise UsageError(f"the share of {kind[:100]} must be more than 0, not {text[:100]!r}")
    return share
