"""``veperf zk``: keys, proofs and audits of circuits, for files of circom, snarkjs and gnark."""

from pathlib import Path
from random import Random

import click

from veperf.cli.options import ExampleCommand, display_path, print_warning
from veperf.cli.output import CommandGroup, echo
from veperf.cli.zk_audit import audit_command
from veperf.cli.zk_ceremony import ceremony_group
from veperf.cli.zk_files import (
    FILE_PATH,
    file_argument,
    file_option,
    force_option,
    output_option,
    r1cs_option,
    reading,
    refuse_existing,
    test_keys_option,
    write_output,
)
from veperf.core.errors import FAILED, OK, CorruptFileError, DataError, UsageError


@click.group("zk", cls=CommandGroup)
def zk_command() -> None:
    """Groth16 over BN254 (bn128), for files of circom, snarkjs, gnark and Ethereum."""


@zk_command.command(
    "setup",
    cls=ExampleCommand,
    examples=[
        "veperf zk setup age.r1cs --ptau powers.ptau -o age_0.zkey",
        "veperf zk setup age.r1cs -o age.zkey",
        "veperf zk setup age.r1cs --seed 7 -o test.zkey",
    ],
)
@file_argument("circuit", "FILE.r1cs")
@file_option("--ptau", "Prepared powers of tau: begins a ceremony.")
@click.option("--seed", type=int, help="Makes a test key, the same one each time.")
@output_option("circuit.zkey")
@force_option
def setup_command(
    circuit: Path, ptau: Path | None, seed: int | None, output: Path, force: bool
) -> None:
    """Make the proving key of a circuit, as a .zkey file.

    With --ptau it begins a ceremony: the key proves nothing before somebody contributed to it.
    Without, this process draws all secrets and forgets them: who runs it has to be trusted.
    """
    from veperf.workloads.zk.groth16.keys import KeyForm
    from veperf.workloads.zk.groth16.setup import setup
    from veperf.workloads.zk.snarkjs.ceremony import first_zkey
    from veperf.workloads.zk.snarkjs.circom_files import read_r1cs
    from veperf.workloads.zk.snarkjs.ptau import Ptau
    from veperf.workloads.zk.snarkjs.zkey import write_zkey, zkey_of

    if ptau is not None and seed is not None:
        raise click.UsageError("--ptau has its secrets already: no --seed")
    refuse_existing(output, force=force)
    with reading(circuit) as data:
        r1cs = read_r1cs(data)
    if ptau is not None:
        with reading(ptau) as data:
            zkey = first_zkey(r1cs, Ptau(data))
    elif seed is not None:
        draw = Random(seed).randrange  # noqa: S311 - a test key, and marked as one
        zkey = zkey_of(setup(r1cs, draw, KeyForm.SNARKJS), r1cs)
    else:
        zkey = zkey_of(setup(r1cs, form=KeyForm.SNARKJS), r1cs)
    write_output(output, write_zkey(zkey), force=force)
    if ptau is not None:
        print_warning("nobody contributed yet; next: veperf zk ceremony contribute")
    elif seed is not None:
        print_warning("a test key: anybody can forge proofs by it; marked as one")
    else:
        print_warning("this process knew the secrets; --ptau begins a ceremony of many")


@zk_command.command(
    "prove",
    cls=ExampleCommand,
    examples=[
        "veperf zk prove age.zkey age.wtns",
        "veperf zk prove age.zkey age.wtns --r1cs age.r1cs --format calldata",
        "veperf zk prove pk.bin age.wtns --r1cs age.r1cs --vk vk.bin --format gnark",
    ],
)
@file_argument("key", "KEY")
@file_argument("witness", "FILE.wtns")
@r1cs_option
@file_option("--vk", "The verifying key that belongs to a key of gnark's.")
@click.option(
    "--format", type=click.Choice(["json", "gnark", "calldata", "arguments"]), default="json",
    show_default=True, help="Form of the proof.",
)  # fmt: skip
@output_option("proof.json")
@click.option(
    "--public", type=FILE_PATH, default="public.json", show_default=True, metavar="FILE",
    help="Where to write the public inputs.",
)  # fmt: skip
@test_keys_option
@force_option
def prove_command(
    key: Path,
    witness: Path,
    r1cs: Path | None,
    vk: Path | None,
    format: str,
    output: Path,
    public: Path,
    allow_test_keys: bool,
    force: bool,
) -> None:
    """Prove that a witness satisfies the circuit of a key.

    KEY is a .zkey file, or a proving key of gnark's or veperf's own, which need --r1cs. The proof
    is verified before it is written.
    """
    from veperf.workloads.zk.key_files import (
        FileForm,
        load_verifying_key,
        proof_to_form,
        prover_of,
    )
    from veperf.workloads.zk.r1cs.system import UnsatisfiedError
    from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns
    from veperf.workloads.zk.snarkjs.json_files import public_to_json

    refuse_existing(output, public, force=force)
    system = verifying_key = None
    if r1cs is not None:
        with reading(r1cs) as data:
            system = read_r1cs(data)
    if vk is not None:
        with reading(vk) as data:
            verifying_key = load_verifying_key(data, allow_test_keys=allow_test_keys)
    with reading(witness) as data:
        values = read_wtns(data)
    with reading(key) as data:
        prover = prover_of(data, system, verifying_key, allow_test_keys=allow_test_keys)
    try:
        proof = prover.prove(values)
    except CorruptFileError as error:
        hint = "" if r1cs else "; --r1cs tells whether the witness satisfies the circuit"
        raise CorruptFileError(f"{display_path(key)}: {error}{hint}") from error
    except UnsatisfiedError as error:
        raise DataError(f"{display_path(witness)}: {error}") from error
    except ValueError as error:
        raise DataError(f"{display_path(witness)}: not a witness of it: {error}") from error
    inputs = [int(v) for v in values[1 : prover.key.verifying_key.public_count + 1]]
    write_output(output, proof_to_form(proof, inputs, FileForm(format)), force=force)
    write_output(public, public_to_json(inputs), force=force)


@zk_command.command(
    "verify",
    cls=ExampleCommand,
    examples=[
        "veperf zk verify verification_key.json public.json proof.json",
        "veperf zk verify age.zkey public.json proof.json",
        "veperf zk verify age_vk.bin public.json proof.bin",
    ],
)
@file_argument("key", "KEY")
@file_argument("public", "PUBLIC.json")
@file_argument("proof", "PROOF")
@test_keys_option
@click.pass_context
def verify_proof_command(
    context: click.Context, key: Path, public: Path, proof: Path, allow_test_keys: bool
) -> None:
    """Say whether a proof is valid for the public inputs, and if not, why.

    Ends with 0 if it is, 1 if not, 2 if a file can't be read.
    """
    from veperf.workloads.zk.groth16.verify import verify
    from veperf.workloads.zk.key_files import load_proof, load_verifying_key
    from veperf.workloads.zk.snarkjs.json_files import public_from_json

    with reading(key) as data:
        verifying_key = load_verifying_key(data, allow_test_keys=allow_test_keys)
    with reading(public) as data:
        inputs = public_from_json(data)
    with reading(proof) as data:
        loaded = load_proof(data)
    if loaded.public is not None and loaded.public != inputs:
        echo("invalid: the proof's file is about other public inputs")
        context.exit(FAILED)
    result = verify(verifying_key, inputs, loaded.proof)
    echo("valid" if result else f"invalid: {result}")
    context.exit(OK if result else FAILED)


@zk_command.command(
    "convert",
    cls=ExampleCommand,
    examples=[
        "veperf zk convert proof.json --to gnark -o proof.bin",
        "veperf zk convert proof.bin --to json -o proof.json",
        "veperf zk convert proof.json --public public.json --to calldata",
        "veperf zk convert age.zkey --to json -o verification_key.json",
    ],
)
@file_argument("source", "FILE")
@click.option(
    "--to", "form", type=click.Choice(["json", "gnark", "calldata", "arguments"]), required=True,
    help="snarkjs's JSON, gnark's bytes, a call's data, or its arguments.",
)  # fmt: skip
@file_option("--public", "The public inputs, which calls have, too.")
@click.option("-o", "--output", type=FILE_PATH, metavar="FILE", help="[default: standard output]")
@test_keys_option
@force_option
def convert_command(
    source: Path,
    form: str,
    public: Path | None,
    output: Path | None,
    allow_test_keys: bool,
    force: bool,
) -> None:
    """Write a proof, or the verifying key of a key, in another tool's form."""
    from veperf.workloads.zk.key_files import FileForm, convert_file
    from veperf.workloads.zk.snarkjs.json_files import public_from_json

    inputs = None
    if public is not None:
        with reading(public) as data:
            inputs = public_from_json(data)
    with reading(source) as data:
        content = convert_file(data, inputs, FileForm(form), allow_test_keys=allow_test_keys)
    if output is not None:
        write_output(output, content, force=force)
    elif form == "gnark":
        raise UsageError("gnark's form is no text: name a file by --output")
    else:
        click.echo(content)


@zk_command.command(
    "export-verifier",
    cls=ExampleCommand,
    examples=[
        "veperf zk export-verifier age.zkey -o AgeVerifier.sol --name AgeVerifier",
        "veperf zk export-verifier verification_key.json",
    ],
)
@file_argument("key", "KEY")
@output_option("verifier.sol")
@click.option("--name", default="Groth16Verifier", show_default=True, help="The contract's name.")
@test_keys_option
@force_option
def export_verifier_command(
    key: Path, output: Path, name: str, allow_test_keys: bool, force: bool
) -> None:
    """Write a contract in Solidity that verifies the proofs of a key."""
    from veperf.workloads.zk.ethereum.solidity import solidity_verifier
    from veperf.workloads.zk.key_files import load_verifying_key

    with reading(key) as data:
        verifying_key = load_verifying_key(data, allow_test_keys=allow_test_keys)
    write_output(output, solidity_verifier(verifying_key, name).encode(), force=force)


zk_command.add_command(audit_command)
zk_command.add_command(ceremony_group)
