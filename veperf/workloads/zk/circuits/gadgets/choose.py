"""Choices: one of two values, membership in a list."""

from collections.abc import Sequence

from veperf.workloads.zk.r1cs import Builder, Linear


def select(builder: Builder, bit: Linear, if_one: Linear, if_zero: Linear, name: str) -> Linear:
    """``if_one`` or ``if_zero``, as ``bit`` (held to 0 or 1 elsewhere) says."""
    (out,) = builder.hint(
        [name], lambda b, one, zero: (one if b else zero,), [bit, if_one, if_zero]
    )
    builder.constrain(bit, if_one - if_zero, out - if_zero, f"{name} is the one chosen")
    return out


def assert_member(builder: Builder, value: Linear, members: Sequence[Linear], name: str) -> None:
    """Demand that ``value`` is one of ``members``: the product of its differences is 0.

    Raises:
        ValueError: there are no members.
    """
    if not members:
        raise ValueError("nothing is a member of an empty list")
    product = value - members[0]
    for i, member in enumerate(members[1:-1], 1):
        product = builder.product(f"{name}.difference{i}", product, value - member)
    last = value - members[-1] if len(members) > 1 else 1
    builder.constrain(product, last, 0, f"{name} is in the list")
