"""Number-theoretic transforms: polynomials over the scalar field by their values on 2^k points."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import chain, repeat

from veperf._native.core import compiled_kernels
from veperf.workloads.zk.bigint import batch_inverse, integer, invert
from veperf.workloads.zk.field import R
from veperf.workloads.zk.limbs import numbers_from_bytes, numbers_to_bytes, scalars_to_bytes

TWO_ADICITY = 28
"""R - 1 is an odd number times 2^28."""
GENERATOR = 5
"""The least generator of the multiplicative group."""


class DomainError(ValueError):
    """There is no domain of that size, or the number of values is not the domain's size."""


class Domain:
    """The ``size`` powers of a root of unity, in order, with the transforms over them.

    Coefficients are lowest first; values are in the order 1, root, root^2, ... All results are
    from 0 to R - 1.
    """

    def __init__(self, size: int) -> None:
        """Create the domain of ``size`` points.

        Raises:
            DomainError: the size is not a power of 2 from 1 to 2^28.
        """
        if size < 1 or size & (size - 1) or size > 1 << TWO_ADICITY:
            raise DomainError(f"the size is a power of 2 up to 2^{TWO_ADICITY}, not {size}")
        self.size = size
        self.root = pow(integer(GENERATOR), (R - 1) // size, R)
        # snarkjs' keys have the same coset: the odd powers of the root of a domain twice as large.
        has_larger = size < 1 << TWO_ADICITY
        self.shift = pow(integer(GENERATOR), (R - 1) // (2 * size) if has_larger else 1, R)
        """The coset is ``shift`` times the domain."""
        self._inverse_size = invert(integer(size), R)

    def ntt(self, coefficients: Sequence[int]) -> list[int]:
        """Return the values of a polynomial on the domain.

        Raises:
            DomainError: there are not ``size`` coefficients.
        """
        if compiled_kernels() is not None:
            return self._native_transform(coefficients, (self.root, 1, 1, 1))
        return [value % R for value in self._transform(coefficients)]

    def intt(self, values: Sequence[int]) -> list[int]:
        """Return the coefficients of the polynomial with these values on the domain.

        Raises:
            DomainError: there are not ``size`` values.
        """
        scale = self._inverse_size
        if compiled_kernels() is not None:
            return self._native_transform(values, (self._inverse_root, 1, 1, scale))
        return [value * scale % R for value in self._transform_back(values)]

    def coset_ntt(self, coefficients: Sequence[int]) -> list[int]:
        """Return the values of a polynomial on the coset, where x^size - 1 is nowhere 0.

        Raises:
            DomainError: there are not ``size`` coefficients.
        """
        if compiled_kernels() is not None:
            return self._native_transform(coefficients, (self.root, self.shift, 1, 1))
        self._check(coefficients)
        pairs = zip(coefficients, self._shifts, strict=True)
        return self.ntt([value * shift % R for value, shift in pairs])

    def coset_intt(self, values: Sequence[int]) -> list[int]:
        """Return the coefficients of the polynomial with these values on the coset.

        Raises:
            DomainError: there are not ``size`` values.
        """
        if compiled_kernels() is not None:
            constants = self._inverse_root, 1, invert(integer(self.shift), R), self._inverse_size
            return self._native_transform(values, constants)
        pairs = zip(self._transform_back(values), self._inverse_shifts, strict=True)
        return [value * shift % R for value, shift in pairs]

    def coset_products(self, left: Sequence[int], right: Sequence[int]) -> list[int]:
        """Return the products, on the coset, of two polynomials with these values on the domain.

        Raises:
            DomainError: there are not ``size`` values of each.
        """
        kernels = compiled_kernels()
        if kernels is None:
            a, b = (self.coset_ntt(self.intt(values)) for values in (left, right))
            return [x * y % R for x, y in zip(a, b, strict=True)]
        inverse = numbers_to_bytes((self._inverse_root, 1, 1, self._inverse_size))
        coset = numbers_to_bytes((self.root, self.shift, 1, 1))
        results = []
        for values in (left, right):
            self._check(values)
            coefficients = kernels.fr_transform(scalars_to_bytes(values), inverse)
            results.append(kernels.fr_transform(coefficients, coset))
        return numbers_from_bytes(kernels.fr_multiply_all(*results))

    def lagrange(self, point: int) -> list[int]:
        """Return the values at ``point`` of the domain's Lagrange polynomials.

        L_i(x) = root^i / size * (x^size - 1) / (x - root^i), and on the domain itself 1 or 0.
        """
        point = integer(point) % R
        roots = _powers(self.root, self.size)
        vanishing = pow(point, self.size, R) - 1
        if not vanishing:
            return [integer(point == root) for root in roots]
        scale = vanishing * self._inverse_size % R
        inverses = batch_inverse([point - root for root in roots], R)
        return [
            root * inverse % R * scale % R for root, inverse in zip(roots, inverses, strict=True)
        ]

    def _native_transform(
        self, values: Sequence[int], constants: tuple[int, int, int, int]
    ) -> list[int]:
        """Transform with (root, before, after, factor); ``fr_transform`` says what they are."""
        self._check(values)
        results = compiled_kernels().fr_transform(
            scalars_to_bytes(values), numbers_to_bytes(constants)
        )
        return numbers_from_bytes(results)

    def _transform(self, coefficients: Sequence[int]) -> list[int]:
        """Return the values on the domain, not reduced.

        Each level separates neighbours and writes their sums and differences to both halves
        (Pease: An adaptation of the fast Fourier transform for parallel processing, 1968). Sums
        grow by at most R a level, which costs less than reducing them.
        """
        self._check(coefficients)
        values = [integer(coefficients[index]) for index in self._reversed_indices]
        half = self.size // 2
        turns = 1
        while turns < self.size:
            run = half // turns
            roots = chain.from_iterable(repeat(root, run) for root in self._roots[::run])
            twiddled = [root * odd % R for root, odd in zip(roots, values[1::2], strict=True)]
            even = values[::2]
            values = [left + right for left, right in zip(even, twiddled, strict=True)]
            values += [left - right for left, right in zip(even, twiddled, strict=True)]
            turns *= 2
        return values

    def _transform_back(self, values: Sequence[int]) -> list[int]:
        """Return ``size`` times the coefficients, not reduced: the values at the inverse roots."""
        forwards = self._transform(values)
        return forwards[:1] + forwards[:0:-1]

    def _check(self, numbers: Sequence[int]) -> None:
        if len(numbers) != self.size:
            raise DomainError(f"{len(numbers)} numbers for a domain of {self.size} points")

    @cached_property
    def _inverse_root(self) -> int:
        return invert(self.root, R)

    @cached_property
    def _roots(self) -> list[int]:
        """The lower half of the domain."""
        return _powers(self.root, self.size // 2)

    @cached_property
    def _reversed_indices(self) -> list[int]:
        """The numbers below ``size`` with their bits in reverse."""
        indices = [0]
        while len(indices) < self.size:
            indices = [2 * index for index in indices] + [2 * index + 1 for index in indices]
        return indices

    @cached_property
    def _shifts(self) -> list[int]:
        """The powers of ``shift``."""
        return _powers(integer(self.shift), self.size)

    @cached_property
    def _inverse_shifts(self) -> list[int]:
        """The powers of 1 / ``shift``, over ``size``."""
        powers = _powers(invert(integer(self.shift), R), self.size)
        return [self._inverse_size * power % R for power in powers]


@lru_cache(maxsize=16)
def cached_domain(size: int) -> Domain:
    """Return the domain of ``size`` points, from a cache.

    Raises:
        DomainError: the size is not a power of 2 from 1 to 2^28.
    """
    return Domain(size)


def _powers(base: int, count: int) -> list[int]:
    """Return the first ``count`` powers of ``base``, from base^0."""
    powers = []
    power = integer(1)
    for _ in range(count):
        powers.append(power)
        power = power * base % R
    return powers
