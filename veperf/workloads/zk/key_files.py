"""Keys, proofs and public inputs from files of any kind, which is told by their content."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.ethereum.encoding import call_from_bytes, call_to_bytes, call_to_text
from veperf.workloads.zk.gnark import (
    proof_from_gnark,
    proof_to_gnark,
    verifying_key_from_gnark,
    verifying_key_to_gnark,
)
from veperf.workloads.zk.gnark_proving_key import proving_key_from_gnark
from veperf.workloads.zk.groth16.files import proving_key_from_bytes, verifying_key_from_bytes
from veperf.workloads.zk.groth16.keys import Proof, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.snarkjs.json_files import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    verifying_key_from_json,
    verifying_key_to_json,
)
from veperf.workloads.zk.snarkjs.zkey import read_zkey

_OTHER_FILES = {
    b"r1cs": "a constraint system (.r1cs)",
    b"wtns": "a witness (.wtns)",
    b"ptau": "powers of tau (.ptau)",
}
_Content = TypeVar("_Content")
_ZKEY = b"zkey"
_OWN_PROVING, _OWN_VERIFYING = b"VEG16PK\0", b"VEG16VK\0"


class FileForm(StrEnum):
    """A form in which proofs or keys are written."""

    JSON = "json"
    """snarkjs's."""
    GNARK = "gnark"
    CALLDATA = "calldata"
    """The data of a call to a verifier on Ethereum, in hexadecimal; proof and public inputs."""
    ARGUMENTS = "arguments"
    """The same as the arguments of the call, as Remix and snarkjs have them."""


@dataclass(frozen=True, slots=True)
class LoadedProof:
    """A proof from a file, and its public inputs where the file has them, too."""

    proof: Proof
    public: list[int] | None


def load_verifying_key(data: bytes, *, allow_test_keys: bool = False) -> VerifyingKey:
    """Read a verifying key: snarkjs's JSON or .zkey, gnark's bytes, or veperf's own.

    Raises:
        TestKeyError: a test key.
        DataError: another file, which is named, or one that is damaged.
    """
    readers: dict[bytes, Callable[[], VerifyingKey]] = {
        _ZKEY: lambda: read_zkey(data, allow_test_keys=allow_test_keys).key.verifying_key,
        _OWN_PROVING: (
            lambda: proving_key_from_bytes(data, allow_test_keys=allow_test_keys).verifying_key
        ),
        _OWN_VERIFYING: lambda: verifying_key_from_bytes(data, allow_test_keys=allow_test_keys),
    }
    for magic, read in readers.items():
        if data.startswith(magic):
            return read()
    _refuse_other(data, "a verifying key")
    if _is_json(data):
        return verifying_key_from_json(data, allow_test_keys=allow_test_keys)
    key = _as_gnark(verifying_key_from_gnark, data, "a verifying key")
    key.require_secret(allow_test_keys=allow_test_keys)
    return key


def prover_of(
    data: bytes,
    r1cs: R1cs | None,
    verifying_key: VerifyingKey | None = None,
    *,
    allow_test_keys: bool = False,
) -> Prover:
    """Return the prover of a proving key: snarkjs's .zkey, gnark's bytes, or veperf's own.

    Each proof that it makes is verified before it is handed out.

    Args:
        data: The key's bytes.
        r1cs: The circuit; a .zkey file has what is needed of it.
        verifying_key: What belongs to a key of gnark's.
        allow_test_keys: It may be a test key.

    Raises:
        TestKeyError: a test key.
        DataError: another file, which is named, one that is damaged, for another circuit, or that
            needs one of the others.
    """
    try:
        return _prover(data, r1cs, verifying_key, allow_test_keys=allow_test_keys)
    except WrongKeyError as error:
        raise DataError(str(error)) from error


def _prover(
    data: bytes, r1cs: R1cs | None, verifying_key: VerifyingKey | None, *, allow_test_keys: bool
) -> Prover:
    if data.startswith(_ZKEY):
        zkey = read_zkey(data, allow_test_keys=allow_test_keys)
        return Prover(zkey.circuit, zkey.key) if r1cs is None else Prover(
            r1cs, zkey.for_circuit(r1cs)
        )  # fmt: skip
    _refuse_other(data, "a proving key")
    if _is_json(data) or data.startswith(_OWN_VERIFYING):
        raise DataError("a verifying key or another file, not a proving key")
    if r1cs is None:
        raise DataError("the key does not say what its circuit is: name its .r1cs file, too")
    key: ProvingKey
    if data.startswith(_OWN_PROVING):
        key = proving_key_from_bytes(data, allow_test_keys=allow_test_keys)
    elif verifying_key is None:
        raise DataError("a key of gnark's has not all of the verifying key: name that file, too")
    else:
        key = proving_key_from_gnark(data, verifying_key, r1cs)
    return Prover(r1cs, key)


def load_proof(data: bytes) -> LoadedProof:
    """Read a proof: snarkjs's JSON, gnark's bytes, or the data of a call in hexadecimal.

    Raises:
        DataError: another file, which is named, or one that is damaged.
    """
    _refuse_other(data, "a proof")
    if data.startswith((_ZKEY, _OWN_PROVING, _OWN_VERIFYING)):
        raise DataError("a key, not a proof")
    if _is_json(data):
        proof = proof_from_json(data)
        try:
            return LoadedProof(proof, public_from_json(data))
        except CorruptFileError:
            raise
        except DataError:
            return LoadedProof(proof, None)
    if (call := _from_hex(data)) is not None:
        return LoadedProof(*call_from_bytes(call))
    return LoadedProof(_as_gnark(proof_from_gnark, data, "a proof"), None)


def proof_to_form(proof: Proof, public: list[int] | None, form: FileForm) -> bytes:
    """Return ``proof`` in ``form``.

    Raises:
        DataError: the form has the public inputs, which are not known.
    """
    match form:
        case FileForm.JSON:
            return proof_to_json(proof)
        case FileForm.GNARK:
            return proof_to_gnark(proof)
    if public is None:
        raise DataError("a call has the public inputs, too: name their file")
    if form is FileForm.ARGUMENTS:
        return call_to_text(proof, public).encode()
    return b"0x" + call_to_bytes(proof, public).hex().encode()


def key_to_form(data: bytes, form: FileForm, *, allow_test_keys: bool = False) -> bytes:
    """Return the verifying key in ``data``, a key of any kind, in ``form``.

    Raises:
        TestKeyError: a test key.
        DataError: no such file, a damaged one, or one that lacks what the form needs.
    """
    if form is FileForm.JSON:
        return verifying_key_to_json(load_verifying_key(data, allow_test_keys=allow_test_keys))
    if form is not FileForm.GNARK:
        raise DataError("a key is no call; `veperf zk export-verifier` makes a contract of it")
    if data.startswith(_ZKEY):
        return verifying_key_to_gnark(read_zkey(data, allow_test_keys=allow_test_keys).key)
    if data.startswith(_OWN_PROVING):
        key = proving_key_from_bytes(data, allow_test_keys=allow_test_keys)
        return verifying_key_to_gnark(key)
    raise DataError("gnark's form has beta and delta in G1, which only a proving key has")


def convert_file(
    data: bytes, public: list[int] | None, form: FileForm, *, allow_test_keys: bool = False
) -> bytes:
    """Return the proof, or else the verifying key, in ``data`` in another form.

    Raises:
        TestKeyError: a test key.
        DataError: neither, damaged, or the form needs more than ``data`` has.
    """
    try:
        loaded = load_proof(data)
    except DataError as no_proof:
        try:
            return key_to_form(data, form, allow_test_keys=allow_test_keys)
        except CorruptFileError as no_key:
            raise CorruptFileError(f"neither a proof ({no_proof}) nor a key ({no_key})") from no_key
    return proof_to_form(loaded.proof, loaded.public if public is None else public, form)


def _is_json(data: bytes) -> bool:
    return data.lstrip()[:1] in (b"{", b"[")


def _from_hex(data: bytes) -> bytes | None:
    """Return the bytes that ``data`` has in hexadecimal; None if it is something else."""
    try:
        text = data.decode("ascii").strip()
        return bytes.fromhex(text.removeprefix("0x")) if text else None
    except ValueError:
        return None


def _as_gnark(read: Callable[[bytes], _Content], data: bytes, what: str) -> _Content:
    try:
        return read(data)
    except CorruptFileError as error:
        raise CorruptFileError(f"not {what} that is read here; as gnark's: {error}") from error


def _refuse_other(data: bytes, expected: str) -> None:
    for magic, name in _OTHER_FILES.items():
        if data.startswith(magic):
            raise DataError(f"{name}, not {expected}")
