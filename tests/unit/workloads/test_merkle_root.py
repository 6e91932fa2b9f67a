"""The Merkle root of a list is RFC 6962's."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.merkle import merkle_root


def recursive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + recursive_root(leaves[:k]) + recursive_root(leaves[k:])).digest()


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ([""], "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (["010203"], "054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8"),
        (["010203", "040506"], "82e6cfce00453804379b53962939eaa7906b39904be0813fcadd31b100773c4b"),
        (
            ["0102", "0304", "0506", "0708", "090a"],
            "f326493eceab4f2d9ffbc78c59432a0a005d6ea98392045c74df5d14a113be18",
        ),
    ],
)
def test_published_roots(leaves: list[str], expected: str) -> None:
    """Those of CometBFT's tests."""
    assert expected == merkle_root(map(bytes.fromhex, leaves)).hex()


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_it_is_the_recursive_root(leaves: list[bytes]) -> None:
    """Level by level gives the tree that is split at the largest power of two."""
    assert recursive_root(leaves) == merkle_root(leaves)
