"""An audit of a constraint system: what nothing binds, and what a prover could choose.

Four questions, the last of them about witnesses that satisfy the system:

- unused: signals in no constraint, which may have any value;
- public inputs that nothing binds: in no constraint, or in none but such that a signal which
  nothing else uses makes true;
- under-constrained: signals that uniqueness propagation doesn't reach from the inputs;
- single-wire mutants: another value of one signal, no input, all others as they are, that satisfies
  every constraint as well. A constraint is at most quadratic in one signal, with the witness's
  value as a root, so that the other root is known and none is missed.

A mutant or a signal in no constraint is a fault, and so is a signal that is free: whatever its
value is, or whichever of two, the others that are not reached can be computed so that every
constraint holds. What else propagation doesn't reach is undecided, but for helpers: factors in a
single constraint, all else of which is determined.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from veperf.workloads.zk.bigint import invert
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.linear import CONSTANT_WIRE, Constraint
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.r1cs.uniqueness import determined_wires

_MOST_TRIES = 50
"""Signals of a block that are tried as the first choice."""


class AuditVerdict(Enum):
    """The outcome of an audit."""

    SOUND = "every signal is determined by the inputs"
    FAULTY = "there are signals that nothing binds"
    UNDECIDED = "not every signal is shown to be determined"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A value of a signal that satisfies all constraints in place of the witness's."""

    wire: int
    witness: int
    """The number of the witness, from 0."""
    is_any: bool
    """Whether every value satisfies them."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The findings, as wires in ascending order."""

    r1cs: R1cs
    inputs: frozenset[int]
    unused: tuple[int, ...]
    """Private, in no constraint."""
    unbound_public: tuple[int, ...]
    """Public, in no constraint."""
    loosely_bound_public: tuple[int, ...]
    """Public, in none but constraints that a signal makes true which nothing else uses."""
    undetermined: tuple[int, ...]
    """Not shown to be determined by the inputs; helpers and unused ones are not among them."""
    helpers: tuple[int, ...]
    """Not determined, but no other signal depends on them: inverses of what may be 0."""
    free: tuple[int, ...]
    """Among the undetermined: those that a prover can choose."""
    mutants: tuple[Mutant, ...]
    """Of signals that are neither inputs nor helpers."""
    lost_inputs: int
    """Inputs without a wire: others stand for them, so that these may well have other values."""

    @property
    def verdict(self) -> AuditVerdict:
        """The outcome: something is wrong, may be, or is not."""
        has_choice = bool(self.mutants or self.free) and not self.lost_inputs
        if self.unused or self.unbound_public or has_choice:
            return AuditVerdict.FAULTY
        return AuditVerdict.UNDECIDED if self.undetermined else AuditVerdict.SOUND


def audit_r1cs(
    r1cs: R1cs,
    inputs: Collection[int],
    witnesses: Sequence[Sequence[int]] = (),
    lost_inputs: int = 0,
) -> Audit:
    """Audit ``r1cs``.

    Args:
        r1cs: The system.
        inputs: Its input wires, public and private. All others are to be determined by them.
        witnesses: Witnesses to look for mutants of.
        lost_inputs: How many inputs have no wire any more, for what the audit says of mutants.

    Raises:
        UnsatisfiedError: a witness breaks a constraint.
        ValueError: a witness is not one of this system.
    """
    users = _users(r1cs)
    public = range(1, r1cs.public_count + 1)
    private = range(r1cs.public_count + 1, r1cs.wire_count)
    unbound = tuple(wire for wire in public if not users[wire])
    unused = tuple(wire for wire in private if not users[wire])
    known = determined_wires(r1cs, inputs)
    open_wires = [w for w in range(1, r1cs.wire_count) if w not in known and users[w]]
    helpers = _helpers(r1cs, users, open_wires)
    mutants = [
        mutant
        for number, witness in enumerate(witnesses)
        for mutant in _mutants(r1cs, users, witness, number)
        if mutant.wire not in helpers and mutant.wire not in inputs
    ]
    undetermined = [wire for wire in open_wires if wire not in helpers]
    loose = _loosely_bound(r1cs, users, frozenset(inputs)) - {*unbound}
    return Audit(
        r1cs,
        frozenset(inputs),
        unused,
        unbound,
        tuple(sorted(loose)),
        tuple(undetermined),
        tuple(sorted(helpers)),
        tuple(sorted(_free_wires(r1cs, users, undetermined))),
        tuple(mutants),
        lost_inputs,
    )


_Users = Mapping[int, Sequence[int]]


def _wires(constraint: Constraint) -> set[int]:
    """Return the wires that ``constraint`` says something about."""
    a, b, c = constraint
    sides = (c,) if not a or not b else constraint  # 0 times anything says nothing of it
    return {wire for side in sides for wire, _ in side} - {CONSTANT_WIRE}


def _users(r1cs: R1cs) -> _Users:
    users: dict[int, list[int]] = defaultdict(list)
    for number, constraint in enumerate(r1cs.constraints):
        for wire in _wires(constraint):
            users[wire].append(number)
    return users


def _helpers(r1cs: R1cs, users: _Users, open_wires: Sequence[int]) -> set[int]:
    """Return the private wires in one constraint alone, f u = c with f and c determined.

    If f is not 0, that determines u; if it is, u has no effect. Bits are none of them: what has two
    roots in a constraint of its own could stand for either.
    """
    undetermined = set(open_wires)
    helpers = set()
    for wire in open_wires:
        if wire <= r1cs.public_count or len(users[wire]) != 1:
            continue
        constraint = r1cs.constraints[users[wire][0]]
        sides = [wire in dict(side) for side in constraint]
        is_factor = sides in ([True, False, False], [False, True, False])
        if is_factor and _wires(constraint) & undetermined == {wire}:
            helpers.add(wire)
    return helpers


def _free_wires(r1cs: R1cs, users: _Users, undetermined: Sequence[int]) -> set[int]:
    """Return wires that can be chosen: no constraint is left over once the others are computed.

    By a greedy choice in each block of wires that share constraints, so that not all are noticed.
    """
    free: set[int] = set()
    left = set(undetermined)
    while left:
        block = _block(r1cs, users, left)
        for first in sorted(block)[:_MOST_TRIES]:
            choice = _Choice(r1cs, users, block)
            choice.complete(first)
            if not choice.has_check:
                free |= choice.free
                break
        left -= block
    return free


def _block(r1cs: R1cs, users: _Users, undetermined: set[int]) -> set[int]:
    """Return one of the undetermined wires, and all that it shares constraints with."""
    block: set[int] = set()
    queue = [min(undetermined)]
    while queue:
        wire = queue.pop()
        if wire not in block:
            block.add(wire)
            for number in users[wire]:
                queue += _wires(r1cs.constraints[number]) & undetermined
    return block


class _Choice:
    """Values that are chosen and computed, for the wires of a block."""

    def __init__(self, r1cs: R1cs, users: _Users, block: set[int]) -> None:
        self._constraints = r1cs.constraints
        self._users = users
        self._unknown = block.copy()
        self.free: set[int] = set()
        self.has_check = False
        """Whether a constraint has no wire left that could make it true."""
        self._roots: dict[int, set[int]] = {}

    def complete(self, wire: int) -> None:
        """Choose ``wire``, compute what follows, choose the next, and so on."""
        used: set[int] = set()
        while not self.has_check:
            self.free.add(wire)
            queue = [wire]
            while queue:
                self._compute_users(queue.pop(), queue, used)
            if not self._unknown:
                return
            wire = min(self._unknown, key=lambda wire: (self._is_product(wire), wire))

    def _is_product(self, wire: int) -> bool:
        """Return whether a constraint computes it from others, so that it is not to be chosen."""
        constraints = (self._constraints[number] for number in self._users[wire])
        return any(c.a and c.b and _is_solvable(c, wire) for c in constraints)

    def _compute_users(self, wire: int, queue: list[int], used: set[int]) -> None:
        self._unknown.discard(wire)
        for number in self._users[wire]:
            if number in used:
                continue
            constraint = self._constraints[number]
            rest = _wires(constraint) & self._unknown
            if len(rest) == 1 and _is_solvable(constraint, *rest):
                used.add(number)
                self._unknown -= rest
                queue += rest
            elif not rest and not self._has_two_roots(number, wire):
                self.has_check = True

    def _has_two_roots(self, number: int, wire: int) -> bool:
        """Return whether it is on the chosen ``wire`` alone, and leaves it two values."""
        a, b, c = map(dict, self._constraints[number])
        if wire not in self.free or c or a.keys() | b.keys() > {wire, CONSTANT_WIRE}:
            return False
        if wire not in a or wire not in b:
            return False
        roots = {-side.get(CONSTANT_WIRE, 0) * invert(side[wire], R) % R for side in (a, b)}
        return len(roots) == 2 and self._roots.setdefault(wire, roots) == roots


def _is_solvable(constraint: Constraint, wire: int) -> bool:
    """Return whether some value of ``wire`` makes it true, whatever the others are."""
    a, b, c = (wire in dict(side) for side in constraint)
    if not a and not b:
        return c
    of_a, of_b, _ = constraint
    other = of_b if a else of_a
    return not c and a != b and len(other) == 1 and other[0][0] == CONSTANT_WIRE


def _loosely_bound(r1cs: R1cs, users: _Users, inputs: frozenset[int]) -> set[int]:
    """Return the public wires that no constraint has, once those that can't be broken are gone.

    A constraint can't be broken if a signal of its own, no input, is in its side c alone.
    """
    left = {wire: set(numbers) for wire, numbers in users.items()}
    queue = list(left)
    while queue:
        wire = queue.pop()
        if wire <= r1cs.public_count or wire in inputs or len(left[wire]) != 1:
            continue
        (number,) = left[wire]
        a, b, c = r1cs.constraints[number]
        if wire in dict(a) or wire in dict(b) or wire not in dict(c):
            continue
        for other in _wires(r1cs.constraints[number]):
            left[other].discard(number)
            queue.append(other)
    return {wire for wire in range(1, r1cs.public_count + 1) if not left.get(wire)}


def _mutants(r1cs: R1cs, users: _Users, witness: Sequence[int], number: int) -> list[Mutant]:
    """Return the mutants of ``witness``; wires in no constraint are not among them."""
    sides = r1cs.check(witness)
    mutants = []
    for wire in range(1, r1cs.wire_count):
        if not users[wire]:
            continue
        shifts: set[int] | None = None  # all
        for constraint_number in users[wire]:
            constraint = r1cs.constraints[constraint_number]
            a, b = sides.a[constraint_number], sides.b[constraint_number]
            other = _other_shift(constraint, wire, a, b)
            if other is not None:
                shifts = {other} if shifts is None else shifts & {other}
        if shifts is None or shifts - {0}:
            mutants.append(Mutant(wire, number, is_any=shifts is None))
    return mutants


def _other_shift(constraint: Constraint, wire: int, a: int, b: int) -> int | None:
    """Return by how much ``wire`` can differ in ``constraint``, 0 if it can't; None for any.

    (a + a1 t) (b + b1 t) = c + c1 t, where a b = c, holds for t = 0 and where
    a1 b1 t = c1 - a b1 - a1 b.
    """
    a1, b1, c1 = (dict(side).get(wire, 0) for side in constraint)
    square, rest = a1 * b1 % R, (c1 - a * b1 - a1 * b) % R
    if square:
        return rest * invert(square, R) % R
    return 0 if rest else None
