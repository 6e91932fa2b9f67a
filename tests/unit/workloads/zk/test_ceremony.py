"""Ceremonies: powers of tau and contributions of snarkjs's, and every way to cheat."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from struct import pack, pack_into

import pytest

from tests.support.snarkjs_sections import section
from veperf.core.errors import CorruptFileError, DataError, UsageError
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import KeyForm, TestKeyError
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.snarkjs.ceremony import (
    _contributed,
    apply_beacon,
    contribute,
    first_zkey,
    verify_ceremony,
)
from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns
from veperf.workloads.zk.snarkjs.contributions import Beacon, beacon_numbers
from veperf.workloads.zk.snarkjs.ptau import Ptau
from veperf.workloads.zk.snarkjs.zkey import read_zkey, write_zkey, zkey_of

VECTORS = Path(__file__).parents[3] / "vectors" / "zk"
POWERS = (VECTORS / "snarkjs" / "powers.ptau").read_bytes()
PTAU = Ptau(POWERS)
SYSTEM = read_r1cs((VECTORS / "circom" / "fixture.r1cs").read_bytes())
WITNESS = read_wtns((VECTORS / "circom" / "fixture.wtns").read_bytes())
SNARKJS = read_zkey((VECTORS / "snarkjs" / "final.zkey").read_bytes())
BEACON = Beacon(bytes(range(1, 32)), 10)


@cache
def ceremony():
    """A first key, two contributions and a beacon, all made here."""
    first = first_zkey(SYSTEM, PTAU)
    return apply_beacon(contribute(contribute(first, "Ada"), "Grace"), BEACON, "block")


def test_the_first_key_is_snarkjs_s():
    """From the same circuit and powers of tau: points, matrices and the hash."""
    data = (VECTORS / "snarkjs" / "first.zkey").read_bytes()
    theirs, ours = read_zkey(data, allow_test_keys=True), first_zkey(SYSTEM, PTAU)

    assert theirs == ours
    assert theirs == read_zkey(write_zkey(ours), allow_test_keys=True)


def test_snarkjs_s_ceremony_is_valid():
    """A contribution and a beacon; and one of ours after them."""
    assert verify_ceremony(SNARKJS, SYSTEM, PTAU) is None
    assert verify_ceremony(contribute(SNARKJS, "after"), SYSTEM, PTAU) is None


def test_a_ceremony_of_our_own():
    """It is valid, survives its file, and its key proves; the first key alone is a test key."""
    made = read_zkey(write_zkey(ceremony()))
    proof = Prover(made.circuit, made.key).prove(WITNESS)

    assert made == ceremony()
    assert verify_ceremony(made, SYSTEM, PTAU) is None
    assert verify(made.key.verifying_key, WITNESS[1:4], proof)
    assert ["Ada", "Grace", "block"] == [c.name for c in made.contributions]
    with pytest.raises(TestKeyError):
        read_zkey(write_zkey(first_zkey(SYSTEM, PTAU)))


def test_a_contribution_of_a_known_seed_is_marked():
    """And the mark stays, whatever comes after it."""
    seeded = contribute(first_zkey(SYSTEM, PTAU), "seed", Random(1).randrange)
    for zkey in (seeded, contribute(seeded, "secret"), apply_beacon(seeded, BEACON)):
        with pytest.raises(TestKeyError):
            read_zkey(write_zkey(zkey))


def with_contribution(zkey, number, **changes):
    contributions = list(zkey.contributions)
    contributions[number] = replace(contributions[number], **changes)
    return replace(zkey, contributions=tuple(contributions))


def cheats():
    """Ceremonies with one thing wrong, and the words that say it."""
    made = ceremony()
    key, (one, two, _) = made.key, made.contributions
    g1, g2 = g1_multiply(G1, 7), g2_multiply(G2, 7)
    yield replace(made, key=replace(key, delta_g1=g1)), "delta is not"
    verifying = replace(key.verifying_key, delta=g2)
    yield replace(made, key=replace(key, verifying_key=verifying)), "delta is not"
    for name, part in (("alpha", {"alpha": g1}), ("gamma", {"gamma": g2}), ("beta", {"beta": g2})):
        changed = replace(key, verifying_key=replace(key.verifying_key, **part))
        yield replace(made, key=changed), f"{name} was changed"
    yield replace(made, key=replace(key, a=key.a[::-1])), "a was changed"
    yield replace(made, key=replace(key, b_g1=key.b_g1[::-1])), "b was changed"
    yield replace(made, key=replace(key, c=(*key.c[:-1], g1))), "points of c"
    yield replace(made, key=replace(key, products=(*key.products[1:], g1))), "points of h"
    yield replace(made, circuit_hash=bytes(64)), "began with another circuit"
    yield replace(made, contributions=made.contributions[1:]), "contribution 1: its hash"
    yield replace(made, contributions=(two, one)), "contribution 1: its hash"
    yield replace(made, contributions=made.contributions[:2]), "delta is not"
    yield with_contribution(made, 0, spx=g2), "contribution 1: its points"
    yield with_contribution(made, 1, s=g1), "contribution 2: its hash"
    yield with_contribution(made, 0, delta=g1), "contribution 1: delta was multiplied"
    other = Beacon(b"chosen", 10)
    yield with_contribution(made, 2, beacon=other), "contribution 3: it is not what its beacon"


@pytest.mark.parametrize("number", range(17))
def test_cheating_is_noticed(number):
    """Each change is named, with the contribution where it is one's."""
    cheat, words = list(cheats())[number]
    fault = verify_ceremony(cheat, SYSTEM, PTAU)

    assert fault is not None
    assert words in str(fault)


def test_what_makes_no_ceremony():
    """A beacon alone, an empty one, keys without a ceremony, beacons that take years."""
    first = first_zkey(SYSTEM, PTAU)
    with pytest.raises(UsageError, match="nobody contributed"):
        apply_beacon(first, BEACON)
    for beacon in (Beacon(b"", 10), Beacon(bytes(256), 10), Beacon(b"x", 9), Beacon(b"x", 63)):
        with pytest.raises(UsageError):
            apply_beacon(SNARKJS, beacon)
    alone = zkey_of(setup(SYSTEM, form=KeyForm.SNARKJS), SYSTEM)
    with pytest.raises(UsageError, match="of no ceremony"):
        contribute(alone)
    slow = with_contribution(ceremony(), 2, beacon=Beacon(b"x", 63))
    with pytest.raises(DataError, match=r"2\^63"):
        verify_ceremony(slow, SYSTEM, PTAU)


def added(zkey, secret, beacon=None):
    """A contribution of a known secret, as others may write it without a mark."""
    numbers = beacon and beacon_numbers(beacon)
    secret = numbers.element(R) if beacon else secret
    s = numbers.g1() if beacon else G1
    return _contributed(zkey, secret, s, "", beacon, is_known=False)


def test_everybody_knows_delta():
    """Beacons and nothing else, a secret of 1, secrets that cancel out: no ceremony, a test key."""
    first = first_zkey(SYSTEM, PTAU)
    cancelled = added(added(first, 5), pow(5, -1, R))
    for known in (added(first, 0, BEACON), added(first, 1), cancelled):
        assert "everybody knows delta" in str(verify_ceremony(known, SYSTEM, PTAU))
        with pytest.raises(TestKeyError):
            read_zkey(write_zkey(known))
        with pytest.raises(UsageError, match="nobody contributed"):
            apply_beacon(known, BEACON)
        after = contribute(read_zkey(write_zkey(known), allow_test_keys=True))
        assert verify_ceremony(after, SYSTEM, PTAU) is None
        assert read_zkey(write_zkey(after)) == after


def test_circuits_that_are_too_large():
    """The error says what the file is for, and what the circuit takes."""
    with pytest.raises(DataError, match="power 5, for at most 32"):
        PTAU.require_size(64)
    PTAU.require_size(32)


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 12, 13, 14, 15])
def test_powers_that_contradict_each_other(number):
    """One valid point in place of another, in any section that a key is made of."""
    start, _ = section(POWERS, number)
    other, _ = section(POWERS, 6 if number in (3, 13) else 5)
    size, place = (128, start) if number in (3, 6, 13) else (64, start)
    if number == 6:
        other, _ = section(POWERS, 3)
    elif number in (12, 14, 15):
        place = start + 31 * 64  # the first of the domain of 32 points
    elif number == 13:
        place = start + 31 * 128
    elif number == 5:
        other, _ = section(POWERS, 4)
    changed = bytearray(POWERS)
    changed[place : place + size] = POWERS[other : other + size]
    with pytest.raises(CorruptFileError, match=r"contradicts|alpha times|beta times"):
        first_zkey(SYSTEM, Ptau(bytes(changed)))


def test_files_that_are_not_prepared_or_damaged():
    """The error says what to do; other curves are named; sizes are checked."""
    start, _ = section(POWERS, 12)
    with pytest.raises(DataError, match="prepare phase2"):
        Ptau(POWERS[:8] + pack("<I", 7) + POWERS[12 : start - 12])
    for end in (0, 3, 11, 60, 5000, len(POWERS) - 1):
        with pytest.raises(DataError):
            Ptau(POWERS[:end])
    changed = bytearray(POWERS)
    for power in (4, 6, 31, 0xFFFFFFFF):
        pack_into("<I", changed, section(POWERS, 1)[0] + 36, power)
        with pytest.raises(CorruptFileError):
            Ptau(bytes(changed))
    changed = bytearray(POWERS)
    changed[section(POWERS, 1)[0] + 4] ^= 1
    with pytest.raises(DataError, match="another field"):
        Ptau(bytes(changed))
    off_curve = bytearray(POWERS)
    off_curve[section(POWERS, 2)[0] + 70] ^= 1
    with pytest.raises(CorruptFileError, match="powers of tau in G1, point 1"):
        first_zkey(SYSTEM, Ptau(bytes(off_curve)))
