"""A dozen kinds of work: the library whose versions a sham-edit battery compares.

Copied as text into the versions, never imported by veperf. Each function takes the number of turns
of its loop, which costs next to nothing beside what a turn does: 5 % more turns are 5 % more work.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from itertools import repeat
from operator import itemgetter

import numpy as np

try:
    from gmpy2 import mpz as big  # type: ignore[import-untyped] # it carries no types
except ImportError:
    big = int

NUMBERS = [(37 * i) % 101 for i in range(40)]
RECORDS = [(f"name {(37 * i) % 23}", (53 * i) % 29) for i in range(20)]
TABLE = {f"key {i}": i for i in range(64)}
KEYS = [f"key {(29 * i) % 64}" for i in range(10)]
SENTENCE = "the quick brown fox jumps over the lazy dog"
BLOCK = bytes(range(200))
VECTOR = np.linspace(0.1, 1.0, 32)
FACTORS = big(3**200 + 1), big(5**150 + 2), big(7**140 + 4)
PRICE, RATE = Decimal("123.45"), Decimal("1.0725")
DOCUMENT = json.dumps({"id": 7, "names": ["a", "b", "c"], "nested": {"x": 1.5, "y": None}})
PATTERN = re.compile(r"(\w+) (?P<second>\w+)\b")


class BankAccount:
    """An account with a balance."""

    def __init__(self) -> None:
        self.balance = 100
        self.limit = 50
        self.owner = "somebody"

    def deposit(self, amount: int) -> int:
        """Return the balance after a deposit, which is within the limit."""
        return self.balance + min(amount, self.limit)


ACCOUNT = BankAccount()


def integer_loop(turns: int) -> int:
    """Mix small integers."""
    total = 1
    for number in range(turns):
        total = (total * 31 + number) & 0xFFFF
    return total


def sorting(turns: int) -> int:
    """Sort a short list and, by a key, a list of records."""
    last = 0
    for _ in repeat(None, turns):
        ordered = sorted(NUMBERS)
        records = sorted(RECORDS, key=itemgetter(1))
        last = ordered[-1] + records[-1][1]
    return last


def dictionaries(turns: int) -> int:
    """Look keys up, count them in a fresh dictionary."""
    total = 0
    for _ in repeat(None, turns):
        counts: dict[str, int] = {}
        for key in KEYS:
            counts[key] = counts.get(key, 0) + TABLE[key]
        total += len(counts)
    return total


def attribute_access(turns: int) -> int:
    """Read and write attributes of an instance."""
    account, total = ACCOUNT, 0
    for _ in repeat(None, turns):
        total += account.balance - account.limit
        account.owner = "somebody"
    return total


def string_building(turns: int) -> int:
    """Split, change, join and format text."""
    length = 0
    for _ in repeat(None, turns):
        words = SENTENCE.split()
        text = "-".join(word.capitalize() for word in words)
        length += len(f"{text}: {len(words)}")
    return length


def generators(turns: int) -> int:
    """Pull values through two generators."""
    squares = (number * number for number in range(turns))
    return sum(square & 7 for square in squares)


def hashing(turns: int) -> bytes:
    """SHA-256 of a block, each time of the block and the digest before."""
    digest = b""
    for _ in repeat(None, turns):
        digest = sha256(BLOCK + digest).digest()
    return digest


def small_arrays(turns: int) -> float:
    """Arithmetic on arrays of 32 numbers."""
    total = 0.0
    for _ in repeat(None, turns):
        total += float((VECTOR * 1.5 + VECTOR).sum())
    return total


def big_integers(turns: int) -> int:
    """Multiply and reduce integers of some 300 bits."""
    first, second, modulus = FACTORS
    value = first
    for _ in repeat(None, turns):
        value = value * second % modulus
    return int(value)


def decimals(turns: int) -> Decimal:
    """Multiply and round decimal numbers."""
    total = PRICE
    for _ in repeat(None, turns):
        total = (PRICE * RATE).quantize(PRICE) + 1
    return total


def method_calls(turns: int) -> int:
    """Call a method."""
    account, balance = ACCOUNT, 0
    for amount in range(turns):
        balance = account.deposit(amount)
    return balance


def closures(turns: int) -> int:
    """Call a closure that changes what it closes over."""
    count = 0

    def add(amount: int) -> int:
        nonlocal count
        count = (count + amount) & 0xFFF
        return count

    for number in range(turns):
        add(number)
    return count


def json_documents(turns: int) -> int:
    """Decode a document and encode it again."""
    length = 0
    for _ in repeat(None, turns):
        length += len(json.dumps(json.loads(DOCUMENT)))
    return length


def regular_expressions(turns: int) -> int:
    """Find pairs of words."""
    matches = 0
    for _ in repeat(None, turns):
        matches += len(PATTERN.findall(SENTENCE))
    return matches


def list_building(turns: int) -> int:
    """Build lists by comprehension and by appending."""
    length = 0
    for _ in repeat(None, turns):
        doubled = [2 * number for number in NUMBERS]
        odd: list[int] = []
        for number in doubled:
            odd.append(number + 1)  # noqa: PERF401 - that is the work
        length += len(odd)
    return length


KINDS: tuple[Callable[[int], object], ...] = (
    integer_loop,
    sorting,
    dictionaries,
    attribute_access,
    string_building,
    generators,
    hashing,
    small_arrays,
    big_integers,
    decimals,
    method_calls,
    closures,
    json_documents,
    regular_expressions,
    list_building,
)
TURNS = {
    "integer_loop": 2000,
    "sorting": 100,
    "dictionaries": 200,
    "attribute_access": 4000,
    "string_building": 100,
    "generators": 2000,
    "hashing": 200,
    "small_arrays": 100,
    "big_integers": 600,
    "decimals": 400,
    "method_calls": 1000,
    "closures": 2000,
    "json_documents": 100,
    "regular_expressions": 100,
    "list_building": 100,
}
"""Turns in a call, for some 80 to 400 µs. Multiples of 100: a percent more is a whole number."""
