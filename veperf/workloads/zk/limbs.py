"""Numbers as the compiled kernels take them: 32 bytes each, little-endian, one after the other."""

from collections.abc import Iterable, Sequence

from veperf.workloads.zk.bigint import PLAIN, integer, pack, unpack
from veperf.workloads.zk.field import R

NUMBER_BYTES = 32
_NUMBER_BITS = 8 * NUMBER_BYTES


def numbers_to_bytes(numbers: Sequence[int]) -> bytes:
    """Return the bytes of ``numbers``.

    Raises:
        ValueError: one is negative or does not fit.
    """
    if PLAIN:  # without a packing in one go, which gmpy2 has
        return _join(numbers)
    return int(pack(numbers, _NUMBER_BITS)).to_bytes(NUMBER_BYTES * len(numbers), "little")


def _join(numbers: Iterable[int]) -> bytes:
    try:
        return b"".join([int(number).to_bytes(NUMBER_BYTES, "little") for number in numbers])
    except OverflowError as error:
        raise ValueError("a number is negative or takes more than 32 bytes") from error


def numbers_from_bytes(data: bytes) -> list[int]:
    """Return the numbers in ``data``, whose length is a multiple of 32."""
    if PLAIN:
        return [
            int.from_bytes(data[start : start + NUMBER_BYTES], "little")
            for start in range(0, len(data), NUMBER_BYTES)
        ]
    count = len(data) // NUMBER_BYTES
    numbers = unpack(integer(int.from_bytes(data, "little")), _NUMBER_BITS)
    return [*numbers, *[integer(0)] * (count - len(numbers))][:count]  # leading zeros are left out


def scalars_to_bytes(scalars: Sequence[int]) -> bytes:
    """Return the bytes of any integers, which the kernels take modulo R."""
    try:
        return numbers_to_bytes(scalars)
    except ValueError:
        return numbers_to_bytes([scalar % R for scalar in scalars])
