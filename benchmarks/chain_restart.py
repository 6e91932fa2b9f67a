"""A large chain on disk: how it grows, how long its commits take, and how long a restart takes.

    python -m benchmarks.chain_restart [--accounts 1000000] [--blocks 1000] [--transfers 1000]

Accounts and balances are in the stores ``acc`` and ``bank``, two keys an account. Each block writes
what its transfers between random accounts write: the sender's account and two balances. Signatures
are not verified. Then fresh processes open the chain: CPU time is theirs from opening the folder to
the checked app hash, imports apart. Wall time means something only where nothing else runs.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import quantiles

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.durable_multistore import DurableMultiStore
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.state import (
    Account,
    get_account,
    initial_state,
    set_account,
    transfer,
)

DENOM = "uve"
STORES = ("acc", "bank")


def main() -> None:
    """Fill, commit, reopen, and print what each took."""
    arguments = _arguments()
    if arguments.reopen is not None:
        _reopen(arguments.reopen, arguments.keep)
        return
    with tempfile.TemporaryDirectory(prefix="veperf-chain-", dir=arguments.folder) as name:
        folder = Path(name)
        app_hash = _run_chain(folder, arguments)
        for _ in range(arguments.restarts):
            command = ["--reopen", name, "--keep", str(arguments.keep)]
            answer = subprocess.run(
                [sys.executable, "-m", "benchmarks.chain_restart", *command],
                check=True,
                capture_output=True,
                text=True,
            )
            figures = json.loads(answer.stdout)
            assert figures.pop("app_hash") == app_hash, "another chain"
            print("restart: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chain_restart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=1_000)
    parser.add_argument("--transfers", type=int, default=1_000, help="in a block")
    parser.add_argument("--keep", type=int, default=10, help="versions that are kept")
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where a folder for the chain is made")
    parser.add_argument("--reopen", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_chain(folder: Path, arguments: argparse.Namespace) -> str:
    """Commit all blocks; return the last app hash in hex."""
    dice = Random(1)
    addresses = [dice.randbytes(20) for _ in range(arguments.accounts)]
    items = initial_state(addresses, DENOM, 10**9)
    cpu_s, wall_s = [], []
    with DurableMultiStore(folder, STORES, keep=arguments.keep) as stores:
        # Keys of balances begin with 2, and no others do.
        stores.trees["acc"] = Tree.from_sorted(item for item in items if item[0][0] != 2)
        stores.trees["bank"] = Tree.from_sorted(item for item in items if item[0][0] == 2)
        del items
        stores.commit()
        first_bytes = _disk_bytes(folder)
        print(f"first version: {first_bytes / 1e6:.0f} MB")
        for block in range(1, arguments.blocks + 1):
            _write_transfers(stores, addresses, arguments.transfers, dice)
            cpu, wall = time.process_time(), time.perf_counter()
            stores.commit()
            cpu_s.append(time.process_time() - cpu)
            wall_s.append(time.perf_counter() - wall)
            if block % max(1, arguments.blocks // 10) == 0:
                count = block * arguments.transfers
                print(f"{count:>12,} transfers: {_disk_bytes(folder) / 1e6:.0f} MB", flush=True)
        for name, values in (("CPU", cpu_s), ("wall", wall_s)):
            centiles = quantiles(values, n=100)
            print(
                f"commit, {name} time: p50 {1e3 * centiles[49]:.1f} ms, "
                f"p99 {1e3 * centiles[98]:.1f} ms, max {1e3 * max(values):.1f} ms"
            )
        grown = (_disk_bytes(folder) - first_bytes) / (arguments.blocks * arguments.transfers)
        print(f"disk: {grown:.0f} bytes a transfer; versions kept: {len(stores.versions)}")
        return stores.app_hash.hex()


def _write_transfers(
    stores: DurableMultiStore, addresses: list[bytes], count: int, dice: Random
) -> None:
    """Write to the trees what a block of transfers writes, hashes included."""
    caches = {name: Cache(tree) for name, tree in stores.trees.items()}
    for _ in range(count):
        sender, recipient = dice.choice(addresses), dice.choice(addresses)
        account = get_account(caches["acc"], sender)
        assert account is not None
        set_account(caches["acc"], sender, Account(account.number, account.sequence + 1))
        transfer(caches["bank"], sender, recipient, DENOM, 1)
    for cache in caches.values():
        cache.write()
    assert stores.app_hash


def _disk_bytes(folder: Path) -> int:
    """Return the space that the folder takes on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.iterdir())


def _reopen(folder: Path, keep: int) -> None:
    """Open the chain; print CPU and wall time, peak memory and the app hash as JSON."""
    cpu, wall = time.process_time(), time.perf_counter()
    with DurableMultiStore(folder, STORES, keep=keep) as stores:
        figures = {
            "CPU s": time.process_time() - cpu,
            "wall s": time.perf_counter() - wall,
            "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            "keys": sum(map(len, stores.trees.values())),
            "app_hash": stores.app_hash.hex(),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
