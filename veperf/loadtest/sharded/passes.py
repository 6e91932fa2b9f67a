"""The passes of a run whose load is put on by shards."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from veperf.core.case import Case
from veperf.core.run import Config, Machine, Pass
from veperf.loadtest.remote.auth import generate_token
from veperf.loadtest.sharded.coordinator import run_sharded_load
from veperf.loadtest.sharded.messages import Launcher, ShardedLoad
from veperf.measure.machine import load_average
from veperf.measure.passes import PassProgress


@dataclass(frozen=True, slots=True)
class Placement:
    """The placement of a load: where its processes run, and the target."""

    launcher: Launcher
    """Starts the processes."""
    machine: Machine
    """The target's."""
    target: str = ""
    """The address of a target that runs already; if empty, one is started."""
    token: str = field(default_factory=generate_token, repr=False)
    """The token of the target that runs already, or any."""


@dataclass(slots=True)
class ShardedPasses:
    """Makes the passes of a run: of each case one load by ``config.load.shards`` shards."""

    config: Config
    modules: tuple[str, ...]
    cases: Sequence[Case]
    progress: PassProgress
    placement: Placement
    loops: dict[str, int] = field(default_factory=dict)
    """Always empty: a load has none."""

    def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Make the passes ``indices``, one after the other."""
        for index in indices:
            yield self._measure_pass(index)

    def _measure_pass(self, index: int) -> Pass:
        pass_ = Pass(
            index=index,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=0,
            load_before=load_average(),
            load_after=0,
            frequency_mhz=None,
            steal_ratio=None,
            yardstick_ns=None,
            results=(),
        )
        start = time.monotonic()
        for case in self.cases:
            pass_ = self._measure_case(pass_, case)
        return replace(pass_, seconds=time.monotonic() - start)

    def _measure_case(self, pass_: Pass, case: Case) -> Pass:
        """Measure ``case``; return ``pass_`` with its result."""
        start = time.monotonic()
        self.progress.case_started(pass_.index, case)
        result, conditions = run_sharded_load(
            case.id,
            self._load(pass_.index, case),
            self.placement.launcher,
            lambda so_far: self.progress.load_ticked(pass_.index, case, so_far),
            target=self.placement.target,
            on_start=self.progress.load_started,
        )
        result = replace(result, seconds=round(time.monotonic() - start, 4))
        self.progress.case_finished(pass_.index, case, result)
        results = (*pass_.results, result)
        if conditions is None:
            return replace(pass_, load_after=load_average(), results=results)
        return replace(
            pass_,
            load_before=conditions.load_before,
            load_after=conditions.load_after,
            frequency_mhz=conditions.frequency_mhz,
            steal_ratio=conditions.steal_ratio,
            yardstick_ns=conditions.calibration_ns,
            results=results,
        )

    def _load(self, index: int, case: Case) -> ShardedLoad:
        config = self.config
        # Arrivals of its own in every pass, and the same ones when the run is repeated.
        random_ = random.Random(f"{config.seed}/{index}/{case.id}")  # noqa: S311 - no secret
        return ShardedLoad(
            benchmark=case.benchmark,
            params=case.params,
            modules=self.modules,
            plan=config.load,
            seed=random_.randrange(1 << 32),
            timeout_s=config.timeout_s,
            token=self.placement.token,
        )
