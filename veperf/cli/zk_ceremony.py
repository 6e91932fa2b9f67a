"""``veperf zk ceremony``: contribute to a key, and verify who did."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import ExampleCommand
from veperf.cli.output import CommandGroup, echo
from veperf.cli.zk_files import (
    file_argument,
    file_option,
    force_option,
    output_option,
    reading,
    refuse_existing,
    write_output,
)
from veperf.core.errors import FAILED, OK, UsageError

if TYPE_CHECKING:
    from veperf.workloads.zk.snarkjs.ceremony import CeremonyFault
    from veperf.workloads.zk.snarkjs.zkey import Zkey


@click.group("ceremony", cls=CommandGroup)
def ceremony_group() -> None:
    """A key's ceremony: sound if one contributor of all forgets a secret."""


@ceremony_group.command(
    "contribute",
    cls=ExampleCommand,
    examples=["veperf zk ceremony contribute age_0.zkey -o age_1.zkey --name Ada"],
)
@file_argument("key", "FILE.zkey")
@output_option("contributed.zkey")
@click.option("--name", default="", help="Who contributes, for the transcript.")
@force_option
def contribute_command(key: Path, output: Path, name: str, force: bool) -> None:
    """Multiply a key by a secret, which is forgotten; print the contribution's hash."""
    from veperf.workloads.zk.snarkjs.ceremony import contribute

    _go_on(key, output, lambda zkey: contribute(zkey, name), force=force)


@ceremony_group.command(
    "beacon",
    cls=ExampleCommand,
    examples=["veperf zk ceremony beacon age_1.zkey -o age.zkey --value 00c0ffee"],
)
@file_argument("key", "FILE.zkey")
@output_option("final.zkey")
@click.option("--value", required=True, metavar="HEX", help="A value nobody could choose.")
@click.option(
    "--exponent", type=click.IntRange(10, 26), default=10, show_default=True,
    help="It is hashed 2^exponent times.",
)  # fmt: skip
@click.option("--name", default="", help="Its name in the transcript.")
@force_option
def beacon_command(
    key: Path, output: Path, value: str, exponent: int, name: str, force: bool
) -> None:
    """Let a public value, such as a block's hash, contribute last."""
    from veperf.workloads.zk.snarkjs.ceremony import apply_beacon
    from veperf.workloads.zk.snarkjs.contributions import Beacon

    try:
        beacon = Beacon(bytes.fromhex(value.removeprefix("0x")), exponent)
    except ValueError as error:
        raise UsageError(f"--value is hexadecimal, not {value[:40]!r}") from error
    _go_on(key, output, lambda zkey: apply_beacon(zkey, beacon, name), force=force)


@ceremony_group.command(
    "verify",
    cls=ExampleCommand,
    examples=["veperf zk ceremony verify age.zkey --r1cs age.r1cs --ptau powers.ptau"],
)
@file_argument("key", "FILE.zkey")
@file_option("--r1cs", "The circuit.", required=True)
@file_option("--ptau", "The powers of tau that it began with.", required=True)
@click.pass_context
def verify_ceremony_command(context: click.Context, key: Path, r1cs: Path, ptau: Path) -> None:
    """Verify that a key is what its contributions made of a circuit; print its transcript.

    Ends with 0 if it is, 1 if not, or if nobody contributed, 2 if a file can't be read.
    """
    from veperf.workloads.zk.snarkjs.ceremony import verify_ceremony
    from veperf.workloads.zk.snarkjs.circom_files import read_r1cs
    from veperf.workloads.zk.snarkjs.ptau import Ptau

    zkey = _read_ceremony(key)
    with reading(r1cs) as data:
        system = read_r1cs(data)
    with reading(ptau) as data:
        fault = verify_ceremony(zkey, system, Ptau(data))
    _print_transcript(zkey)
    echo(_ceremony_verdict(zkey, fault))
    context.exit(OK if fault is None and zkey.contributions else FAILED)


def _ceremony_verdict(zkey: "Zkey", fault: "CeremonyFault | None") -> str:
    if fault is not None:
        return f"invalid: {fault}"
    if not zkey.contributions:
        return "invalid: nobody contributed, so that anybody can forge proofs"
    return "valid"


def _print_transcript(zkey: "Zkey") -> None:
    from veperf.core.escape import one_line

    echo(f"circuit  {zkey.circuit_hash.hex()[:64]}\n         {zkey.circuit_hash.hex()[64:]}")
    for number, contribution in enumerate(zkey.contributions, 1):
        name = one_line(contribution.name or "(no name)")
        beacon = contribution.beacon
        kind = f"\n         a beacon of 2^{beacon.exponent} iterations" if beacon else ""
        digest = contribution.digest().hex()
        echo(f"{number:>7}  {name}{kind}\n         {digest[:64]}\n         {digest[64:]}")


def _read_ceremony(path: Path) -> "Zkey":
    from veperf.workloads.zk.snarkjs.zkey import read_zkey

    with reading(path) as data:
        # Before the first contribution all are test keys.
        return read_zkey(data, allow_test_keys=True)


def _go_on(key: Path, output: Path, contribute: "Callable[[Zkey], Zkey]", *, force: bool) -> None:
    from veperf.workloads.zk.snarkjs.zkey import write_zkey

    refuse_existing(output, force=force)
    zkey = contribute(_read_ceremony(key))
    write_output(output, write_zkey(zkey), force=force)
    _print_transcript(zkey)
