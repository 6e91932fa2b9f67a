"""A shard of a load in a process: ``python -m tests.support.shard_process REQUEST_JSON``.

What it found goes to standard output, as JSON.
"""

import sys

import msgspec

from veperf.core import registry
from veperf.loadtest.sharded.shard import run_shard
from veperf.measure.protocol import RunShard


def main() -> None:
    """Put the share on."""
    registry.load_registry(["tests.support.remote_loads"])
    join = msgspec.json.decode(sys.argv[1], type=RunShard)
    task = registry.REGISTRY.benchmarks[join.benchmark].setup(**join.params)
    assert isinstance(task, registry.LoadTask)
    report = run_shard(task, join, lambda _: True, lambda: None)
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
