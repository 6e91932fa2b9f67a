"""A circuit accepts the signatures that circomlib makes, in one way each, and no others."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from veperf.workloads.zk.babyjubjub.curve import (
    BASE8,
    BabyPoint,
    L,
    baby_add,
    baby_multiply,
    baby_point,
)
from veperf.workloads.zk.babyjubjub.eddsa import EddsaSignature, SigningKey
from veperf.workloads.zk.circuits.eddsa import PointSignals, assert_eddsa, canonical_bits
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.builder import Builder, WitnessProgram
from veperf.workloads.zk.r1cs.linear import evaluate_row
from veperf.workloads.zk.r1cs.system import R1cs, UnsatisfiedError

ORDER = int(R)
KEY = SigningKey(bytes(range(32)))
GENERATOR = baby_point(
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
LOW_ORDER = baby_multiply(GENERATOR, int(L))


def build() -> tuple[R1cs, WitnessProgram]:
    builder = Builder()
    x, y, message = (builder.public(name) for name in ("x", "y", "message"))
    r8x, r8y, s = (builder.private(name) for name in ("r8x", "r8y", "s"))
    key, r8 = PointSignals(x, y), PointSignals(r8x, r8y)
    assert_eddsa(builder, key, message, r8, s, "signature")
    return builder.build()


SYSTEM, PROGRAM = build()
NAMES = SYSTEM.wire_names


def inputs(key: BabyPoint, message: int, signature: EddsaSignature) -> dict[str, int]:
    (x, y), (r8x, r8y) = key, signature.r8
    values = {"x": x, "y": y, "message": message, "r8x": r8x, "r8y": r8y, "s": signature.s}
    return {name: value % ORDER for name, value in values.items()}


def honest(message: int = 7) -> dict[str, int]:
    return inputs(KEY.public_key, message, KEY.sign(message))


@pytest.mark.parametrize("message", [0, 1, ORDER - 1, 2**200])
@pytest.mark.parametrize("private", [bytes(32), b"\xff" * 32])
def test_signatures_pass(message: int, private: bytes) -> None:
    """By keys whose signatures are compared with circomlib's in test_babyjubjub."""
    key = SigningKey(private)
    witness = PROGRAM.compute_witness(inputs(key.public_key, message, key.sign(message)))

    SYSTEM.check(witness)
    assert witness[NAMES.index("signature.hA.x")] != 0


@pytest.mark.parametrize(
    "change",
    [
        {"message": 8},
        {"s": int(KEY.sign(7).s + L)},  # the same point, in 252 bits
        {"s": int(KEY.sign(7).s) + 1},
        {"s": 0},
        {"s": ORDER - 1},
        {"x": ORDER - int(KEY.public_key[0])},
        {"x": 0, "y": 1},
        {"x": 1, "y": 1},
        {"r8x": 0, "r8y": 1},
        {"r8x": 3, "r8y": 5},
    ],
)
def test_other_inputs_are_refused(change: dict[str, int]) -> None:
    """Another message, second forms of S, other keys, R8 elsewhere and off the curve."""
    with pytest.raises(UnsatisfiedError):
        SYSTEM.check(PROGRAM.compute_witness(honest() | change))


@pytest.mark.parametrize("multiple", range(1, 8))
def test_points_of_low_order_are_refused(multiple: int) -> None:
    """As the key, under which anybody signs, and added to the key or to R8 of a signature."""
    point, signature = baby_multiply(LOW_ORDER, multiple), KEY.sign(7)
    anybody = EddsaSignature(baby_multiply(BASE8, 12345), 12345)
    shifted = EddsaSignature(baby_add(signature.r8, point), signature.s)
    cases = [
        (point, anybody),
        (KEY.public_key, shifted),
        (baby_add(KEY.public_key, point), signature),
    ]
    for key, forged in cases:
        with pytest.raises(UnsatisfiedError):
            SYSTEM.check(PROGRAM.compute_witness(inputs(key, 7, forged)))


def test_the_hash_has_no_second_decomposition() -> None:
    """Its bits plus those of r, in as many bits, make another scalar: they are refused."""
    hash_wires = [NAMES.index(f"signature.h.bit{i}") for i in range(254)]
    for message in range(20):
        witness = PROGRAM.compute_witness(honest(message))
        number = sum(int(witness[wire]) << i for i, wire in enumerate(hash_wires))
        if number + ORDER < 1 << 254:
            break
    bits = [number + ORDER >> i & 1 for i in range(254)]
    step = next(step for step in PROGRAM.steps if step.wires[0] == hash_wires[0])
    steps = [replace(s, compute=lambda _: bits) if s is step else s for s in PROGRAM.steps]
    forged = replace(PROGRAM, steps=tuple(steps)).compute_witness(honest(message))

    with pytest.raises(UnsatisfiedError, match=r"signature\.h"):
        SYSTEM.check(forged)
    assert evaluate_row(tuple((w, 1 << i) for i, w in enumerate(hash_wires)), forged) == number


def test_every_wire_is_bound() -> None:
    """A change of any single wire, by 1, -1 or much, breaks a constraint in which it is."""
    witness = PROGRAM.compute_witness(honest())
    users: dict[int, set[int]] = {}
    for number, constraint in enumerate(SYSTEM.constraints):
        for wire in {wire for side in constraint for wire, _ in side}:
            users.setdefault(wire, set()).add(number)

    def holds(number: int) -> bool:
        a, b, c = (evaluate_row(side, witness) for side in SYSTEM.constraints[number])
        return bool(a * b % R == c)

    unbound = []
    for wire in range(1, SYSTEM.wire_count):
        value = witness[wire]
        for change in (1, -1, ORDER // 3):
            witness[wire] = (value + change) % R
            if all(map(holds, users[wire])):
                unbound.append(NAMES[wire])
        witness[wire] = value

    assert [] == unbound


@pytest.mark.parametrize("maximum", range(1, 14))
def test_canonical_bits_are_those_up_to_the_maximum(maximum: int) -> None:
    """Of all values of all wires, one is accepted for each number up to it, none beyond."""
    builder = Builder()
    value = builder.private("value")
    canonical_bits(builder, value, maximum, "value")
    system, _ = builder.build()
    inner = system.wire_count - 2
    accepted = [
        number
        for number in range(1 << maximum.bit_length())
        for guess in product((0, 1), repeat=inner)
        if is_satisfied(system.check, [1, number, *guess])
    ]

    assert list(range(maximum + 1)) == accepted


def is_satisfied(check: Callable[[list[int]], object], witness: list[int]) -> bool:
    try:
        check(witness)
    except UnsatisfiedError:
        return False
    return True


@pytest.mark.parametrize("maximum", [0, -1, ORDER])
def test_maxima_that_make_no_sense_are_refused(maximum: int) -> None:
    """None, and those of no field element."""
    builder = Builder()
    with pytest.raises(ValueError):
        canonical_bits(builder, builder.private("value"), maximum, "value")
