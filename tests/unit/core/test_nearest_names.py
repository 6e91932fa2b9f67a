"""A wrong name gets the ones that were meant, by its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.nearest_names import nearest_names

NAMES = [
    "transaction", "transaction/gas", "transaction/sign", "transaction/hash_compute",
    "transaction/validation", "transaction/validation_ed25519", "transaction/execution",
    "bidding/latency", "zk_proof/prover", "validator_set/hash", "verification/scoring",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("transaction/hsh", "transaction/hash_compute"),
        ("transaction/compute_hash", "transaction/hash_compute"),
        ("transactoin", "transaction"),
        ("transaction/validate", "transaction/validation"),
        ("exection", "transaction/execution"),
        ("bidding/latncy", "bidding/latency"),
        ("hash", "transaction/hash_compute"),
        ("Transaction/GAS", "transaction/gas"),
    ],
)
def test_the_one_that_was_meant_comes_first(name: str, first: str):
    """Words are near by their letters, in any order; names that hold the whole come before."""
    assert first == nearest_names(name, NAMES)[0]


def test_what_is_like_nothing_has_no_answer():
    """Rather than any name that shares some letters."""
    assert [] == nearest_names("nonsense/xyz", NAMES)
    assert [] == nearest_names("", NAMES)


@given(st.lists(st.text("ab/_", max_size=8), unique=True), st.text("ab/_", max_size=8))
def test_answers_are_known_names_without_repeats(names: list[str], name: str):
    """And a name that exists is among them, first of those as long."""
    answer = nearest_names(name, names)

    assert len(set(answer)) == len(answer) <= 3
    assert set(answer) <= set(names)
