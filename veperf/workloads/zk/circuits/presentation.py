"""Presentations: one proof, for one verifier, of several claims about a signed credential.

An issuer signs Poseidon(credential's commitment, holder, end of validity), where the holder is
Poseidon(secret) and only the holder knows the secret. A presentation proves, without showing any of
these, that a trusted issuer signed such a credential, that its holder made the proof, and what the
verifier asked for: an age, a country, a score, or several of them.

Nothing links two presentations of a credential: what is public is a fresh commitment to it, the
issuer, the request, and a proof that differs each time. Verifier, nonce and expiry are public
inputs, so that nobody can show it elsewhere, again or later. Where a verifier asks for it, a
nullifier, Poseidon(tag, secret, verifier), is the same in all presentations of a holder to that
verifier, and unrelated to that for another one.
"""

import secrets
from datetime import date
from functools import lru_cache
from operator import index
from typing import Annotated

import msgspec
from msgspec import Struct

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.babyjubjub.curve import BabyPoint
from veperf.workloads.zk.babyjubjub.eddsa import EddsaSignature, SigningKey
from veperf.workloads.zk.circuits.circuit import Circuit, CompiledCircuit
from veperf.workloads.zk.circuits.claims import (
    ClaimError,
    PrivateClaims,
    check_text,
    check_type,
)
from veperf.workloads.zk.circuits.credential import (
    MAX_COUNTRIES,
    Credential,
    assert_age,
    assert_residency,
    assert_score,
    check_threshold,
    check_years,
    claim_signals,
    country_list,
    date_number,
)
from veperf.workloads.zk.circuits.eddsa import PointSignals, assert_eddsa
from veperf.workloads.zk.circuits.gadgets import (
    assert_at_least,
    bind_input,
    poseidon_gadget,
    range_check,
)
from veperf.workloads.zk.circuits.hashing import bytes_to_element, nonce_element
from veperf.workloads.zk.field import R
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.r1cs.builder import Builder
from veperf.workloads.zk.r1cs.linear import as_combination
from veperf.workloads.zk.snarkjs.json_files import proof_from_json, proof_to_json

_SECOND_BITS = 40
_NULLIFIER = bytes_to_element(b"tag", b"nullifier")
_HEAD = ("commitment", "issuer.x", "issuer.y", "verifier", "nonce", "expires")
"""The public inputs of every presentation; a nullifier and the claims follow."""


class Claims(Struct, frozen=True, kw_only=True):
    """The claims that a verifier asks for, each where it is given.

    Raises:
        ClaimError: one has another type, or a code is no country.
        ValueError: an age without a day to reckon from, or a number that is out of range.
    """

    years: int | None = None
    """The least age."""
    today: date | None = None
    """The day of that age."""
    countries: tuple[str, ...] = ()
    """1 to 32 codes of two letters, of which the country is one; their order doesn't matter."""
    score: int | None = None
    """The least score."""
    nullifier: bool = False
    """Whether each holder is accepted once only."""

    def __post_init__(self) -> None:
        check_type("countries", self.countries, tuple)
        check_type("nullifier", self.nullifier, bool)
        if (self.years is None) != (self.today is None):
            raise ValueError("an age and the day that it is reckoned from go together")
        self.values()

    def values(self) -> list[int]:
        """Return today, years, 32 countries and threshold, as far as they are asked for."""
        values: list[int] = []
        if self.years is not None and self.today is not None:
            check_years(self.years)
            values += [date_number(self.today), self.years]
        if self.countries:
            values += country_list(self.countries)
        if self.score is not None:
            check_threshold(self.score)
            values.append(self.score)
        return values

    def public_count(self) -> int:
        """Return the number of public inputs of a presentation."""
        return len(_HEAD) + self.nullifier + len(self.values())

    def circuit(self) -> Circuit:
        """Return the circuit for claims of these kinds, whatever their values."""
        kinds = (
            self.years is not None,
            bool(self.countries),
            self.score is not None,
            self.nullifier,
        )
        return _circuit(*kinds)


class Request(Struct, frozen=True, kw_only=True):
    """A verifier's question to a holder."""

    verifier: str
    """Who asks; no other verifier accepts the answer."""
    nonce: bytes
    """32 bytes, used once."""
    expires: int
    """Seconds since 1970: the answer is accepted, and the credential must be valid, until then."""
    claims: Claims

    def inputs(self) -> list[int]:
        """Return verifier, nonce and expiry as field elements.

        Raises:
            ClaimError: verifier or expiry has another type.
            ValueError: the nonce has another length, or the expiry is out of range.
        """
        check_text("verifier", self.verifier)
        check_type("expires", self.expires, int)
        if not 0 <= self.expires < 1 << _SECOND_BITS:
            raise ValueError(f"an expiry has {_SECOND_BITS} bits and no sign")
        return [verifier_element(self.verifier), nonce_element(self.nonce), self.expires]


class Presentation(Struct, frozen=True, kw_only=True):
    """A holder's answer to a request.

    Raises:
        ClaimError: something in it has another type; whether it is valid, a verifier says.
    """

    nonce: bytes
    """That of the request."""
    issuer: BabyPoint
    """The public key of who signed the credential."""
    commitment: int
    """Poseidon(what is signed, blind): of this presentation alone."""
    nullifier: int | None
    proof: Proof

    def __post_init__(self) -> None:
        check_type("nonce", self.nonce, bytes)
        check_type("proof", self.proof, Proof)
        try:
            x, y = map(index, self.issuer)
            for number in (x, y, self.commitment, self.nullifier or 0):
                index(number)
        except (TypeError, ValueError) as error:
            message = "issuer, commitment and nullifier of a presentation are integers"
            raise ClaimError(message) from error

    def public_inputs(self, request: Request) -> list[int]:
        """Return the public inputs, with all of them that the verifier chooses from ``request``.

        Raises:
            ValueError: the request makes no sense.
        """
        nullifier = [] if self.nullifier is None else [self.nullifier]
        head = [self.commitment, *self.issuer, *request.inputs()]
        return head + nullifier + request.claims.values()

    def to_json(self) -> bytes:
        """Return the presentation as JSON, numbers in decimal text and the proof as snarkjs's."""
        return msgspec.json.encode(
            _PresentationFile(
                nonce=self.nonce.hex(),
                issuer=(str(self.issuer[0]), str(self.issuer[1])),
                commitment=str(self.commitment),
                nullifier=None if self.nullifier is None else str(self.nullifier),
                proof=msgspec.Raw(proof_to_json(self.proof)),
            )
        )

    @classmethod
    def from_json(cls, data: bytes) -> "Presentation":
        """Read a presentation; whether it is valid, a verifier says.

        Raises:
            DataError: it is none, or a number, the nonce or a point of the proof is invalid.
        """
        try:
            file = msgspec.json.decode(data, type=_PresentationFile)
            nonce = bytes.fromhex(file.nonce)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise CorruptFileError(f"not a presentation: {error}") from error
        return cls(
            nonce=nonce,
            issuer=(int(file.issuer[0]), int(file.issuer[1])),
            commitment=int(file.commitment),
            nullifier=None if file.nullifier is None else int(file.nullifier),
            proof=proof_from_json(bytes(file.proof)),
        )


_Decimal = Annotated[str, msgspec.Meta(pattern="^(0|[1-9][0-9]{0,77})\\Z")]


class _PresentationFile(Struct, forbid_unknown_fields=True):
    nonce: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
    issuer: tuple[_Decimal, _Decimal]
    commitment: _Decimal
    nullifier: _Decimal | None
    proof: msgspec.Raw


class IssuedCredential(PrivateClaims, frozen=True, kw_only=True):
    """A credential that an issuer has signed, secret to its holder and known to its issuer."""

    credential: Credential
    holder: int
    valid_until: int
    """Seconds since 1970."""
    issuer: BabyPoint
    signature: EddsaSignature

    def message(self) -> int:
        """Return the field element that the issuer signs."""
        return poseidon([self.credential.commitment(), self.holder, self.valid_until])


def holder_of(secret: int) -> int:
    """Return the holder's public name for an issuer, by a random field element kept secret.

    Raises:
        ClaimError: the secret is no field element.
    """
    _check_element("the secret", secret)
    return poseidon([secret])


def issue_credential(
    key: SigningKey, credential: Credential, holder: int, valid_until: int
) -> IssuedCredential:
    """Sign a credential for a holder, whose secret the issuer does not learn.

    Raises:
        ClaimError: the holder is no field element, or the end of validity is out of range.
    """
    check_type("the holder", holder, int)
    check_type("the end of validity", valid_until, int)
    if not (0 <= holder < R and 0 <= valid_until < 1 << _SECOND_BITS):
        raise ClaimError("the holder is not a field element, or the end of validity out of range")
    message = poseidon([credential.commitment(), holder, valid_until])
    return IssuedCredential(
        credential=credential,
        holder=holder,
        valid_until=valid_until,
        issuer=key.public_key,
        signature=key.sign(message),
    )


def present(
    prover: Prover,
    compiled: CompiledCircuit,
    issued: IssuedCredential,
    secret: int,
    request: Request,
) -> Presentation:
    """Answer ``request`` with a proof about ``issued``.

    Args:
        prover: The prover of ``compiled``.
        compiled: The circuit of the request's claims, compiled.
        issued: The credential.
        secret: The secret of its holder.
        request: What the verifier asks.

    Raises:
        UnsatisfiedError: a claim does not hold, the signature is not the issuer's, or the secret
            not the holder's; the message names the constraint and shows no value.
        ValueError: the request makes no sense, or the circuit is that of other claims.
    """
    blind = secrets.randbelow(R)
    inputs = presentation_inputs(compiled, issued, secret, request, blind)
    witness = compiled.witness(inputs)
    return Presentation(
        nonce=request.nonce,
        issuer=issued.issuer,
        commitment=inputs["commitment"],
        nullifier=inputs.get("nullifier"),
        proof=prover.prove(witness),
    )


def presentation_inputs(
    compiled: CompiledCircuit,
    issued: IssuedCredential,
    secret: int,
    request: Request,
    blind: int,
) -> dict[str, int]:
    """Return the inputs of the circuit by name, public ones and private.

    Raises:
        ClaimError: the secret or the blind is no field element.
        ValueError: the request makes no sense, or the circuit is that of other claims.
    """
    _check_element("the secret", secret)
    _check_element("the blind", blind)
    head = [poseidon([issued.message(), blind]), *issued.issuer, *request.inputs()]
    if request.claims.nullifier:
        head.append(poseidon([_NULLIFIER, secret, verifier_element(request.verifier)]))
    names = compiled.r1cs.wire_names[1 : compiled.r1cs.public_count + 1]
    values = head + request.claims.values()
    if len(names) != len(values):
        raise ValueError("the circuit is that of other claims")
    hidden = {
        "secret": secret,
        "valid_until": issued.valid_until,
        "blind": blind,
        "r8x": issued.signature.r8[0],
        "r8y": issued.signature.r8[1],
        "s": issued.signature.s,
    }
    return dict(zip(names, values, strict=True)) | issued.credential.inputs() | hidden


def _check_element(name: str, value: object) -> None:
    check_type(name, value, int)
    if not 0 <= index(value) < R:  # type: ignore[arg-type]
        raise ClaimError(f"{name} is not a field element")


def verifier_element(verifier: str) -> int:
    """Return a verifier's name as a field element."""
    return bytes_to_element(b"verifier", verifier.encode())


@lru_cache(maxsize=16)
def _circuit(age: bool, residency: bool, score: bool, nullifier: bool) -> Circuit:
    requested = {"age": age, "residency": residency, "score": score, "nullifier": nullifier}
    kinds = frozenset(kind for kind, is_requested in requested.items() if is_requested)
    name = "-".join(["presentation", *(kind for kind in requested if kind in kinds)])
    return Circuit(name, lambda builder: _define(builder, kinds))


def _define(builder: Builder, kinds: frozenset[str]) -> None:
    commitment, issuer_x, issuer_y, verifier, nonce, expires = map(builder.public, _HEAD)
    nullifier = builder.public("nullifier") if "nullifier" in kinds else None
    age = [builder.public(name) for name in ("today", "years") if "age" in kinds]
    countries = [
        builder.public(f"country{i}") for i in range(MAX_COUNTRIES) if "residency" in kinds
    ]
    threshold = builder.public("threshold") if "score" in kinds else None

    bind_input(builder, nonce, "nonce")
    bind_input(builder, verifier, "verifier")
    claims = claim_signals(builder)
    secret, valid_until, blind, r8x, r8y, s = map(
        builder.private, ("secret", "valid_until", "blind", "r8x", "r8y", "s")
    )
    credential = poseidon_gadget(builder, list(claims.values()), "credential")
    holder = poseidon_gadget(builder, [secret], "holder")
    message = poseidon_gadget(builder, [credential, holder, valid_until], "message")
    key, r8 = PointSignals(issuer_x, issuer_y), PointSignals(r8x, r8y)
    assert_eddsa(builder, key, message, r8, s, "signature")
    digest = poseidon_gadget(builder, [message, blind], "commitment")
    builder.assert_equal(digest, commitment, "the commitment is that of the credential")
    end = range_check(builder, valid_until, _SECOND_BITS, "valid_until")
    expiry = range_check(builder, expires, _SECOND_BITS, "expires")
    assert_at_least(builder, end, expiry, "valid until the expiry")
    if nullifier is not None:
        tag = as_combination(_NULLIFIER)
        digest = poseidon_gadget(builder, [tag, secret, verifier], "nullifier")
        builder.assert_equal(digest, nullifier, "the nullifier is the holder's")
    if age:
        assert_age(builder, claims["birth"], *age)
    if countries:
        assert_residency(builder, claims["country"], countries)
    if threshold is not None:
        assert_score(builder, claims["score"], threshold)
