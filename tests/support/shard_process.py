"""One shard of a load, in a process that a test starts: ``python -m tests.support.shard_process JOIN_JSON``.

What it found goes to standard output, as JSON.
"""

import sys

import msgspec

from veperf.core import registry
from veperf.loadtest.sharded.shard import put_share
from veperf.measure.protocol import Join


def main() -> None:
    """Put the share on."""
    registry.load(["tests.support.remote_loads"])
    join = msgspec.json.decode(sys.argv[1], type=Join)
    task = registry.REGISTRY.benchmarks[join.benchmark].setup(**join.params)
    assert isinstance(task, registry.LoadTask)
    report = put_share(task, join, lambda _: True, lambda: None)
    sys.stdout.buffer.write(msgspec.json.encode(report))


if __name__ == "__main__":
    main()
