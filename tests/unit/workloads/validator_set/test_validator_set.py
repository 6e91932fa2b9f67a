"""Validator sets take turns and change as CometBFT's do."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.protobuf import message_classes
from veperf.workloads.validator_set.validator import (
    MAX_TOTAL_POWER,
    Validator,
    encode_validator,
)
from veperf.workloads.validator_set.validators import ChangeSetError, ValidatorSet

VECTORS = Path(__file__).parents[3] / "vectors" / "validator_set" / "cometbft.json"
SCENARIOS = json.loads(VECTORS.read_text(encoding="utf-8"))


def key(number: int) -> bytes:
    return sha256(b"veperf validator %d" % number).digest()


def changes(pairs: list[list[int]]) -> list[Validator]:
    return [Validator(key(number), power) for number, power in pairs]


def by_address(*powers: int) -> list[Validator]:
    """Validators with these powers, whose addresses ascend."""
    keys = sorted(map(key, range(len(powers))), key=lambda key: Validator(key, 0).address)
    return [Validator(key, power) for key, power in zip(keys, powers, strict=True)]


def state(validators: ValidatorSet) -> tuple[Any, ...]:
    priorities = [validators.priority(validator.address) for validator in validators]
    return [*validators], priorities, validators.proposer, validators.total_power


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_every_step_is_cometbfts(scenario: dict[str, Any]) -> None:
    """Proposer, power, hash and priorities after each turn and change; and its refusals."""
    validators = ValidatorSet(changes(scenario["start"]))
    for step in scenario["steps"]:
        if "increment" in step:
            validators.rotate(step["increment"])
        elif step.get("error"):
            with pytest.raises(ChangeSetError):
                validators.update(changes(step["update"]))
        elif "update" in step:
            validators.update(changes(step["update"]))

        assert Validator(key(step["proposer"]), 0).address == validators.proposer
        assert step["total"] == validators.total_power == validators.sum_power()
        assert step["hash"] == validators.hash().hex()
        assert step["priority_hash"] == validators.priority_hash().hex()
        if "priorities" in step:
            assert step["priorities"] == state(validators)[1]


class PlainSet:
    """CometBFT's rules on plain integers of any size."""

    def __init__(self, validators: list[Validator]) -> None:
        self.powers: dict[bytes, int] = {}
        self.priorities: dict[bytes, int] = {}
        self.proposer = b""
        self.update(validators)
        self.rotate(1)

    def update(self, validators: list[Validator]) -> None:
        after = self.powers | {v.address: v.power for v in validators if v.power}
        removed = sum(self.powers[v.address] for v in validators if not v.power)
        gone = {v.address for v in validators if not v.power}
        final = {address: power for address, power in after.items() if address not in gone}
        total = sum(final.values()) + removed
        self.priorities = {
            address: self.priorities.get(address, -(total + (total >> 3))) for address in final
        }
        self.powers = final
        self.settle()

    def settle(self) -> None:
        window = 2 * sum(self.powers.values())
        spread = max(self.priorities.values()) - min(self.priorities.values())
        if spread > window:
            ratio = (spread + window - 1) // window
            self.priorities = {
                address: abs(p) // ratio * (-1 if p < 0 else 1)
                for address, p in self.priorities.items()
            }
        mean = sum(self.priorities.values()) // len(self.priorities)
        self.priorities = {address: p - mean for address, p in self.priorities.items()}

    def rotate(self, times: int) -> None:
        self.settle()
        for _ in range(times):
            for address, power in self.powers.items():
                self.priorities[address] += power
            self.proposer = min(self.priorities, key=lambda a: (-self.priorities[a], a))
            self.priorities[self.proposer] -= sum(self.powers.values())


POWERS = st.integers(1, 20) | st.integers(1, MAX_TOTAL_POWER // 8)


@given(
    st.lists(POWERS, min_size=1, max_size=4),
    st.lists(
        st.integers(1, 30)
        | st.dictionaries(st.integers(0, 6), st.just(0) | POWERS, min_size=1, max_size=3),
        max_size=8,
    ),
)
def test_it_is_a_set_of_plain_integers(powers: list[int], steps: list[Any]) -> None:
    """No power up to the limit, and no turn or change, lets a 64-bit number overflow."""
    start = changes([[number, power] for number, power in enumerate(powers)])
    expected, actual = PlainSet(start), ValidatorSet(start)
    for step in steps:
        if isinstance(step, int):
            expected.rotate(step)
            actual.rotate(step)
            continue
        pairs = [[number, power] for number, power in step.items()]
        before = state(actual)
        try:
            actual.update(changes(pairs))
        except ChangeSetError:
            assert before == state(actual)
            continue
        expected.update(changes(pairs))

        assert expected.powers == {v.address: v.power for v in actual}
        assert expected.priorities == {v.address: actual.priority(v.address) for v in actual}
        assert expected.proposer == actual.proposer


def test_turns_are_in_proportion_to_power() -> None:
    """Of 120 turns, powers of 4, 5 and 3 have 40, 50 and 30."""
    validators = ValidatorSet(by_address(4, 5, 3))
    turns = []
    for _ in range(120):
        turns.append(validators.proposer)
        validators.rotate()

    assert [40, 50, 30] == [turns.count(v.address) for v in by_address(4, 5, 3)]


def test_equals_propose_by_address_and_stand_by_it() -> None:
    """Of equal power, the lowest address comes first, in turns as in the list."""
    equals = by_address(100, 100, 100)
    validators = ValidatorSet(equals[::-1])
    turns = []
    for _ in range(6):
        turns.append(validators.proposer)
        validators.rotate()

    assert [v.address for v in equals] * 2 == turns
    assert equals == [*validators]


@pytest.mark.parametrize(
    ("start", "change"),
    [
        ([10, 10], [[0, 11], [0, 22]]),
        ([10, 10], [[0, 0], [1, 20], [0, 30]]),
        ([10, 10], [[0, -123]]),
        ([10, 10], [[2, 0]]),
        ([10, 20, 30], [[0, 0], [1, 0], [2, 0]]),
        ([10, 10], [[0, (1 << 63) - 1]]),
        ([10, 10], [[0, 1 << 80]]),
        ([MAX_TOTAL_POWER - 1], [[1, 5]]),
        ([MAX_TOTAL_POWER // 3] * 2, [[2, MAX_TOTAL_POWER // 2]]),
        ([MAX_TOTAL_POWER], [[1, MAX_TOTAL_POWER]]),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(
    start: list[int], change: list[list[int]]
) -> None:
    """The kinds of CometBFT's own tests: duplicates, unknown, none left, too much power."""
    validators = ValidatorSet(changes([[number, power] for number, power in enumerate(start)]))
    before = state(validators)

    with pytest.raises(ChangeSetError):
        validators.update(changes(change))
    assert before == state(validators)


@pytest.mark.parametrize(
    ("start", "change"),
    [
        ([1, MAX_TOTAL_POWER - 1], [[0, MAX_TOTAL_POWER - 1], [1, 1]]),
        ([MAX_TOTAL_POWER - 2, 1, 1], [[0, 0], [3, MAX_TOTAL_POWER - 2]]),
    ],
)
def test_power_may_move_at_the_limit(start: list[int], change: list[list[int]]) -> None:
    """What is taken away counts before what is added."""
    validators = ValidatorSet(changes([[number, power] for number, power in enumerate(start)]))
    validators.update(changes(change))

    assert MAX_TOTAL_POWER == validators.total_power


def test_wrong_sets_are_refused() -> None:
    """Nobody without power, nobody twice, no key of another length; nobody has no turn."""
    for pairs in ([[0, 0]], [[0, 5], [0, 6]], [[0, -1]]):
        with pytest.raises(ChangeSetError):
            ValidatorSet(changes(pairs))
    with pytest.raises(ChangeSetError, match="31 bytes"):
        ValidatorSet([Validator(bytes(31), 1)])
    with pytest.raises(ValueError, match="no proposer"):
        ValidatorSet().rotate()
    with pytest.raises(ValueError, match="0 times"):
        ValidatorSet(by_address(1)).rotate(0)


def test_an_empty_set_hashes_and_grows() -> None:
    """Its hash is that of nothing; it has no priorities; a change fills it."""
    validators = ValidatorSet()
    assert (sha256().digest(), b"", None) == (
        validators.hash(), validators.priority_hash(), validators.get(b""),
    )  # fmt: skip
    validators.update(by_address(7))

    assert by_address(7) == [*validators]


def test_get_by_address() -> None:
    """Who is there, and nobody else; addresses that end with zeros among them."""
    number = next(n for n in range(10_000) if not Validator(key(n), 0).address[-1])
    pairs = [[n, n + 1] for n in range(20)] + [[number, 5]]
    validators = ValidatorSet(changes(pairs))

    for validator in changes(pairs):
        assert validator == validators.get(validator.address)
    assert validators.get(changes([[20, 1]])[0].address) is None
    assert validators.get(b"\xff" * 20) is None
    with pytest.raises(LookupError):
        validators.priority(b"\xff" * 20)


def test_a_copy_is_independent() -> None:
    """Turns and changes of one leave the other as it was."""
    validators = ValidatorSet(by_address(4, 5, 3))
    before = state(validators)
    copy = validators.copy()
    copy.rotate(5)
    copy.update(changes([[7, 100]]))

    assert before == state(validators)


SIMPLE_VALIDATOR = message_classes(
    "test.cometbft",
    {
        "PublicKey": "ed25519 bytes 1",
        "SimpleValidator": "pub_key PublicKey 1, voting_power uint64 2",
    },
)


@given(st.binary(min_size=32, max_size=32), st.integers(0, MAX_TOTAL_POWER))
def test_a_validators_bytes_are_protobufs(public_key: bytes, power: int) -> None:
    """Those that Google's library makes of the message."""
    inner = SIMPLE_VALIDATOR["PublicKey"](ed25519=public_key)
    message = SIMPLE_VALIDATOR["SimpleValidator"](pub_key=inner, voting_power=power)

    assert message.SerializeToString() == encode_validator(public_key, power)
