"""The curve as Ethereum's precompiled contracts have it (EIP-196, EIP-197)."""

import json
from pathlib import Path

import pytest

from veperf.workloads.zk.curve.g1 import g1_add, g1_from_ints, g1_multiply
from veperf.workloads.zk.curve.g2 import g2_from_ints
from veperf.workloads.zk.field import PointError
from veperf.workloads.zk.pairing import is_product_one, miller_loop

VECTORS = json.loads(
    (Path(__file__).parents[3] / "vectors" / "zk" / "precompiles.json").read_text()
)


def words(data):
    content = bytes.fromhex(data)
    return [int.from_bytes(content[i : i + 32], "big") for i in range(0, len(content), 32)]


def test_sums_and_multiples():
    """Point for point."""
    for case in VECTORS["add"]:
        x1, y1, x2, y2 = words(case["input"])
        assert tuple(words(case["output"])) == g1_add(g1_from_ints(x1, y1), g1_from_ints(x2, y2))
    for case in VECTORS["mul"]:
        x, y, scalar = words(case["input"])
        assert tuple(words(case["output"])) == g1_multiply(g1_from_ints(x, y), scalar)


def test_pairings():
    """They multiply to one; with one point taken from another pair, or none, they don't."""
    for case in VECTORS["pairing"]:
        numbers = words(case["input"])
        pairs = [
            (g1_from_ints(x, y), g2_from_ints((x0, x1), (y0, y1)))
            for x, y, x1, x0, y1, y0 in zip(*[iter(numbers)] * 6, strict=True)
        ]
        swapped = [(pairs[1][0], pairs[0][1]), *pairs[1:]]

        assert is_product_one(miller_loop(pairs))
        assert not is_product_one(miller_loop(swapped))
        assert not is_product_one(miller_loop(pairs[1:]))


def test_numbers_that_are_no_point():
    """As in the contracts' own tests of failure."""
    ones = int("11" * 32, 16)
    with pytest.raises(PointError):
        g1_from_ints(ones, ones)
    with pytest.raises(PointError):
        g2_from_ints((ones, ones), (ones, ones))
