"""The benchmarks of the validator set suite: what a node does with the set at each height.

Sets are made once a process: every benchmark copies the one that it changes.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.validator_set import example_data
from veperf.workloads.validator_set.validators import ValidatorSet

_SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
_SLOW_SIZES = ("validators=1000000",)  # takes seconds to set up, in every process
_CHANGES = 10
_BATCH = 1_000
_MANY = 10_000


@cache
def _validators(count: int) -> ValidatorSet:
    return example_data.validator_set(count)


def _addresses(validators: int) -> list[bytes]:
    """Return a thousand addresses, spread over the set."""
    step = max(1, validators // _BATCH)
    return [
        ed25519_address(example_data.consensus_key(number * step % validators))
        for number in range(_BATCH)
    ]


@benchmark(
    "validator_set/next_height",
    level=Level.INTEGRATION,
    params={"validators": _SIZES},
    slow=_SLOW_SIZES,
)
def next_height(validators: int) -> Task:
    """Make the next height's set: copy, ten changes, the next proposer, the hash for the header."""
    base = _validators(validators)
    changes = example_data.block_changes(validators, _CHANGES)

    def update(copy: ValidatorSet) -> ValidatorSet:
        copy.update(changes)
        return copy

    def rotate(copy: ValidatorSet) -> ValidatorSet:
        copy.rotate()
        return copy

    return Task(
        lambda: rotate(update(base.copy())).hash(),
        stages={
            "copy": lambda _: base.copy(),
            "update": update,
            "rotate": rotate,
            "hash": ValidatorSet.hash,
        },
    )


@benchmark(
    "validator_set/rotate",
    level=Level.COMPONENT,
    params={"validators": _SIZES, "rounds": (1, 10)},
    slow=_SLOW_SIZES,
)
def rotate(validators: int, rounds: int) -> Task:
    """Choose the next proposer by weighted priorities, on a copy of the set.

    With several rounds, those in which no block was made went by.
    """
    base = _validators(validators)

    def call() -> bytes:
        copy = base.copy()
        copy.rotate(rounds)
        return copy.proposer

    return Task(call)


@benchmark(
    "validator_set/update",
    level=Level.COMPONENT,
    params={"validators": _SIZES, "changes": (_CHANGES, 1, 100)},
    slow=_SLOW_SIZES,
)
def update(validators: int, changes: int) -> Task:
    """Apply a block's changes to a copy of the set: powers change, one in ten joins, one leaves."""
    base = _validators(validators)
    block = example_data.block_changes(validators, changes)

    def call() -> int:
        copy = base.copy()
        copy.update(block)
        return copy.total_power

    return Task(call)


@benchmark(
    "validator_set/hash",
    level=Level.COMPONENT,
    params={"validators": _SIZES},
    slow=_SLOW_SIZES,
)
def hash_set(validators: int) -> Task:
    """The Merkle root over all validators in their order, which every header carries."""
    return Task(_validators(validators).hash)


@benchmark(
    "validator_set/lookup",
    level=Level.MICRO,
    params={"validators": _SIZES},
    slow=_SLOW_SIZES,
)
def lookup(validators: int) -> Task:
    """Find one validator by its address; a thousand of all in turn."""
    base, addresses = _validators(validators), _addresses(validators)
    return Task(lambda: [base.get(address) for address in addresses], operations=_BATCH)


@benchmark(
    "validator_set/lookup_parallel",
    level=Level.COMPONENT,
    params={"threads": (2, 1, 4)},
    multithreaded=True,
)
def lookup_parallel(threads: int) -> Task:
    """Find one of 10,000 validators by its address, by several threads at once.

    The interpreter lock makes the threads take turns: the result shows their cost, not their gain.
    """
    base, addresses = _validators(_MANY), _addresses(_MANY)
    executor = ThreadPoolExecutor(threads)

    def find(share: int) -> int:
        return sum(base.get(address) is not None for address in addresses[share::threads])

    return Task(
        lambda: sum(executor.map(find, range(threads))),
        operations=_BATCH,
        close=executor.shutdown,
    )


@benchmark(
    "validator_set/iterate",
    level=Level.COMPONENT,
    params={"validators": _SIZES},
    slow=_SLOW_SIZES,
)
def iterate(validators: int) -> Task:
    """Go through all validators by power, the highest first, and of equals by address."""
    base = _validators(validators)
    return Task(lambda: sum(1 for _ in base))


@benchmark(
    "validator_set/strongest",
    level=Level.COMPONENT,
    params={"validators": _SIZES, "top": (100, 10, 1_000)},
    slow=_SLOW_SIZES,
)
def strongest(validators: int, top: int) -> Task:
    """Find the strongest validators: all are ordered by power and address, as after an update."""
    base = _validators(validators)
    return Task(lambda: list(islice(base, top)))


@benchmark(
    "validator_set/sum_power",
    level=Level.MICRO,
    params={"validators": _SIZES},
    slow=_SLOW_SIZES,
)
def sum_power(validators: int) -> Task:
    """Add up the voting power of all validators."""
    return Task(_validators(validators).sum_power)
