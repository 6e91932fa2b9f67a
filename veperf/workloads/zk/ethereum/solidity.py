"""A verifier of one key's proofs in Solidity, for Ethereum and chains like it.

It checks e(-A, B) e(alpha, beta) e(IC, gamma) e(C, delta) = 1 by the precompiled contracts for sums
(6), multiples (7) and pairings (8) of BN254, which refuse numbers out of range and points off the
curve or out of the subgroup. Like ``groth16.verify``, it also refuses public inputs of the order
and more, which would make a second statement of the same, and infinity in a proof.

Source: Groth 2016, section 3.2; EIP-196 and EIP-197.
"""

from collections.abc import Iterable

from veperf.core.errors import UsageError
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2, VerifyingKey

_MAX_INPUTS = 300
"""So that the contract keeps to the 24,576 bytes of EIP-170."""

_SOURCE = """\
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.19;

/// Verifies Groth16 proofs over BN254 of one circuit, with {count} public inputs.
/// Points of G2 have the part with u first (EIP-197). Made by veperf.
contract {name} {{
    uint256 private constant P = {p};
    uint256 private constant R = {r};

    /// Returns whether (a, b, c) is a valid proof{for_inputs}. Never reverts on an invalid one.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c{parameter}
    ) external view returns (bool) {{
        if (a[0] >= P || a[1] >= P || (a[0] | a[1]) == 0) return false;
        if ((b[0][0] | b[0][1] | b[1][0] | b[1][1]) == 0 || (c[0] | c[1]) == 0) return false;

        // The sum of the inputs' points, from that of the constant on.
        uint256[2] memory sum = [
            uint256({ic0x}),
            {ic0y}
        ];
{sums}
        uint256[24] memory pairs = [
            a[0], (P - a[1]) % P, b[0][0], b[0][1], b[1][0], b[1][1],
{alpha_beta},
            sum[0], sum[1],
{gamma},
            c[0], c[1],
{delta}
        ];
        uint256[1] memory isOne;
        bool succeeded;
        assembly ("memory-safe") {{
            succeeded := staticcall(gas(), 8, pairs, 768, isOne, 32)
        }}
        return succeeded && isOne[0] == 1;
    }}
{helper}}}
"""
_HELPER = """
    /// Adds factor * (x, y) to sum. Returns false for a factor that is no field element.
    function addMultiple(
        uint256[2] memory sum,
        uint256 x,
        uint256 y,
        uint256 factor
    ) private view returns (bool succeeded) {
        if (factor >= R) return false;
        uint256[4] memory words = [x, y, factor, 0];
        assembly ("memory-safe") {
            succeeded := staticcall(gas(), 7, words, 96, words, 64)
        }
        (words[2], words[3]) = (sum[0], sum[1]);
        assembly ("memory-safe") {
            succeeded := and(succeeded, staticcall(gas(), 6, words, 128, sum, 64))
        }
    }
"""


def solidity_verifier(key: VerifyingKey, name: str = "Groth16Verifier") -> str:
    """Return the source of a contract that verifies proofs for ``key``.

    Args:
        key: The key, which becomes part of the contract.
        name: The contract's name.

    Raises:
        UsageError: ``name`` is no identifier, or there are too many public inputs for a contract.
    """
    if not (name.isascii() and name.isidentifier()):
        raise UsageError(f"{name!r} is no name of a contract")
    count = key.public_count
    if count > _MAX_INPUTS:
        raise UsageError(f"{count} public inputs; a contract has room for {_MAX_INPUTS}")
    sums = [
        f"        if (!addMultiple(sum,\n{_numbers(point)},\n            inputs[{place}]\n"
        "        )) return false;\n"
        for place, point in enumerate(key.ic[1:])
    ]
    return _SOURCE.format(
        name=name,
        count=count,
        p=P,
        r=R,
        for_inputs=" for the inputs" if count else "",
        parameter=f",\n        uint256[{count}] calldata inputs" if count else "",
        ic0x=key.ic[0][0],
        ic0y=key.ic[0][1],
        sums="".join(sums),
        alpha_beta=_numbers(key.alpha) + ",\n" + _numbers(_in_order(key.beta)),
        gamma=_numbers(_in_order(key.gamma)),
        delta=_numbers(_in_order(key.delta)),
        helper=_HELPER if count else "",
    )


def _in_order(point: AffineG2) -> tuple[int, ...]:
    (x0, x1), (y0, y1) = point
    return x1, x0, y1, y0


def _numbers(numbers: AffineG1 | Iterable[int]) -> str:
    return ",\n".join(f"            {number}" for number in numbers)
