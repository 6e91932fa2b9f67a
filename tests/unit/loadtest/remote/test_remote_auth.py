"""Only who has the token can prove it, and the proof gives nothing away."""

import pytest

from veperf.core.errors import UsageError
from veperf.loadtest.remote.auth import (
    SHARD,
    TARGET,
    TOKEN_VARIABLE,
    generate_token,
    is_valid_proof,
    make_proof,
    token_from_environment,
)


def test_a_proof_is_the_published_hmac() -> None:
    """HMAC-SHA-256 by RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert expected == make_proof("Jefe", b"what do ya want ", b"for nothing?").hex()


def test_a_proof_is_good_for_one_side_one_nonce_and_one_token() -> None:
    """What one side has sent can't be sent back to it, nor be used again."""
    token, nonce = generate_token(), bytes(16)
    proof = make_proof(token, SHARD, nonce)

    assert is_valid_proof(token, SHARD, nonce, proof)
    assert not is_valid_proof(token, TARGET, nonce, proof)
    assert not is_valid_proof(token, SHARD, bytes(15) + b"\1", proof)
    assert not is_valid_proof(generate_token(), SHARD, nonce, proof)


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that could be guessed is refused, and none is none."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert "" == token_from_environment()
    monkeypatch.setenv(TOKEN_VARIABLE, "a" * 16)
    assert "a" * 16 == token_from_environment()
    monkeypatch.setenv(TOKEN_VARIABLE, "a" * 15)
    with pytest.raises(UsageError, match="too short"):
        token_from_environment()
