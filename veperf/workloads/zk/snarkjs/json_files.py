"""JSON files of Groth16 as snarkjs and others write them: proofs, public inputs, verifying keys.

Written are snarkjs's own. Read are those of rapidsnark (no ``curve``), of snarkjs's ``fullProve``
(``{"proof": .., "publicSignals": ..}``), keys without ``vk_alphabeta_12``, names of the curve and
protocol as others spell them, and numbers as integers or in hexadecimal ("0x1f"), too. What else
stands in a file is not looked at.

A point of G1 is [x, y, "1"], one of G2 [[x0, x1], [y0, y1], ["1", "0"]], both with a third
coordinate that is always one here: infinity is refused. ``vk_alphabeta_12`` is e(alpha, beta) as an
element c0 + c1 w of Fp12 = Fp6[w] / (w^2 - v), each of c0 and c1 three elements of Fp2, those of 1,
v and v^2, in Fp6 = Fp2[v] / (v^3 - (9 + u)).
"""

import re
from collections.abc import Sequence
from operator import index
from typing import Any

import msgspec

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.curve.g1 import g1_from_ints
from veperf.workloads.zk.curve.g2 import g2_from_ints
from veperf.workloads.zk.field import PointError, R
from veperf.workloads.zk.groth16.keys import AffineG1, AffineG2, Proof, VerifyingKey
from veperf.workloads.zk.pairing import pairing
from veperf.workloads.zk.tower import fp12

_NUMBER = re.compile(r"0|[1-9][0-9]{0,77}|0x[0-9a-f]{1,64}", re.ASCII | re.IGNORECASE)
_LARGEST = 10**78
_CURVES = {"", "bn128", "bn254", "altbn128", "bn256"}
_PROTOCOLS = {"", "groth16", "groth"}
_SPELLINGS = {"plonk": "PLONK", "groth16": "Groth16"}
_Number = str | int
_Pair = tuple[_Number, _Number]
_G1 = tuple[_Number, _Number, _Number]
_G2 = tuple[_Pair, _Pair, _Pair]
_Fp6 = tuple[_Pair, _Pair, _Pair]


_MISSING = msgspec.Raw()


class _Heading(msgspec.Struct):
    """Fields that tell what a file is."""

    protocol: str = ""
    curve: str = ""
    pi_a: msgspec.Raw = _MISSING
    IC: msgspec.Raw = _MISSING
    A: msgspec.Raw = _MISSING
    nPublic: msgspec.Raw = _MISSING  # noqa: N815  # the name in the file
    proof: msgspec.Raw = _MISSING
    publicSignals: msgspec.Raw = _MISSING  # noqa: N815  # the name in the file


class _ProofFile(msgspec.Struct):
    pi_a: _G1
    pi_b: _G2
    pi_c: _G1
    protocol: str = "groth16"
    curve: str = "bn128"


class _KeyFile(msgspec.Struct, kw_only=True):
    protocol: str = "groth16"
    curve: str = "bn128"
    nPublic: int  # noqa: N815  # the name in the file
    vk_alpha_1: _G1
    vk_beta_2: _G2
    vk_gamma_2: _G2
    vk_delta_2: _G2
    vk_alphabeta_12: tuple[_Fp6, _Fp6] | msgspec.UnsetType = msgspec.UNSET
    IC: list[_G1]
    veperf_test_key: bool | msgspec.UnsetType = msgspec.UNSET


def proof_from_json(data: bytes | str) -> Proof:
    """Read the proof in a ``proof.json``, or in what ``fullProve`` returned.

    Raises:
        DataError: of another protocol or curve, or another file of Groth16; it says which.
        CorruptFileError: not such a file, or an invalid point; the message says where.
    """
    heading = _read_heading(data)
    if bytes(heading.proof):
        # Once: a proof within a proof within .. must not recurse.
        data = bytes(heading.proof)
        heading = _read_heading(data)
    if bytes(heading.IC):
        raise DataError("a verifying key, not a proof")
    file: _ProofFile = _decode(data, _ProofFile)
    return Proof(_g1(file.pi_a, "pi_a"), _g2(file.pi_b, "pi_b"), _g1(file.pi_c, "pi_c"))


def proof_to_json(proof: Proof) -> bytes:
    """Return ``proof`` as snarkjs writes it."""
    file = _ProofFile(_g1_text(proof.a), _g2_text(proof.b), _g1_text(proof.c), "groth16", "bn128")
    return _encode(file)


def public_from_json(data: bytes | str) -> list[int]:
    """Read the public inputs in a ``public.json``, or in what ``fullProve`` returned.

    Raises:
        DataError: another file of Groth16; the message says which.
        CorruptFileError: not such a file, or a number that is not a field element.
    """
    heading = _read_heading(data)
    if bytes(heading.publicSignals):
        data = bytes(heading.publicSignals)
    elif any(map(bytes, (heading.pi_a, heading.IC, heading.proof))):
        raise DataError("a proof or a verifying key, not public inputs")
    texts: list[_Number] = _decode(data, list[_Number])
    values = [_number(text, f"[{i}]") for i, text in enumerate(texts)]
    for i, value in enumerate(values):
        if value >= R:
            raise CorruptFileError(f"[{i}]: not below the order of the field")
    return values


def public_to_json(public: Sequence[int]) -> bytes:
    """Return public inputs as snarkjs writes them."""
    return _encode([str(index(value)) for value in public])


def verifying_key_from_json(data: bytes | str, *, allow_test_keys: bool = False) -> VerifyingKey:
    """Read the verifying key in a ``verification_key.json``.

    Raises:
        DataError: of another protocol or curve, or another file of Groth16; it says which.
        TestKeyError: made from a known seed, or before anybody contributed to it.
        CorruptFileError: not such a file, an invalid point, or parts that contradict each other;
            the message says where.
    """
    heading = _read_heading(data)
    if bytes(heading.proof):
        _read_heading(bytes(heading.proof))  # of another protocol, which is named
    if bytes(heading.pi_a) or bytes(heading.proof):
        raise DataError("a proof, not a verifying key")
    file: _KeyFile = _decode(data, _KeyFile)
    if file.nPublic != len(file.IC) - 1:
        raise CorruptFileError(f"nPublic: {file.nPublic}, but IC has {len(file.IC)} points")
    key = VerifyingKey(
        _g1(file.vk_alpha_1, "vk_alpha_1"),
        _g2(file.vk_beta_2, "vk_beta_2"),
        _g2(file.vk_gamma_2, "vk_gamma_2"),
        _g2(file.vk_delta_2, "vk_delta_2"),
        tuple(_g1(point, f"IC[{i}]") for i, point in enumerate(file.IC)),
        is_test=file.veperf_test_key is True,
    )
    if file.vk_alphabeta_12 is not msgspec.UNSET:
        paired = [
            [_pair(pair, "vk_alphabeta_12") for pair in half] for half in file.vk_alphabeta_12
        ]
        if paired != [[_pair(pair, "") for pair in half] for half in _alpha_beta(key)]:
            raise CorruptFileError("vk_alphabeta_12: not the pairing of vk_alpha_1 and vk_beta_2")
    key.require_secret(allow_test_keys=allow_test_keys)
    return key


def verifying_key_to_json(key: VerifyingKey) -> bytes:
    """Return ``key`` as snarkjs writes it; of a test key, with a mark that others pass over."""
    return _encode(
        _KeyFile(
            protocol="groth16",
            curve="bn128",
            nPublic=key.public_count,
            vk_alpha_1=_g1_text(key.alpha),
            vk_beta_2=_g2_text(key.beta),
            vk_gamma_2=_g2_text(key.gamma),
            vk_delta_2=_g2_text(key.delta),
            vk_alphabeta_12=_alpha_beta(key),
            IC=[_g1_text(point) for point in key.ic],
            veperf_test_key=True if key.is_test else msgspec.UNSET,
        )
    )


def _read_heading(data: bytes | str) -> _Heading:
    """Return what the file says that it is; a list says nothing.

    Raises:
        DataError: of another protocol or curve.
        CorruptFileError: neither an object nor a list in JSON.
    """
    heading = _decode(data, _Heading | list[msgspec.Raw])
    if not isinstance(heading, _Heading):
        return _Heading()
    protocol, curve = heading.protocol, heading.curve
    if protocol.lower() not in _PROTOCOLS or re.sub("[-_]", "", curve.lower()) not in _CURVES:
        kinds = {"proof": heading.pi_a or heading.A, "verifying key": heading.IC or heading.nPublic}
        kind = next((kind for kind, part in kinds.items() if bytes(part)), "file")
        name = _SPELLINGS.get(protocol.lower(), protocol[:40])
        place = "" if re.sub("[-_]", "", curve.lower()) in _CURVES else f" on {curve[:40]}"
        raise DataError(f"a {name} {kind}{place}; only Groth16 on bn128 is read".replace("  ", " "))
    return heading


def _decode(data: bytes | str, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CorruptFileError(str(error)) from error


def _encode(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _number(value: _Number, where: str) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value, 0)
    if isinstance(value, int) and 0 <= value < _LARGEST:
        return value
    raise CorruptFileError(f"{where}: a number has at most 78 digits, or 64 after 0x, and no sign")


def _pair(values: _Pair, where: str) -> tuple[int, int]:
    c0, c1 = values
    return _number(c0, where), _number(c1, where)


def _g1(texts: _G1, where: str) -> AffineG1:
    x, y, z = (_number(text, where) for text in texts)
    if z != 1:
        raise CorruptFileError(f"{where}: infinity, or not in affine coordinates")
    try:
        return g1_from_ints(x, y)
    except PointError as error:
        raise CorruptFileError(f"{where}: {error}") from error


def _g2(texts: _G2, where: str) -> AffineG2:
    x, y, z = (_pair(pair, where) for pair in texts)
    if z != (1, 0):
        raise CorruptFileError(f"{where}: infinity, or not in affine coordinates")
    try:
        return g2_from_ints(x, y)
    except PointError as error:
        raise CorruptFileError(f"{where}: {error}") from error


def _g1_text(point: AffineG1) -> _G1:
    x, y = point
    return str(int(x)), str(int(y)), "1"


def _g2_text(point: AffineG2) -> _G2:
    x, y = point
    return _pair_text(x), _pair_text(y), ("1", "0")


def _pair_text(element: tuple[int, int]) -> _Pair:
    c0, c1 = element
    return str(int(c0)), str(int(c1))


def _alpha_beta(key: VerifyingKey) -> tuple[_Fp6, _Fp6]:
    """Return e(alpha, beta); snarkjs's final exponent has the same factor 2t (6t^2 + 3t + 1)."""
    parts = [_pair_text(part) for part in fp12.coefficients(pairing(key.alpha, key.beta))]
    return (parts[0], parts[2], parts[4]), (parts[1], parts[3], parts[5])
