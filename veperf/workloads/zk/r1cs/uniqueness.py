"""Uniqueness propagation: which wires of a constraint system the inputs determine.

Beginning with the inputs, wires are determined one after the other by rules that hold for all
values. What no rule reaches may be determined all the same, or be under-constrained: then a prover
can choose it.

- linear: with the wires that are known, a constraint is an equation that is linear in the others;
  such equations determine the wires that elimination leaves alone in one;
- roots: a constraint on one wire alone, with two roots, leaves it two values, such as 0 and 1;
- digits: a linear equation of wires with two values each has one solution, if of their weights each
  is more than all smaller ones, and all together less than the order (binary numbers);
- cases: where a known side f is 0, the constraints with it say what their side c is, and where not,
  what the other side is: wires that both cases determine are determined (circomlib's IsZero);
- nonzero: a product that is a constant other than 0 has no factor 0, which leaves the second case.

Source: the rules of Ecne (0xPARC, 2022) and Picus (Pailoor et al., "Automated Detection of
Under-Constrained Circuits in Zero-Knowledge Proofs", PLDI 2023).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from veperf.workloads.zk.bigint import invert
from veperf.workloads.zk.field import R
from veperf.workloads.zk.r1cs.linear import CONSTANT_WIRE, Constraint, Row
from veperf.workloads.zk.r1cs.system import R1cs

Equation = dict[int, int]
"""Unknown wires with their factors: their sum is a known value."""

_MOST_ELIMINATED = 400
"""Wires of one elimination: its work grows with their cube."""
_MOST_DIGITS = 400


def determined_wires(r1cs: R1cs, inputs: Iterable[int]) -> frozenset[int]:
    """Return the wires that ``inputs`` determine, by the rules above, the inputs among them."""
    return frozenset(_Propagation(r1cs, inputs).run())


class _Propagation:
    def __init__(self, r1cs: R1cs, inputs: Iterable[int]) -> None:
        self._known: set[int] = set()
        self._constraints = r1cs.constraints
        self._open = set(range(len(r1cs.constraints)))
        self._queue = sorted(self._open, reverse=True)
        """Constraints to look at, each at most once."""
        self._is_queued = set(self._open)
        self._users: dict[int, list[int]] = defaultdict(list)
        self._roots: dict[int, tuple[int, int]] = {}
        self._nonzero: set[Row] = set()
        for number, constraint in enumerate(r1cs.constraints):
            a, b, c = constraint
            for wire in {wire for side in constraint for wire, _ in side}:
                self._users[wire].append(number)
            if _is_constant(c) and c:
                self._nonzero |= {_without_scale(a), _without_scale(b)}
            self._find_roots(constraint)
        self._learn([CONSTANT_WIRE, *inputs])

    def run(self) -> set[int]:
        """Apply the rules until none determines a wire any more."""
        while True:
            while self._queue:
                number = self._queue.pop()
                self._is_queued.discard(number)
                if equation := self._equation(number):
                    self._solve_single(equation)
                    self._solve_digits(equation)
            equations = [e for number in sorted(self._open) if (e := self._equation(number))]
            self._solve_cases(equations)
            if not self._queue:
                self._learn(_eliminated(equations))
            if not self._queue:
                return self._known

    def _learn(self, wires: Iterable[int]) -> None:
        """Note that ``wires`` are determined; look at their constraints again."""
        for wire in wires:
            if wire not in self._known:
                self._known.add(wire)
                again = [n for n in self._users[wire] if n in self._open]
                self._queue += [n for n in again if n not in self._is_queued]
                self._is_queued.update(again)

    def _equation(self, number: int) -> Equation:
        """Return the constraint, if it is linear in what is unknown; close it, if nothing is."""
        a, b, c = self._constraints[number]
        unknown = [self._unknown(side) for side in (a, b, c)]
        if not any(unknown):
            self._open.discard(number)
            return {}
        return self._linear(a, b, unknown)

    def _linear(self, a: Row, b: Row, unknown: Sequence[Equation]) -> Equation:
        of_a, of_b, of_c = unknown
        if not of_a and not of_b:
            return of_c
        for side, others in ((a, of_b), (b, of_a)):
            if _is_constant(side):
                factor = side[0][1] if side else 0
                return _difference(_scaled(others, factor), of_c)
            # f g = c with f known and not 0, and c known: g is c / f.
            if not self._unknown(side) and not of_c and _without_scale(side) in self._nonzero:
                return others
        return {}

    def _unknown(self, side: Row) -> Equation:
        return {wire: factor for wire, factor in side if wire not in self._known}

    def _solve_single(self, equation: Equation) -> None:
        if len(equation) == 1:
            self._learn(equation)

    def _solve_digits(self, equation: Equation) -> None:
        if not 1 < len(equation) <= _MOST_DIGITS or not equation.keys() <= self._roots.keys():
            return
        weights = []
        for wire, factor in equation.items():
            low, high = self._roots[wire]
            weights.append(factor * (high - low) % R)
        if _has_one_solution(weights):
            self._learn(equation)

    def _solve_cases(self, equations: Sequence[Equation]) -> None:
        where_zero: dict[Row, list[Equation]] = defaultdict(list)
        elsewhere: dict[Row, list[Equation]] = defaultdict(list)
        for number in sorted(self._open):
            a, b, c = self._constraints[number]
            for side, other in ((a, b), (b, a)):
                if self._unknown(side) or _is_constant(side):
                    continue
                form = _without_scale(side)
                where_zero[form].append(self._unknown(c))
                if not self._unknown(c):
                    elsewhere[form].append(self._unknown(other))
        for form, of_zero in where_zero.items():
            # One constraint can't tell both cases, but together with equations.
            if form in elsewhere:
                near = [e for e in equations if e not in of_zero and e not in elsewhere[form]]
                near = near if len(near) <= _MOST_ELIMINATED else []
                both = _eliminated([*of_zero, *near]) & _eliminated([*elsewhere[form], *near])
                self._learn(both)

    def _find_roots(self, constraint: Constraint) -> None:
        """Note the two values of a wire that alone is in ``constraint``, if 0 is one of them."""
        wires = {wire for side in constraint for wire, _ in side} - {CONSTANT_WIRE}
        if len(wires) != 1:
            return
        (wire,) = wires
        (a0, a1), (b0, b1), (c0, c1) = (
            (dict(side).get(CONSTANT_WIRE, 0), dict(side).get(wire, 0)) for side in constraint
        )
        square, linear, constant = a1 * b1 % R, (a0 * b1 + a1 * b0 - c1) % R, (a0 * b0 - c0) % R
        if not square:
            return
        if not c0 and not c1:
            roots = -a0 * invert(a1, R) % R, -b0 * invert(b1, R) % R
        elif not constant:
            roots = 0, -linear * invert(square, R) % R
        else:
            return
        # Of two pairs that differ, it has at most one in common.
        if roots[0] == roots[1] or {*self._roots.get(wire, roots)} != {*roots}:
            self._learn([wire])
        self._roots[wire] = roots


def _is_constant(side: Row) -> bool:
    return not side or (len(side) == 1 and side[0][0] == CONSTANT_WIRE)


def _without_scale(side: Row) -> Row:
    """Return the multiple of ``side`` whose first factor is 1."""
    if not side:
        return side
    scale = invert(side[0][1], R)
    return tuple((wire, factor * scale % R) for wire, factor in side)


def _scaled(equation: Mapping[int, int], factor: int) -> Equation:
    return {wire: value * factor % R for wire, value in equation.items() if value * factor % R}


def _difference(left: Mapping[int, int], right: Mapping[int, int]) -> Equation:
    total = dict(left)
    for wire, factor in right.items():
        total[wire] = (total.get(wire, 0) - factor) % R
    return {wire: factor for wire, factor in total.items() if factor}


def _has_one_solution(weights: Sequence[int]) -> bool:
    """Return whether sums of some of these weights, modulo R, are different for different ones.

    They are, if for some scale each is more than all smaller ones together, and the sum of all is
    less than R: the difference of two sums is then 0 for none but equal ones.
    """
    if not all(weights):
        return False
    for unit in weights:
        scale = invert(unit, R)
        sizes = sorted(min(w * scale % R, -w * scale % R) for w in weights)
        if sizes[0] != 1:
            continue
        total = 0
        for size in sizes:
            if size <= total:
                break
            total += size
        else:
            if total < R:
                return True
    return False


def _eliminated(equations: Iterable[Equation]) -> set[int]:
    """Return the wires that elimination leaves alone in an equation."""
    alone: set[int] = set()
    for block in _blocks(equations):
        wires = {wire for equation in block for wire in equation}
        if len(wires) <= _MOST_ELIMINATED:
            alone |= _alone_in_block(block)
    return alone


def _blocks(equations: Iterable[Equation]) -> list[list[Equation]]:
    """Return the equations in blocks that share no wire."""
    parent: dict[int, int] = {}

    def root(wire: int) -> int:
        while parent.setdefault(wire, wire) != wire:
            parent[wire] = wire = parent[parent[wire]]
        return wire

    kept = [equation for equation in equations if equation]
    for equation in kept:
        first, *rest = equation
        for wire in rest:
            parent[root(wire)] = root(first)
    blocks: dict[int, list[Equation]] = defaultdict(list)
    for equation in kept:
        blocks[root(next(iter(equation)))].append(equation)
    return list(blocks.values())


def _alone_in_block(block: Iterable[Equation]) -> set[int]:
    """Return the wires that are alone in a row of the reduced echelon form."""
    rows: dict[int, Equation] = {}
    for equation in block:
        reduced = dict(equation)
        for pivot in [wire for wire in equation if wire in rows]:
            if pivot in reduced:
                reduced = _difference(reduced, _scaled(rows[pivot], reduced[pivot]))
        if not reduced:
            continue
        pivot = next(iter(reduced))
        reduced = _scaled(reduced, invert(reduced[pivot], R))
        for other, row in rows.items():
            if pivot in row:
                rows[other] = _difference(row, _scaled(reduced, row[pivot]))
        rows[pivot] = reduced
    return {pivot for pivot, row in rows.items() if len(row) == 1}
