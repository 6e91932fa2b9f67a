"""Deterministic example validators, whose powers are as uneven as on public chains."""

from hashlib import sha256

from veperf.workloads.validator_set.validator import Validator
from veperf.workloads.validator_set.validators import ValidatorSet

_HIGHEST = 10**9


def consensus_key(number: int) -> bytes:
    """Return the key of the example validator with this number, 32 bytes.

    Not a point of the curve: nobody signs with it, and the set doesn't look.
    """
    return sha256(b"veperf validator %d" % number).digest()


def validators(count: int) -> list[Validator]:
    """Return ``count`` validators; the n-th strongest has one n-th of the first's power (Zipf)."""
    return [Validator(consensus_key(n), 1 + _HIGHEST // (n + 1)) for n in range(count)]


def validator_set(count: int) -> ValidatorSet:
    """Return a set of ``count`` example validators, after two full rounds of small sets.

    Its priorities differ then, as in a chain that has run for a while.
    """
    result = ValidatorSet(validators(count))
    result.rotate(10)
    return result


def block_changes(count: int, changes: int) -> list[Validator]:
    """Return a block's ``changes`` to ``validator_set(count)``: of ten, one joins and one leaves.

    The others' powers change by a bit, as when somebody delegates. They are spread over the set.
    """
    joining = leaving = changes // 10
    step = max(1, count // changes)
    touched = range(0, step * (changes - joining), step)
    result = [
        Validator(consensus_key(n), 0 if place < leaving else 2 + _HIGHEST // (n + 1))
        for place, n in enumerate(reversed(touched))
    ]
    return result + [Validator(consensus_key(count + n), 1_000) for n in range(joining)]
