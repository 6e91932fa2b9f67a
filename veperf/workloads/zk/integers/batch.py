"""Many modular inverses for the price of one and three products each."""

from collections.abc import Sequence

from veperf.workloads.zk.integers.engine import integer, invert


def batch_inverse(values: Sequence[int], modulus: int) -> list[int]:
    """The inverses of ``values`` modulo ``modulus``, in their order (Montgomery's trick).

    Raises:
        ZeroDivisionError: one has no inverse.
    """
    product = integer(1)
    before = []
    for value in values:
        before.append(product)
        product = product * value % modulus
    inverse = invert(product, modulus)
    inverses = []
    for value in reversed(values):
        inverses.append(inverse * before.pop() % modulus)
        inverse = inverse * value % modulus
    inverses.reverse()
    return inverses
