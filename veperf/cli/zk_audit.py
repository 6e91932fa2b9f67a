"""``veperf zk audit``: what a circuit does not bind."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from veperf.cli.options import ExampleCommand
from veperf.cli.zk_files import file_argument, file_option, reading
from veperf.core.errors import FAILED, INCONCLUSIVE, OK, DataError, UsageError


@click.command(
    "audit",
    cls=ExampleCommand,
    examples=[
        "veperf zk audit age.r1cs --sym age.sym",
        "veperf zk audit age.r1cs --witness age.wtns --witness other.wtns",
        "veperf zk audit custom.r1cs --input 4 --input 5 --format json",
    ],
)
@file_argument("circuit", "FILE.r1cs")
@file_option("--sym", "circom's names of the signals.")
@file_option("--witness", "A .wtns file to look for mutants of. Can be repeated.", multiple=True)
@click.option(
    "--input", "inputs", type=int, multiple=True, metavar="WIRE",
    help="A wire that is an input, too. Can be repeated.",
)  # fmt: skip
@click.option("--format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def audit_command(
    context: click.Context,
    circuit: Path,
    sym: Path | None,
    witness: Sequence[Path],
    inputs: Sequence[int],
    format: Literal["text", "json"],
) -> None:
    """Find signals of a circuit that nothing binds, and those that a prover may choose.

    By uniqueness propagation from the inputs, and for each witness by mutants: other values of
    single signals that satisfy all constraints as well.

    Ends with 0 if every signal is determined, 1 if one is not, 4 if that can't be decided, 2 if a
    file can't be read.
    """
    from veperf.workloads.zk.r1cs.audit import AuditVerdict, audit_r1cs
    from veperf.workloads.zk.r1cs.audit_text import audit_json, audit_text
    from veperf.workloads.zk.r1cs.system import UnsatisfiedError
    from veperf.workloads.zk.snarkjs.circom_files import read_r1cs_file, read_sym, read_wtns

    with reading(circuit) as data:
        file = read_r1cs_file(data)
    names = {}
    if sym is not None:
        with reading(sym) as data:
            names = read_sym(data)
    witnesses = []
    for path in witness:
        with reading(path) as data:
            witnesses.append(read_wtns(data))
    if unknown := [wire for wire in inputs if not 0 < wire < file.r1cs.wire_count]:
        raise UsageError(f"there is no wire {unknown[0]}: 1 to {file.r1cs.wire_count - 1}")
    try:
        audit = audit_r1cs(file.r1cs, file.input_wires | {*inputs}, witnesses, file.lost_inputs)
    except UnsatisfiedError as error:
        raise DataError(f"a witness does not satisfy the circuit: {error}") from error
    except ValueError as error:
        raise DataError(f"a witness is none of this circuit: {error}") from error
    click.echo(audit_text(audit, names) if format == "text" else audit_json(audit, names))
    codes = {AuditVerdict.SOUND: OK, AuditVerdict.FAULTY: FAILED}
    context.exit(codes.get(audit.verdict, INCONCLUSIVE))
