"""An audit as text for a terminal of 80 columns, and as JSON."""

import json
import textwrap
from collections.abc import Mapping, Sequence

from veperf.core.escape import one_line
from veperf.core.text import plural
from veperf.workloads.zk.r1cs.audit import Audit, AuditVerdict

_COLUMNS = 80
_LISTED = 8
_MARKS = {AuditVerdict.SOUND: "✓", AuditVerdict.FAULTY: "✗", AuditVerdict.UNDECIDED: "▲"}


def audit_text(audit: Audit, names: Mapping[int, str]) -> str:
    """Return the findings, with the first signals of each kind, and the verdict.

    Args:
        audit: The findings.
        names: Names of wires, where they are known.
    """
    r1cs = audit.r1cs
    lines = [
        f"{plural(len(r1cs.constraints), 'constraint')}, {plural(r1cs.wire_count - 1, 'signal')}, "
        f"{r1cs.public_count} public; {plural(len(audit.inputs), 'input')}"
    ]
    mutated = sorted({mutant.wire for mutant in audit.mutants})
    findings: tuple[tuple[str, str, Sequence[int]], ...] = (
        ("✗", "in no constraint, any value passes", audit.unused),
        ("✗", "public inputs that nothing binds", audit.unbound_public),
        ("✗", "with another value that satisfies all constraints", mutated),
        ("✗", "free: a prover can choose them", audit.free),
        ("▲", "not shown to be determined by the inputs", audit.undetermined),
        ("▲", "public, bound only to signals that nothing else uses", audit.loosely_bound_public),
        ("·", "undetermined helpers, on which no other signal depends", audit.helpers),
    )
    for mark, title, wires in findings:
        if wires:
            lines += _wrapped(f"{mark} {title} ({len(wires)}): {_listed(wires, names)}")
    if audit.lost_inputs:
        lines += _wrapped(
            f"▲ {plural(audit.lost_inputs, 'private input')} without a wire: signals that stand "
            "for them count as not determined; compile with --O0, or name them by --input"
        )
    elif audit.verdict is not AuditVerdict.SOUND and not _has_private_input(audit):
        lines += _wrapped("▲ the file names no private input; name them by --input")
    verdict = audit.verdict
    return "\n".join([*lines, *_wrapped(f"{_MARKS[verdict]} {verdict.value}")])


def audit_json(audit: Audit, names: Mapping[int, str]) -> str:
    """Return the findings as a JSON object: lists of signals, each with its wire and name."""

    def signals(wires: Sequence[int]) -> list[dict[str, int | str]]:
        return [{"wire": wire, "name": _name(wire, names)} for wire in wires]

    return json.dumps(
        {
            "verdict": audit.verdict.name.lower(),
            "constraints": len(audit.r1cs.constraints),
            "signals": audit.r1cs.wire_count - 1,
            "public": audit.r1cs.public_count,
            "inputs": sorted(audit.inputs),
            "inputs_without_a_wire": audit.lost_inputs,
            "unused": signals(audit.unused),
            "unbound_public": signals(audit.unbound_public),
            "loosely_bound_public": signals(audit.loosely_bound_public),
            "undetermined": signals(audit.undetermined),
            "free": signals(audit.free),
            "helpers": signals(audit.helpers),
            "mutants": [
                {
                    "wire": mutant.wire,
                    "name": _name(mutant.wire, names),
                    "witness": mutant.witness,
                    "any_value": mutant.is_any,
                }
                for mutant in audit.mutants
            ],
        },
        indent=1,
    )


def _has_private_input(audit: Audit) -> bool:
    return any(wire > audit.r1cs.public_count for wire in audit.inputs)


def _listed(wires: Sequence[int], names: Mapping[int, str]) -> str:
    words = [_name(wire, names) for wire in wires[:_LISTED]]
    more = len(wires) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _name(wire: int, names: Mapping[int, str]) -> str:
    return one_line(names.get(wire, f"wire {wire}"))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, subsequent_indent="  ", break_long_words=False)
