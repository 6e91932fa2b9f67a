"""How far from Go: the same operations in Go and here, side by side in one run.

    python -m benchmarks.peers_go [--rounds 5] [--seconds 0.1] [--keys 10000]

Go is its standard library, and for the tree an IAVL tree of 100 lines in ``peer.go``; here it is
what the suites call, once for each core where they differ. Rounds alternate, and the least CPU time
of all counts (with Go's garbage collector, and without waiting): ratios, of ours to Go's, hold on a
busy machine, too. Both sides show the root hash that their writes lead to.

Exit codes: 0; 1 if both sides' trees differ; 3 where there is no Go toolchain, and so no answer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

from veperf._native.core import CORES, use_core
from veperf.core.errors import UsageError
from veperf.programs.go_toolchain import find_go
from veperf.workloads.transaction.codec import transaction_hash
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.signature import Ed25519Signer, verify_signature

SOURCE = Path(__file__).with_name("peer.go")
WRITES = 1_000
NO_GO = 3
OPERATIONS = {
    "sha256_64": "SHA-256 of 64 bytes",
    "sha256_320": "SHA-256 of 320 bytes",
    "sha256_65536": "SHA-256 of 64 KiB",
    "ed25519_sign": "Ed25519: sign 320 bytes",
    "ed25519_verify": "Ed25519: verify them",
    "map_read": "map, dict: read",
    "map_write": "map, dict: write",
    "map_fill": "map, dict: fill a new one",
    "tree_write": "IAVL tree: write and hash",
    "tree_read": "IAVL tree: read",
}
_BY_CORE = {"tree_write", "tree_read"}

Work = dict[str, tuple[Callable[[], object], int]]
"""What to call by name, and how many operations one call does."""


def main() -> int:
    """Measure both sides in turn, and print the table."""
    arguments = _arguments()
    try:
        go = find_go()
    except UsageError as error:
        print(f"no Go to measure beside: {error}", file=sys.stderr)
        return NO_GO
    version = subprocess.run([go, "version"], check=True, capture_output=True, text=True).stdout
    sides: dict[str, dict[str, float]] = defaultdict(dict)
    roots: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="veperf-peers-") as folder:
        peer = _build(go, Path(folder))
        works = {core: _work(core, arguments.keys) for core in CORES}
        for _ in range(arguments.rounds):
            rows = _run_peer(peer, arguments.keys, arguments.seconds)
            roots.add(rows.pop("root"))
            _keep_least(sides["go"], {name: float(value) for name, value in rows.items()})
            for core, work in works.items():
                with use_core(core):
                    _keep_least(sides[core], dict(_measure(work, arguments.seconds, core)))
                    roots.add(_root(work))
    print(f"{version.strip()}; CPU time of an operation, {arguments.keys:,} keys")
    _print_table(sides)
    if len(roots) > 1:
        print(f"the trees differ: {sorted(roots)}", file=sys.stderr)
    return len(roots) > 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers_go",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each operation and round")
    parser.add_argument("--keys", type=int, default=10_000, help="of the map and tree")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.keys < WRITES:
        parser.error(f"there is at least 1 round, of {WRITES} keys or more")
    return arguments


def _build(go: str, folder: Path) -> Path:
    """Compile the peer, which needs no module but the standard library."""
    program = folder / "peer"
    environment = os.environ | {"GO111MODULE": "off", "GOFLAGS": "", "GOWORK": "off"}
    command = [go, "build", "-o", str(program), str(SOURCE)]
    subprocess.run(command, check=True, cwd=folder, env=environment)
    return program


def _run_peer(peer: Path, keys: int, seconds: float) -> dict[str, str]:
    command = [str(peer), str(keys), str(WRITES), str(seconds)]
    environment = os.environ | {"GOMAXPROCS": "1"}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return dict(line.split() for line in output.stdout.splitlines())


def _work(core: str, keys: int) -> Work:
    """Return our side of each operation."""
    with use_core(core):
        work: Work = {}
        for size in (64, 320, 65_536):
            work[f"sha256_{size}"] = partial(transaction_hash, bytes(size)), 1
        signer, message = Ed25519Signer(bytes(32)), bytes(320)
        signature = signer.sign(message)
        work["ed25519_sign"] = (lambda: signer.sign(message)), 1
        work["ed25519_verify"] = (
            (lambda: verify_signature(signer.public_key, message, signature)),
            1,
        )
        names = [sha256(b"%d" % number).digest()[:20] for number in range(keys)]
        return work | _map_work(names) | _tree_work(names)


def _map_work(names: list[bytes]) -> Work:
    known = {name: number for number, name in enumerate(names)}

    def read() -> None:
        for name in names:
            known[name]

    def write() -> None:
        for number, name in enumerate(names):
            known[name] = number  # noqa: PERF403 - one by one, as in Go

    def fill() -> dict[bytes, int]:
        return {name: number for number, name in enumerate(names)}

    count = len(names)
    return {"map_read": (read, count), "map_write": (write, count), "map_fill": (fill, count)}


def _tree_work(names: list[bytes]) -> Work:
    tree = Tree()
    for name in names:
        tree.set(name, bytes(40))
    tree.save_version()
    chosen = [names[number * (len(names) // WRITES)] for number in range(WRITES)]
    value = b"\1" * 40

    def write() -> bytes:
        changed = tree.branch()
        for name in chosen:
            changed.set(name, value)
        return changed.save_version()[0]

    def read() -> None:
        for name in chosen:
            tree.get(name)

    return {"tree_write": (write, WRITES), "tree_read": (read, WRITES)}


def _measure(work: Work, seconds: float, core: str) -> Iterator[tuple[str, float]]:
    """Yield name and nanoseconds; other than in the default core, only what depends on it."""
    for name, (call, operations) in work.items():
        if core != CORES[0] and name not in _BY_CORE:
            continue
        call()
        calls, start = 0, time.process_time_ns()
        while (used := time.process_time_ns() - start) < seconds * 1e9:
            for _ in range(1 if operations > 1 else 100):
                call()
            calls += 1 if operations > 1 else 100
        yield name, used / calls / operations


def _root(work: Work) -> str:
    root = work["tree_write"][0]()
    assert isinstance(root, bytes)
    return root.hex()


def _keep_least(least: dict[str, float], new: dict[str, float]) -> None:
    for name, value in new.items():
        least[name] = min(value, least.get(name, value))


def _print_table(sides: dict[str, dict[str, float]]) -> None:
    print(f"{'operation':27}{'Go':>10}", *(f"{core:>10}{'ratio':>7}" for core in CORES))
    for name, what in OPERATIONS.items():
        go = sides["go"][name]
        cells = [
            f"{value:>7,.0f} ns{value / go:>7.2f}" if (value := sides[core].get(name)) else ""
            for core in CORES
        ]
        print(f"{what:27}{go:>7,.0f} ns", *cells)


if __name__ == "__main__":
    sys.exit(main())
