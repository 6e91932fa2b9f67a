"""The compiled kernels (src/module.c): bytes in, bytes out, the GIL released meanwhile.

Numbers are 32 bytes each, little-endian. Points are their coordinates, of G1 x and y, of G2 x0, x1,
y0 and y1; zeros are infinity. Packed points, tables and lines have the machine's own form, of use
in this process only. All raise ValueError for bytes of another length or out of range.
"""

from typing_extensions import Buffer

def fr_multiply_all(left: Buffer, right: Buffer, /) -> bytes:
    """Return left[i] * right[i] modulo R."""

def fr_transform(values: Buffer, constants: Buffer, /) -> bytes:
    """Return the transform of values[i] * before^i, value i times factor * after^i.

    ``constants`` are the root of unity, before, after and factor.
    """

def g1_pack(points: Buffer, is_big_endian: bool, check: int, /) -> bytes:
    """Return packed points; checked for 1 to be on the curve, for 2 and not to be infinity."""

def g1_unpack(packed: Buffer, /) -> bytes: ...
def g1_table(packed: Buffer, window_bits: int, /) -> bytes:
    """Return the points, then all of them times 2^w, 2^2w and so on, for 126 bits and a sign."""

def g1_msm(table: Buffer, scalars: Buffer, window_bits: int, /) -> bytes:
    """Return the sum of scalars[i] * points[i]; ``table`` is of g1_table or the packed points."""

def g1_multiply(point: Buffer, scalar: Buffer, /) -> bytes: ...
def g1_digit_table(point: Buffer, window_bits: int, /) -> bytes:
    """Return the multiples of the point by each digit at each place."""

def g1_digit_table_sums(tables: Buffer, scalars: Buffer, window_bits: int, /) -> bytes:
    """Return for each group of scalars, one a table, the sum of scalar * the table's point."""

def g2_pack(points: Buffer, is_big_endian: bool, check: int, /) -> bytes: ...
def g2_unpack(packed: Buffer, /) -> bytes: ...
def g2_table(packed: Buffer, window_bits: int, /) -> bytes: ...
def g2_msm(table: Buffer, scalars: Buffer, window_bits: int, /) -> bytes: ...
def g2_multiply(point: Buffer, scalar: Buffer, /) -> bytes: ...
def g2_digit_table(point: Buffer, window_bits: int, /) -> bytes: ...
def g2_digit_table_sums(tables: Buffer, scalars: Buffer, window_bits: int, /) -> bytes: ...
def g2_first_outside(packed: Buffer, /) -> int:
    """Return the index of the first point outside the subgroup; the number of points if none is."""

def g2_are_in_subgroup(packed: Buffer, random: Buffer, /) -> bool:
    """Return whether all points are in the subgroup, given 20 unpredictable bytes for each.

    A point outside is missed with a probability below 2^-131; many points take a third of the time
    of one check each.
    """

def prepare_g2(point: Buffer, /) -> bytes:
    """Return the lines of a point of G2, checked to be on the curve and in the subgroup."""

def miller_loop(points: Buffer, lines: tuple[Buffer, ...], /) -> bytes:
    """Return the product of the Miller loops of points of G1 and lines of points of G2.

    As elements of Fp12: the two coordinates of each coefficient of w^0 to w^5.
    """

def final_exponentiation(value: Buffer, /) -> bytes: ...
