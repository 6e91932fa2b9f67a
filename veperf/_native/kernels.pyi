"""The compiled kernels (src/module.c): bytes in, bytes out, the GIL released in long loops.

Numbers are 32 bytes each, little-endian. Points are their coordinates, of G1 x and y, of G2 x0, x1,
y0 and y1; zeros are infinity. Packed points, tables and lines have the machine's own form, of use
in this process only. All raise ValueError for bytes of another length or out of range.
"""

from collections.abc import Iterable, Iterator, Sequence

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

SOURCES: str
"""What ``digest_sources`` was when these kernels were compiled."""

SHA256_CODE: str
"""What computes SHA-256: "SHA-NI" or "portable"."""

def sha256(data: Buffer, is_portable: bool, /) -> bytes:
    """Return SHA-256 of the data, on demand without the processor's instructions for it."""

class TreeNode:
    """A node of an IAVL tree, with the attributes of Python's; it never changes but as a root.

    A root without a hash is changed in place by tree_set and tree_remove, which return it again.
    """

    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes: ...
    @property
    def version(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def left(self) -> TreeNode | None: ...
    @property
    def right(self) -> TreeNode | None: ...
    def fill_hashes(self) -> None: ...

def tree_get(root: TreeNode | None, key: bytes, /) -> bytes | None: ...
def tree_prove(root: TreeNode, key: bytes, /) -> bytes:
    """Return an ExistenceProof of cosmos/ics23 of a key that is there."""

def tree_set(
    root: TreeNode | None, key: bytes, value: bytes, version: int, /
) -> tuple[TreeNode, bool]:
    """Return the new root, and whether the key was there before."""

def tree_remove(
    root: TreeNode, key: bytes, version: int, /
) -> tuple[TreeNode | None, bytes | None]:
    """Return the new root and the removed value."""

def tree_apply(
    root: TreeNode | None, changes: Sequence[tuple[bytes, bytes | None]], version: int, /
) -> TreeNode | None:
    """Return the root after changes in strictly ascending order of keys; the old one stays."""

def tree_replay(
    root: TreeNode | None, change_sets: tuple[Buffer, ...], version: int, /
) -> TreeNode | None:
    """Return the root after change sets, each a version after the given one."""

def tree_load(
    slices: tuple[Buffer, ...], change_sets: tuple[Buffer, ...], version: int, /
) -> TreeNode | None:
    """As tree_replay, on a snapshot of the version."""

def tree_slice(subtrees: tuple[TreeNode, ...], count: int, /) -> bytes:
    """Return a slice of a snapshot: the first nodes of subtrees, one after the other."""

def tree_iterate(
    root: TreeNode, start: bytes | None, end: bytes | None, is_ascending: bool, /
) -> Iterator[tuple[bytes, bytes]]: ...
def tree_export(root: TreeNode, /) -> Iterator[tuple[bytes, bytes | None, int, int]]:
    """Iterate over key, value, version and height of the nodes in post-order."""

def tree_from_sorted(items: Iterable[tuple[bytes, bytes]], version: int, /) -> TreeNode | None: ...
def tree_leaf(key: bytes, value: bytes, version: int, /) -> TreeNode: ...
def tree_inner(left: TreeNode, right: TreeNode, version: int, /) -> TreeNode: ...

# Of transactions: what ``read_transfer`` doesn't take is left to the general decoder.

def read_transfer(
    raw: bytes, prefix: str, /
) -> tuple[bytes, str, bytes, str, str, int, str, int, bytes, int, int, bytes, bytes, bytes] | None:
    """Read the canonical encoding of a plain transfer; None for anything else.

    Sender and recipient as bytes and text, denomination and amount, those of the fee, public key,
    sequence, gas limit, signature, body, auth info.
    """

def verify_documents(
    library: bytes, chain_id: str, documents: tuple[tuple[bytes, bytes, bytes, bytes, int], ...], /
) -> bytes:
    """Return a verdict on each signature: 0 verified, 1 wrong, 2 s over half the order.

    ``library`` has the addresses of libsecp256k1's context, ``signature_parse_compact`` and
    ``ecdsa_verify``; a document is the point of the key as the library keeps it, signature, body,
    auth info and account number.
    """
