"""The compiled kernels are built where a compiler is, and withstand sanitizers and valgrind."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.bn254 import FIELD, ORDER, point_on_twist
from veperf._native.core import PYTHON, use_core
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.limbs import numbers_to_bytes
from veperf.workloads.zk.msm.variable_base import msm
from veperf.workloads.zk.ntt import Domain
from veperf.workloads.zk.pairing import pairing
from veperf.workloads.zk.tower import fp12

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "veperf" / "_native" / "src"
DRIVER = ROOT / "tests" / "support" / "kernels" / "driver.c"
CC = shutil.which(os.environ.get("CC", "cc"))

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CC is None, reason="no C compiler")]

MULTIPLY_FR, TRANSFORM, MULTIPLY, SUM, TABLE_SUM, DIGIT_SUMS, PAIRING, SUBGROUP, PACK = range(9)
G1_CALL, G2_CALL = 16, 32


def word(number: int) -> bytes:
    return number.to_bytes(4, "little")


def call(kernel: int, given: bytes, expected: bytes, *, count: int = 1, window: int = 4) -> bytes:
    """A call as the driver reads it; no expected bytes are a refusal."""
    parts = (word(len(given)), given, word(len(expected)), expected)
    return b"".join([word(kernel), word(window), word(count), *parts])


def flat(point: Any) -> list[int]:
    """The coordinates of a point of G1 or G2."""
    return [c for part in point for c in (part if isinstance(part, tuple) else (part,))]


def points_bytes(points: Sequence[Any], dimension: int) -> bytes:
    return numbers_to_bytes([c for p in points for c in (flat(p) if p else [0] * dimension)])


def group_calls(kind: int, dimension: int, generator: Any, multiply: Any) -> Iterator[bytes]:
    """Sums and multiples of points that repeat, cancel and are infinity."""
    points = [multiply(generator, k) for k in (1, 1, -1, 0, 5, 2**200 + 1, 7, 2**77)]
    scalars = [ORDER - 1, ORDER // 2, ORDER // 2 + 1, 9, 0, 2**253, 2**256 - 1, 3]
    data = points_bytes(points, dimension) + numbers_to_bytes(scalars)
    total = points_bytes([msm(points, scalars)], dimension)
    for window in (2, 5, 9):
        for kernel in (SUM, TABLE_SUM):
            yield call(kind + kernel, data, total, count=len(points), window=window)
    multiples = [multiply(points[0], scalar % ORDER) for scalar in scalars]
    expected = points_bytes(multiples, dimension)
    yield call(kind + DIGIT_SUMS, data, expected, count=len(points))
    for scalar, multiple in zip(scalars, multiples, strict=True):
        given = points_bytes(points[:1], dimension) + numbers_to_bytes([scalar])
        yield call(kind + MULTIPLY, given, points_bytes([multiple], dimension))
    for wrong in ([0] * dimension, [FIELD] + [0] * (dimension - 1), [1] * dimension):
        yield call(kind + PACK, numbers_to_bytes([*wrong, 0]), b"")


def all_calls() -> Iterator[bytes]:
    """Every kernel on its edges, with what Python's own code makes of them."""
    numbers = [0, 1, ORDER - 1, ORDER, 2**256 - 1, 2**255, 5, 7**80]
    products = [a * b % ORDER for a, b in zip(numbers, numbers[::-1], strict=True)]
    given = numbers_to_bytes([*numbers, *numbers[::-1]])
    yield call(MULTIPLY_FR, given, numbers_to_bytes(products))
    domain = Domain(8)
    given = numbers_to_bytes([domain.root, domain.shift, 1, 1, *numbers])
    yield call(TRANSFORM, given, numbers_to_bytes(domain.coset_ntt(numbers)), count=8)
    yield from group_calls(G1_CALL, 2, G1, g1_multiply)
    yield from group_calls(G2_CALL, 4, G2, g2_multiply)
    for a, b in ((1, 1), (-3, 2**100)):
        p, q = g1_multiply(G1, a), g2_multiply(G2, b)
        value = [c for part in fp12.coefficients(pairing(p, q)) for c in part]
        yield call(PAIRING, numbers_to_bytes(flat(p) + flat(q)), numbers_to_bytes(value))
    outside = flat(point_on_twist(3))
    yield call(PAIRING, numbers_to_bytes([*flat(G1), *outside]), b"")
    yield call(SUBGROUP, numbers_to_bytes(outside), b"\0\0")
    yield call(SUBGROUP, numbers_to_bytes(flat(G2)), b"\1\1")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of calls for the driver."""
    with use_core(PYTHON):
        parts = list(all_calls())
    path = tmp_path_factory.mktemp("kernels") / "calls"
    path.write_bytes(word(len(parts)) + b"".join(parts))
    return path


def compile_driver(folder: Path, *options: str) -> Path:
    assert CC is not None
    program = folder / "driver"
    command = [CC, "-std=c99", "-g", "-fwrapv", "-Wall", "-Wextra", "-Werror", *options]
    subprocess.run([*command, f"-I{SOURCES}", str(DRIVER), "-o", str(program)], check=True)
    return program


def test_sanitizers_find_nothing(calls: Path, tmp_path: Path) -> None:
    """Addresses and undefined behaviour, on calls with known results and on bytes of any kind."""
    program = compile_driver(
        tmp_path, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"
    )

    subprocess.run([program, calls], check=True)
    subprocess.run([program, "fuzz", "20000"], check=True)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind")
def test_valgrind_finds_nothing(calls: Path, tmp_path: Path) -> None:
    """No byte that was not written decides anything, and nothing is lost."""
    program = compile_driver(tmp_path, "-O2")
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]

    subprocess.run([*valgrind, program, calls], check=True)
    subprocess.run([*valgrind, program, "fuzz", "200"], check=True)


def test_a_wrong_result_is_noticed(calls: Path, tmp_path: Path) -> None:
    """The driver does compare."""
    data = bytearray(calls.read_bytes())
    data[-1] ^= 1
    changed = tmp_path / "changed"
    changed.write_bytes(data)
    program = compile_driver(tmp_path, "-O1")

    assert 1 == subprocess.run([program, changed], check=False, capture_output=True).returncode


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build reads, without the kernels of this checkout."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    for name in ("veperf", "notebooks", "data", "reports/example"):
        ignored = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def build(checkout: Path, output: Path, target: str, **environment: str) -> Path:
    """The path of what hatchling builds."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(output)],
        cwd=checkout,
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )
    (path,) = output.iterdir()
    return path


def test_a_wheel_with_a_compiler_has_the_kernels(checkout: Path, tmp_path: Path) -> None:
    """For this platform and every Python from 3.11; unpacked, they run."""
    wheel = build(checkout, tmp_path / "built", "wheel")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    program = "import veperf._native.core as c; print(c.active_core(), c.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "unpacked",
        env=os.environ | {"PYTHONPATH": str(tmp_path / "unpacked")},
        check=True,
        capture_output=True,
        text=True,
    )

    assert "-cp311-abi3-" in wheel.name
    assert not list((tmp_path / "unpacked" / "veperf" / "_native").glob("src*"))
    assert done.stdout.startswith(f"native {tmp_path}")
    assert not list((checkout / "veperf" / "_native").glob("*.so"))


def test_a_wheel_without_a_compiler_is_pure(checkout: Path, tmp_path: Path) -> None:
    """The build succeeds, for any platform."""
    wheel = build(checkout, tmp_path / "built", "wheel", CC="false")

    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "veperf/_native/core.py" in names
    assert not [name for name in names if name.endswith(".so")]


def test_a_source_distribution_has_what_the_kernels_are_built_from(
    checkout: Path, tmp_path: Path
) -> None:
    """The hook and every C file."""
    with tarfile.open(build(checkout, tmp_path / "built", "sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {f"veperf/_native/src/{path.name}" for path in SOURCES.iterdir()}

    assert {"hatch_build.py", *sources} <= names


def test_an_editable_build_has_them_beside_their_sources(checkout: Path) -> None:
    """And takes old ones away where there is no compiler any more."""
    command = [sys.executable, str(checkout / "hatch_build.py")]
    results = []
    for environment in (dict(os.environ), os.environ | {"CC": "false"}):
        done = subprocess.run(command, env=environment, check=False, capture_output=True)
        kernels = (checkout / "veperf" / "_native").glob("kernels.*.so")
        results.append((done.returncode, len(list(kernels))))

    assert [(0, 1), (1, 0)] == results
