"""circom's .r1cs files (constraint systems) and snarkjs's .wtns files (witnesses).

Source: iden3, "R1CS binary format", r1csfile repository, doc/r1cs_bin_format.md. Header: field,
wires (u32), public outputs (u32), public inputs (u32), private inputs (u32), labels (u64),
constraints (u32). Constraints: for a, b and c the number of terms (u32), then wire (u32) and
coefficient of each.
"""

from collections.abc import Sequence
from struct import Struct

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.r1cs.linear import Constraint, Row, canonical_row
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.snarkjs.sections import (
    FIELD_BYTES,
    PRIME,
    SectionReader,
    read_sections,
    write_sections,
)

_MAGIC = b"r1cs"
_VERSION = 1
_HEADER, _CONSTRAINTS, _LABELS, _GATES, _GATE_USES = range(1, 6)
_NAMES = {
    _HEADER: "header",
    _CONSTRAINTS: "constraints",
    _LABELS: "wire to label map",
    _GATES: "custom gates",
    _GATE_USES: "uses of custom gates",
}
_COUNTS = Struct("<IIIIQI")
_COUNT = Struct("<I")
_LABEL_BYTES = 8
_TERM_BYTES = _COUNT.size + FIELD_BYTES
_LEAST_CONSTRAINT_BYTES = 3 * _COUNT.size


def read_r1cs(data: bytes) -> R1cs:
    """Read the constraint system in a .r1cs file. Its public wires are outputs, then inputs.

    Raises:
        CorruptFileError: the file contradicts itself or its format.
        NewerFormatError: another version of the format.
        DataError: another field, or custom gates, which are not R1CS constraints.
    """
    sections = read_sections(data, _MAGIC, _VERSION, _NAMES)
    for required in (_HEADER, _CONSTRAINTS, _LABELS):
        if required not in sections:
            raise CorruptFileError(f"r1cs file: there is no section {_NAMES[required]!r}")
    for unsupported in (_GATES, _GATE_USES):
        if unsupported in sections and sections[unsupported].take(_COUNT) != (0,):
            raise DataError(f"r1cs file: {_NAMES[unsupported]}, which Groth16 does not have")
    header = sections[_HEADER]
    header.take_prime()
    # There may be more private inputs than wires: circom also counts those it optimised away.
    wires, outputs, inputs, _private, _labels, count = header.take(_COUNTS)
    if outputs + inputs >= wires:
        raise header.corrupt(f"{outputs + inputs} outputs and public inputs, {wires} wires")
    header.end()
    # Each wire has a label, so that a short file can't claim to have many wires.
    if sections[_LABELS].left != wires * _LABEL_BYTES:
        raise sections[_LABELS].corrupt(f"not one label for each of {wires} wires")
    body = sections[_CONSTRAINTS]
    if count * _LEAST_CONSTRAINT_BYTES > body.left:
        raise body.corrupt(f"too short for {count} constraints")
    constraints = tuple(
        Constraint(_row(body, wires), _row(body, wires), _row(body, wires)) for _ in range(count)
    )
    body.end()
    return R1cs(wires, outputs + inputs, constraints)


def write_r1cs(r1cs: R1cs) -> bytes:
    """Return a .r1cs file: every public wire is an input, every label the wire's own number."""
    counts = (r1cs.wire_count, 0, r1cs.public_count, 0, r1cs.wire_count, len(r1cs.constraints))
    rows = [_row_bytes(side) for constraint in r1cs.constraints for side in constraint]
    labels = [wire.to_bytes(_LABEL_BYTES, "little") for wire in range(r1cs.wire_count)]
    sections = {
        _HEADER: PRIME + _COUNTS.pack(*counts),
        _CONSTRAINTS: b"".join(rows),
        _LABELS: b"".join(labels),
    }
    return write_sections(_MAGIC, _VERSION, sections)


def _row(reader: SectionReader, wires: int) -> Row:
    (terms,) = reader.take(_COUNT)
    if terms * _TERM_BYTES > reader.left:
        raise reader.corrupt(f"too short for {terms} terms")
    row = []
    for _ in range(terms):
        (wire,) = reader.take(_COUNT)
        if wire >= wires:
            raise reader.corrupt(f"wire {wire} of {wires}")
        row.append((wire, reader.take_element()))
    return canonical_row(row)


def _row_bytes(side: Row) -> bytes:
    terms = [_COUNT.pack(w) + int(factor).to_bytes(FIELD_BYTES, "little") for w, factor in side]
    return _COUNT.pack(len(side)) + b"".join(terms)


_WTNS_MAGIC = b"wtns"
_WTNS_VERSION = 2
_WTNS_HEADER, _VALUES = 1, 2
_WTNS_NAMES = {_WTNS_HEADER: "header", _VALUES: "values"}
_WTNS_COUNT = Struct("<I")


def read_wtns(data: bytes) -> list[int]:
    """Read the witness in a .wtns file, the constant 1 first.

    Raises:
        CorruptFileError: the file contradicts itself or its format.
        NewerFormatError: another version of the format.
        DataError: another field.
    """
    sections = read_sections(data, _WTNS_MAGIC, _WTNS_VERSION, _WTNS_NAMES)
    for required, name in _WTNS_NAMES.items():
        if required not in sections:
            raise CorruptFileError(f"wtns file: there is no section {name!r}")
    header = sections[_WTNS_HEADER]
    header.take_prime()
    (count,) = header.take(_WTNS_COUNT)
    header.end()
    values = sections[_VALUES]
    if values.left != count * FIELD_BYTES:
        raise values.corrupt(f"{values.left} bytes for {count} values")
    witness = [values.take_element() for _ in range(count)]
    if witness[:1] != [1]:
        raise values.corrupt("the first value is not the constant 1")
    return witness


def write_wtns(witness: Sequence[int]) -> bytes:
    """Return ``witness`` as a .wtns file."""
    values = [int(value).to_bytes(FIELD_BYTES, "little") for value in witness]
    sections = {_WTNS_HEADER: PRIME + _WTNS_COUNT.pack(len(values)), _VALUES: b"".join(values)}
    return write_sections(_WTNS_MAGIC, _WTNS_VERSION, sections)
