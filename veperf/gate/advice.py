"""What to change on a machine so that smaller slowdowns show."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from veperf.judge.words import names, number, percent, plural
from veperf.measure.tuning import Tuning
from veperf.model import ABChange, ABRound, Machine

_STEAL = 0.02
_FREQUENCY = 0.1


def advice(
    machine: Machine,
    tuning: Tuning,
    rounds: Sequence[ABRound],
    changes: Iterable[ABChange],
) -> Iterator[str]:
    """A sentence for each thing that can be done, the most useful first."""
    load = median([one.load for one in rounds]) if rounds else 0.0
    if load > machine.cores:
        yield (
            f"The machine is busy: load {number(load)} on {plural(machine.cores, 'core')}. Pairs "
            "cancel most of what that does, but it takes more of them; measure while nothing else "
            "runs."
        )
    steals = [one.steal_ratio for one in rounds if one.steal_ratio is not None]
    if steals and (steal := median(steals)) > _STEAL:
        yield (
            f"The hypervisor gives {percent(steal)} of the CPU time to others: a machine with "
            "dedicated cores would be quieter."
        )
    if tuning.quota_cores is not None and tuning.quota_cores < 2:
        yield (
            f"The container may use {number(tuning.quota_cores)} cores, beyond which it is halted "
            "for a while: allow it 2 or more."
        )
    if machine.cores < 2:
        yield "There is one core, which veperf shares with all else: 2 or more would be better."
    mhz = [one.frequency_mhz for one in rounds if one.frequency_mhz]
    if mhz and max(mhz) > (1 + _FREQUENCY) * min(mhz):
        yield (
            f"The clock frequency moved between {number(min(mhz))} and {number(max(mhz))} MHz: "
            "fix it (`cpupower frequency-set --governor performance`, and no turbo)."
        )
    elif others := [name for name in tuning.governors if name != "performance"]:
        yield (
            f"The frequency governor is {names(others)}: `cpupower frequency-set --governor "
            "performance` keeps the clock steady."
        )
    if waiting := [change.case for change in changes if change.clock == "wall" and change.pairs]:
        yield (
            f"Judged by wall time, as they wait or use several threads: {names(waiting)}. These "
            "need more pairs than what is judged by CPU time."
        )
