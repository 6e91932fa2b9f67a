"""circom's .r1cs files (constraint systems) and snarkjs's .wtns files (witnesses).

Source: iden3, "R1CS binary format", r1csfile repository, doc/r1cs_bin_format.md. Header: field,
wires (u32), public outputs (u32), public inputs (u32), private inputs (u32), labels (u64),
constraints (u32). Constraints: for a, b and c the number of terms (u32), then wire (u32) and
coefficient of each.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
_LABEL = Struct("<Q")
_LABEL_BYTES = _LABEL.size
_TERM_BYTES = _COUNT.size + FIELD_BYTES
_LEAST_CONSTRAINT_BYTES = 3 * _COUNT.size


@dataclass(frozen=True, slots=True)
class R1csFile:
    """A .r1cs file: the constraint system, and which of its wires are inputs."""

    r1cs: R1cs
    output_count: int
    """Public outputs, which come before the public inputs."""
    labels: tuple[int, ...]
    """For each wire the number of its signal, by which a .sym file names it."""
    private_input_count: int
    """As the header has it, with inputs that have no wire any more."""

    @property
    def input_wires(self) -> frozenset[int]:
        """The wires of the public and private inputs.

        Signals are numbered as the wires are: 1 the first output, then the inputs, public ones
        first, then all others.
        """
        public = self.r1cs.public_count
        last = public + self.private_input_count
        private = (w for w in range(public + 1, self.r1cs.wire_count) if self.labels[w] <= last)
        return frozenset([*range(self.output_count + 1, public + 1), *private])

    @property
    def lost_inputs(self) -> int:
        """The number of private inputs that have no wire any more."""
        public = sum(wire <= self.r1cs.public_count for wire in self.input_wires)
        return self.private_input_count - (len(self.input_wires) - public)


def read_r1cs(data: bytes) -> R1cs:
    """Read the constraint system in a .r1cs file. Its public wires are outputs, then inputs.

    Raises as :func:`read_r1cs_file`.
    """
    return read_r1cs_file(data).r1cs


def read_r1cs_file(data: bytes) -> R1csFile:
    """Read a .r1cs file.

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
    wires, outputs, inputs, private, labels_count, count = header.take(_COUNTS)
    if outputs + inputs >= wires:
        raise header.corrupt(f"{outputs + inputs} outputs and public inputs, {wires} wires")
    # All of them are labelled, so that a file can't pass off every signal as an input.
    if outputs + inputs + private >= labels_count:
        raise header.corrupt(f"{private} private inputs, {labels_count} labels in all")
    header.end()
    # Each wire has a label, so that a short file can't claim to have many wires.
    if sections[_LABELS].left != wires * _LABEL_BYTES:
        raise sections[_LABELS].corrupt(f"not one label for each of {wires} wires")
    labels = tuple(sections[_LABELS].take(_LABEL)[0] for _ in range(wires))
    body = sections[_CONSTRAINTS]
    if count * _LEAST_CONSTRAINT_BYTES > body.left:
        raise body.corrupt(f"too short for {count} constraints")
    constraints = tuple(
        Constraint(_row(body, wires), _row(body, wires), _row(body, wires)) for _ in range(count)
    )
    body.end()
    return R1csFile(R1cs(wires, outputs + inputs, constraints), outputs, labels, private)


def write_r1cs(r1cs: R1cs, private_inputs: Sequence[int] = ()) -> bytes:
    """Return a .r1cs file, in which every public wire is an input, and so are ``private_inputs``.

    Labels are the wires' own numbers, but that private inputs come before all other private ones.
    """
    wires, inputs = r1cs.wire_count, set(private_inputs)
    counts = (wires, 0, r1cs.public_count, len(inputs), wires, len(r1cs.constraints))
    rows = [_row_bytes(side) for constraint in r1cs.constraints for side in constraint]
    others = (wire for wire in range(r1cs.public_count + 1, wires) if wire not in inputs)
    order = [*range(r1cs.public_count + 1), *sorted(inputs), *others]
    label_of = {wire: label for label, wire in enumerate(order)}
    labels = [_LABEL.pack(label_of[wire]) for wire in range(wires)]
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


def read_sym(data: bytes) -> dict[int, str]:
    """Read the names of wires in circom's .sym file: number, wire, component, name on each line.

    Of several signals on one wire, the first names it.

    Raises:
        CorruptFileError: a line is another; the message has its number.
    """
    names: dict[int, str] = {}
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        parts = line.split(",", 3)
        if len(parts) != 4 or not re.fullmatch(r"-1|[0-9]{1,10}", parts[1]):
            raise CorruptFileError(f"sym file, line {number}: not number, wire, component, name")
        names.setdefault(int(parts[1]), parts[3])
    names.pop(-1, None)  # signals without a wire
    return names


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
