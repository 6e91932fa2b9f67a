"""The kernels of transactions withstand sanitizers and valgrind, on cases and on damaged ones."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from veperf._native.core import PYTHON, use_core
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.address import PREFIX, address_from_bytes
from veperf.workloads.transaction.codec import (
    Coin,
    Send,
    Transaction,
    decode_transaction,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_doc,
)
from veperf.workloads.transaction.errors import TransactionRefused

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "veperf" / "_native" / "src"
DRIVER = ROOT / "tests" / "support" / "kernels" / "transactions_driver.c"
COMPILERS = [path for name in ("cc", "clang") if (path := shutil.which(name))]
SIGNER = example_data.account_signer(0)
SENDER = address_from_bytes(SIGNER.public_key.address())

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not COMPILERS, reason="no C compiler")]


def word(number: int) -> bytes:
    return number.to_bytes(4, "little")


def case(kind: int, *parts: bytes) -> bytes:
    padded = (*parts, *[b""] * (5 - len(parts)))
    return word(kind) + b"".join(word(len(part)) + part for part in padded)


def fields(transaction: Transaction) -> bytes:
    """As the driver writes them."""
    (send,) = transaction.messages
    coins = (*send.amount, *transaction.fee)
    texts = [text for coin in coins for text in (coin.denom.encode(), b"%d" % coin.amount)]
    numbers = (transaction.sequence, transaction.gas_limit)
    return b"".join(
        [
            send.sender.data,
            send.recipient.data,
            *texts,
            transaction.public_key.data,
            transaction.signature,
            *(number.to_bytes(8, "little") for number in numbers),
        ]
    )


def transfer_case(raw: bytes, prefix: str = PREFIX) -> bytes:
    """What Python's own code makes of it, but for the checks that the kernel leaves to it."""
    try:
        expected = fields(decode_transaction(raw, prefix))
    except TransactionRefused:
        expected = b""
    return case(0, prefix.encode(), raw, expected)


def all_cases() -> Iterator[bytes]:
    for length, amount, fee, denom, sequence, gas in [
        (20, 1, 1, "uve", 0, 1),
        (32, 10**77 - 1, 10**77 - 1, "u" * 40, 2**63 - 1, 2**63 - 1),
        (20, 10**18, 7, "ibc/A:b._-0", 127, 128),
    ]:
        recipient = address_from_bytes(bytes(range(length)))
        body = encode_body([Send(SENDER, recipient, (Coin(denom, amount),))])
        auth_info = encode_auth_info(SIGNER.public_key, sequence, (Coin("uve", fee),), gas)
        raw = encode_raw(body, auth_info, bytes(range(64)))
        yield transfer_case(raw)
        yield transfer_case(raw, "cosmos")
        yield from (transfer_case(raw[:end]) for end in (0, 1, 50, len(raw) - 1))
    lengths = random.Random(1)
    for number in (0, 1, 127, 128, 2**32, 2**63):
        sizes = [0, 1, 55, 63, 64, 127, 128]
        body, auth_info = (lengths.randbytes(lengths.choice(sizes)) for _ in range(2))
        chain_id = "x" * lengths.choice([0, 1, 64, 300])
        digest = sha256(encode_sign_doc(body, auth_info, chain_id, number)).digest()
        yield case(1, body, auth_info, chain_id.encode(), number.to_bytes(8, "little"), digest)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of cases for the driver."""
    with use_core(PYTHON):
        parts = list(all_cases())
    path = tmp_path_factory.mktemp("transactions") / "cases"
    path.write_bytes(word(len(parts)) + b"".join(parts))
    return path


def compile_driver(compiler: str, folder: Path, *options: str) -> Path:
    program = folder / "driver"
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
    command = [compiler, "-std=c99", "-g", "-fwrapv", *warnings, *options]
    subprocess.run([*command, f"-I{SOURCES}", str(DRIVER), "-o", str(program)], check=True)
    return program


@pytest.mark.parametrize("compiler", COMPILERS, ids=os.path.basename)
def test_sanitizers_find_nothing(compiler: str, cases: Path, tmp_path: Path) -> None:
    """Addresses and undefined behaviour, on known cases and on ones changed at random."""
    options = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = compile_driver(compiler, tmp_path, *options)

    subprocess.run([program, cases], check=True)
    subprocess.run([program, "fuzz", "1000000", cases], check=True)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_valgrind_finds_nothing(cases: Path, tmp_path: Path) -> None:
    """No byte that was not written decides anything, and nothing is lost."""
    program = compile_driver(COMPILERS[0], tmp_path, "-O2")
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]

    subprocess.run([*valgrind, program, cases], check=True)
    subprocess.run([*valgrind, program, "fuzz", "5000", cases], check=True)


def test_a_wrong_result_is_noticed(cases: Path, tmp_path: Path) -> None:
    """The driver does compare."""
    data = bytearray(cases.read_bytes())
    data[-1] ^= 1
    changed = tmp_path / "changed"
    changed.write_bytes(data)
    program = compile_driver(COMPILERS[0], tmp_path, "-O1")

    assert 1 == subprocess.run([program, changed], check=False, capture_output=True).returncode
